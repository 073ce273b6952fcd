// Which input an error is about: what PostgreSQL says ⇒ the input's place, or null where that would be a guess.

import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { queryError } from '../../lib/errors.ts'
import { locateInput } from '../../lib/query/batchErrors.ts'

const inputs = [
  [1, 'a@x.org', 'x'],
  [2, 'b@x.org', null],
  ['2', 'c@x.org', 'a, b'],
  ['3', 'it)s', 'abc'],
].map((cells, index) => ({ index, cells }))

const table: readonly (readonly [code: string, message: string, detail: string | undefined, place: number | null])[] = [
  ['23505', 'duplicate key', 'Key (email)=(b@x.org) already exists.', 1],
  ['23503', 'violates foreign key', 'Key (author_id)=(1) is not present in table "users".', 0],
  ['23505', 'duplicate key', 'Key (id, email)=(2, c@x.org) already exists.', 2],
  ['23505', 'duplicate key', 'Key (email)=(it)s) already exists.', 3],
  ['23P01', 'conflicting key', 'Key (email)=(b@x.org) conflicts with existing key (email)=(a@x.org).', 1],
  ['22P02', 'invalid input syntax for type integer: "abc"', undefined, 3],
  // Two inputs hold it; none does; a comma in a value; a key of an expression; nothing is quoted.
  ['23505', 'duplicate key', 'Key (id)=(2) already exists.', null],
  ['23505', 'duplicate key', 'Key (id)=(9) already exists.', null],
  ['23505', 'duplicate key', 'Key (id, note)=(2, a, b) already exists.', null],
  ['23505', 'duplicate key', 'Key (lower(email))=(B@X.ORG) already exists.', null],
  ['22012', 'division by zero', undefined, null],
  ['42P01', 'relation "abc" does not exist: "abc"', undefined, null],
]

for (const [code, message, detail, place] of table) {
  test(`${code} ${detail ?? message} ⇒ ${place === null ? 'unknown' : `input [${place}]`}`, () => {
    const error = queryError(null, Object.assign(new Error(message), { code, detail }))
    assert.is(locateInput(error, inputs)?.index ?? null, place)
  })
}

test.run()
