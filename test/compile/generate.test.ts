// Golden cases of the whole generator: `generate/<case>/{schema.sql, query.sql, plainsql.json?}` in, `expected.ts` and,
// where there is anything to tell, `expected.txt` out, and `expected-schema.ts` if the settings ask for it. tsc compiles
// what is expected with the rest of the tests.

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { emitFile } from '../../lib/compile/emit.ts'
import { compile, formatDiagnostics, parseConfig } from '../../lib/compile/index.ts'
import { assertGolden } from '../support/golden.ts'
import { testServer } from '../support/server.ts'

const root = join(import.meta.dirname, '../..')
const folder = 'test/compile/generate'
process.env.DATABASE_URL = (await testServer()).url

for (const name of readdirSync(join(root, folder)).sort()) {
  test(name, async () => {
    const directory = `${folder}/${name}`
    const settings = join(root, directory, 'plainsql.json')
    const config = parseConfig(
      {
        schemaTypes: false,
        ...(existsSync(settings) ? (JSON.parse(readFileSync(settings, 'utf8')) as object) : {}),
        sql: [`${directory}/query.sql`],
        schema: [`${directory}/schema.sql`],
      },
      name,
    )
    const { files, diagnostics } = await compile(root, config)
    const report = formatDiagnostics(diagnostics, { format: 'text', color: false })
    assert.is(
      files.length === 0,
      diagnostics.some((diagnostic) => diagnostic.severity === 'error'),
    )
    if (files[0] !== undefined) assertGolden(join(root, directory, 'expected.ts'), files[0].text)
    if (files[1] !== undefined) assertGolden(join(root, directory, 'expected-schema.ts'), files[1].text)
    if (report !== '') assertGolden(join(root, directory, 'expected.txt'), report)
    else assert.not(existsSync(join(root, directory, 'expected.txt')))
  })
}

test('a file name with line breaks stays in its comment', () => {
  const lines = (path: string) => emitFile({ path, text: '' }, [], 'plainsql').split(/[\n\r\u2028\u2029]/)
  for (const mark of ['\n', '\r', '\u2028', '\u2029']) {
    assert.is(lines(`sql/a${mark}throw 1.sql`)[0], lines('sql/a throw 1.sql')[0])
  }
})

test.run()
