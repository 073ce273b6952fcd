// The tables of docs/types.md: each query becomes the type that stands beside it.

import { readFileSync } from 'node:fs'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { generated } from './support/generated.ts'
import { freshDatabase } from './support/server.ts'

const page = readFileSync('docs/types.md', 'utf8')
const schema = /```sql schema\n(.*?)```/s.exec(page)![1]!
const rows = page.split('\n').flatMap((line) => {
  const [, query, type] = /^\| `((?:select|with|insert) .*?)` +\| `(.*?)` +\|/.exec(line) ?? []
  return query && type ? [{ query: query.replaceAll('\\|', '|'), type: type.replaceAll('\\|', '|') }] : []
})

const database = await freshDatabase(schema)
const { text } = await generated(
  database.url,
  rows.map(({ query }, index) => `-- name: q${index} :values\n${query};\n`).join('\n'),
)
const interfaces = new Map(
  [...text.matchAll(/export interface (\w+) \{\n(.*?)\}/gs)].map(([, name, body]) => [name!, body!] as const),
)

for (const [index, { query, type }] of rows.entries()) {
  test(query, () => {
    const found = new RegExp(`export const q${index}: Values<void, (.*)> = values`).exec(text)?.[1]
    assert.is(inlined(found ?? 'nothing'), type)
  })
}

test('the page has its tables', () => assert.ok(rows.length > 40))

test.after(() => database.drop())

/** The type with its interfaces written out. */
function inlined(type: string): string {
  return type.replace(/\w+/g, (word) => {
    const body = interfaces.get(word)
    if (body === undefined) return word
    const fields = body.match(/^ {2}[^/*\s].*$/gm) ?? []
    return `{ ${fields.map((field) => inlined(field.trim())).join('; ')} }`
  })
}

test.run()
