// docs/relationships.md and others, to the letter: programs print what stands below them, and excerpts of generated files are
// in those files. A .sql file in the text is compiled for the programs of its page.
// wire only: no call of it goes over a connection

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import * as compiler from '../../lib/compile/index.ts'
import * as plainsql from '../../lib/index.ts'
import * as testing from '../../lib/testing/index.ts'
import { type CodeBlock, codeBlocks } from '../support/markdown.ts'
import { runExample } from '../support/runExample.ts'
import { testServer } from '../support/server.ts'

const { url } = await testServer()
process.env.DATABASE_URL = url

for (const path of ['docs/relationships.md', 'docs/bulk-writes.md', 'docs/sql-files.md', 'docs/errors.md']) {
  const blocks = codeBlocks(readFileSync(path, 'utf8'))

  blocks.forEach(({ attributes, text, line }, index) => {
    const { excerpt } = attributes
    if (excerpt !== undefined) {
      test(`${path}:${line} is an excerpt of ${excerpt}`, () => {
        assert.ok(readFileSync(excerpt, 'utf8').includes(text), text)
      })
    }
    if ('run' in attributes) {
      test(`${path}:${line} prints what stands below it`, async () => {
        const folder = mkdtempSync('test/generated-')
        try {
          await compileFiles(blocks, folder)
          writeFileSync(join(folder, 'program.ts'), text.replace(/from '\.\/(sql|examples)\//g, "from '../../$1/"))
          const { output } = await runExample(join(folder, 'program.ts'), { DATABASE_URL: url })
          assert.is(output, blocks[index + 1]?.text)
        } finally {
          rmSync(folder, { recursive: true, force: true })
        }
      })
    }
  })
}

test('docs/errors.md lists every error that can be imported', () => {
  const page = readFileSync('docs/errors.md', 'utf8')
  const missing = [plainsql, testing, compiler]
    .flatMap((exported) => Object.entries<unknown>(exported))
    .filter(([, value]) => typeof value === 'function' && value.prototype instanceof Error)
    .filter(([name]) => name !== 'PlainsqlError' && !page.includes(`\n| \`${name}\``))
  assert.equal(missing, [])
})

async function compileFiles(blocks: readonly CodeBlock[], folder: string): Promise<void> {
  const sql = blocks.flatMap(({ attributes, text }) =>
    attributes.file === undefined ? [] : [[attributes.file, text] as const],
  )
  for (const [name, text] of sql) writeFileSync(join(folder, name), text)
  if (sql.length === 0) return
  const { compile, defaultConfig, planOutput, writeOutput } = compiler
  const config = { ...defaultConfig, sql: sql.map(([name]) => name), migrations: '../../migrations' }
  await writeOutput(folder, await planOutput(folder, (await compile(folder, config)).files))
}

test.run()
