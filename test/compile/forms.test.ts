// The form that each kind of query gets for many inputs, as the generated file shows it. One database for all files.
// `npx tsx test/compile/forms.test.ts --bless` writes what comes instead.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import { generated } from '../support/generated.ts'
import { assertGolden } from '../support/golden.ts'
import { freshDatabase, type TestDatabase } from '../support/server.ts'

const folder = join(import.meta.dirname, 'forms')
let database: TestDatabase

test.before(async () => {
  database = await freshDatabase(readFileSync(join(folder, 'schema.sql'), 'utf8'))
})

test.after(() => database.drop())

for (const name of ['in-list', 'join', 'lateral', 'insert', 'change', 'names', 'traps', 'none']) {
  test(`forms: ${name}`, async () => {
    const { text } = await generated(database.url, readFileSync(join(folder, `${name}.sql`), 'utf8'))
    assertGolden(join(folder, `${name}.txt`), text.split('\nexport const ').slice(1).map(form).join('\n\n'))
  })
}

/** What stands between the decoder and the end of the function. */
function form(code: string): string {
  const name = /^\w+/.exec(code)?.[0]
  const lines = code.slice(0, code.indexOf('\n})')).split('\n')
  const start = lines.findIndex((line) => /^ {2}(readOnly|\/\/ For many)/.test(line))
  const shown = start < 0 ? ['  (nothing)'] : lines.slice(start)
  return [`${name}`, ...shown.filter((line) => !/^ {2}batch: \{|^ {4}statement:|^ {2}\},$/.test(line))].join('\n')
}

test.run()
