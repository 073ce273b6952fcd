// Types of the settings, which are copied into generated files: as an import, as they stand, or refused.

import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { ConfigError, importOf, parseConfig } from '../../lib/compile/config.ts'

const good: readonly [type: string, imported: object | null][] = [
  ["Settings from './settings.ts'", { name: 'Settings', from: './settings.ts' }],
  ["$Größe from 'sizes'", { name: '$Größe', from: 'sizes' }],
  ['Record<string, number>', null],
  ['{ from: string; to: string }', null],
  ["'copied from disk' | 'made'", null],
  ["import('./types.ts').Email", null],
]

for (const [type, imported] of good) {
  test(`a type: ${type}`, () => {
    parseConfig({ types: { citext: type } }, 'plainsql.json')
    assert.equal(importOf(type), imported)
  })
}

const bad: readonly [type: string, meant: string][] = [
  ['Email from ./types', "Email from './types'"],
  ['Email from "./types.ts"', "Email from './types.ts'"],
  ["Email from './types.ts';", "Email from './types.ts'"],
  ["Email  from  './types.ts'", "Email from './types.ts'"],
  ["import { Email } from './types.ts'", "Email from './types.ts'"],
  ["import type { Email } from './types.ts'", "Email from './types.ts'"],
  ["Id<number> from './types.ts'", "Id from './types.ts'"],
]

for (const [type, meant] of bad) {
  test(`no type: ${type}`, () => {
    const parse = () => parseConfig({ columns: { 'users.email': type } }, 'plainsql.json')
    assert.throws(parse, (error: unknown) => {
      assert.instance(error, ConfigError)
      const { message } = error as ConfigError
      assert.is(
        message,
        `plainsql.json: "users.email" has a type that cannot be read: ${JSON.stringify(type)}. Write "${meant}" for a ` +
          'type that is exported there by this name, or a TypeScript type that needs no import',
      )
      return true
    })
  })
}

test('one name from two files', () => {
  const types = { a: "Id from './a.ts'", b: "Id from './b.ts'" }
  assert.throws(
    () => parseConfig({ types }, 'plainsql.json'),
    /"Id" comes from both '\.\/a\.ts' and '\.\/b\.ts': rename/,
  )
})

test.run()
