// Which input an error is about: what PostgreSQL says ⇒ the input's place, or null where that would be a guess.
// That PostgreSQL says it like that is the subject of batchCulprits.test.ts.
// wire only: no call of it goes over a connection

import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { queryError } from '../../lib/database/failures.ts'
import { locateInput } from '../../lib/query/batchErrors.ts'

const long = 'x'.repeat(70)
const inputs = [
  [1, 'a@x.org', 'x'],
  [2, 'b@x.org', null],
  ['2', 'c@x.org', 'a, b'],
  ['3', 'it)s', 'abc'],
  [4, 'd@x.org  ', `${long}1`],
  [4, 'e@x.org', `${long}2`],
  [5, 'ΑΣΑΣ'.repeat(9), '😀'.repeat(17)],
  [6, '0A0B0C0D-0000-4000-8000-00000000000A', 'b'],
  [7, 'null', 'null'],
].map((cells, index) => ({ index, cells }))

/** `id` says which row is meant, the others are written. */
const form = {
  sql: 'select unnest($1::int4[]) as p1, unnest($2::text[]) as p2, unnest($3::uuid[]) as p3, unnest($3::date[]) as p4',
  row: { table: 't', columns: { id: 0, email: 1, note: 2, 'No, "te"': 2 } },
  apart: [0],
}

interface Said {
  readonly code?: string
  readonly message?: string
  readonly detail?: string
  readonly table?: string
  readonly column?: string
}

const cases: readonly (readonly [said: Said, place: number | null])[] = [
  // A key that is there already.
  [{ detail: 'Key (email)=(b@x.org) already exists.' }, 1],
  [{ detail: 'Key (id, email)=(2, c@x.org) already exists.' }, 2],
  [{ detail: 'Key (email)=(it)s) already exists.' }, 3],
  [{ detail: 'Key (email)=(d@x.org) already exists.' }, 4],
  [{ detail: 'Key (email)=(0a0b0c0d-0000-4000-8000-00000000000a) already exists.' }, 7],
  [{ detail: 'Key (note, other)=(x, 5) already exists.' }, 0],
  [{ detail: 'Key (email)=(b@x.org) conflicts with existing key (email)=(a@x.org).' }, 1],
  [{ detail: 'Key (id)=(2) already exists.' }, null],
  [{ detail: 'Key (id)=(9) already exists.' }, null],
  [{ detail: 'Key (note)=(b@x.org) already exists.' }, null],
  [{ detail: 'Key (other)=(x) already exists.' }, null],
  [{ detail: 'Key (id, note)=(2, a, b) already exists.' }, null],
  [{ detail: 'Key (lower(email))=(b@x.org) already exists.' }, null],
  [{ detail: 'Key ("No, ""te""")=(x) already exists.' }, null],
  [{ detail: 'Key (email)=(b@x.org) already exists.', table: 'audit' }, null],
  // A reference that leads nowhere, and a row that something refers to.
  [{ code: '23503', detail: 'Key (id)=(1) is not present in table "users".' }, 0],
  [{ code: '23503', detail: 'Key (id)=(1) is still referenced from table "u".', table: 'u', message: change('t') }, 0],
  [{ code: '23503', detail: 'Key (id)=(1) is referenced from table "u".', table: 'u', message: change('t') }, 0],
  [
    { code: '23503', detail: 'Key (id)=(1) is still referenced from table "u".', table: 'u', message: change('s') },
    null,
  ],
  [
    { code: '23503', detail: 'Key (note)=(x) is still referenced from table "u".', table: 'u', message: change('t') },
    null,
  ],
  // A row.
  [row('(0, 1, a@x.org, x)'), 0],
  [row('(1, y) = (z, a@x.org, x)'), 0],
  [row('(id, email, note) = (1, a@x.org, x)'), 0],
  [row('(2, b@x.org, null)'), 1],
  [row('(2, c@x.org, a, b, f)'), 2],
  [row(`(${'x'.repeat(64)}..., 4, e@x.org)`), 5],
  [row(`(${'x'.repeat(64)}..., 4, d@x.org)`), 4],
  [row(`(5, ${'ΑΣΑΣ'.repeat(8)}..., ${'😀'.repeat(16)}...)`), 6],
  [row('(6, b, 0a0b0c0d-0000-4000-8000-00000000000a)'), 7],
  [row('(7, null, null)'), 8],
  [row('(1, A@x.org, x)'), null],
  [row('(1, a@x.org, xx)'), null],
  [row('(11, a@x.org, x)'), null],
  [row(`(${'x'.repeat(64)}..., 4, e@x.org, d@x.org)`), null],
  [{ ...row('(1, a@x.org, x)'), table: 'audit' }, null],
  [{ ...row('(2, b@x.org, null)'), code: '23502', column: 'note' }, 1],
  [{ ...row('(7, null, null)'), code: '23502', column: 'note' }, null],
  [{ ...row('(2, b@x.org, null)'), code: '23502', column: 'other' }, 1],
  // A text that is not of its type; of what type the others are, is not said.
  [{ code: '22P02', message: 'invalid input syntax for type uuid: "abc"' }, 3],
  [{ code: '22P02', message: 'invalid input value for enum uuid: "abc"' }, 3],
  [{ code: '22008', message: 'date/time field value out of range: "abc"' }, 3],
  [{ code: '22P02', message: 'invalid input syntax for type integer: "abc"' }, null],
  [{ code: '22P02', message: 'invalid input syntax for type uuid: "a@x.org"' }, null],
  // Nothing is quoted, or not of a row.
  [{ code: '22012', message: 'division by zero' }, null],
  [{ code: '42P01', message: 'relation "abc" does not exist: "abc"' }, null],
  [{ code: '23514', message: 'value for domain slug violates check constraint "slug_check"' }, null],
]

for (const [{ code = '23505', message = 'no', table = 't', ...said }, place] of cases) {
  const what = `${code} ${said.detail ?? message} of ${table}${said.column ? `.${said.column}` : ''}`
  test(`${what} ⇒ ${place === null ? 'unknown' : `input [${place}]`}`, () => {
    const error = queryError(null, Object.assign(new Error(message), { code, table, ...said }))
    assert.is(locateInput(error, form, inputs)?.index ?? null, place)
  })
}

test('without the row, of a file that was generated earlier, nothing of it is known', () => {
  const error = queryError(null, Object.assign(new Error('no'), { code: '23505', table: 't', ...cases[0]![0] }))
  assert.is(locateInput(error, { sql: form.sql }, inputs), null)
})

function change(of: string): string {
  return `update or delete on table "${of}" violates foreign key constraint "k" on table "u"`
}

function row(contents: string): Said {
  return { code: '23514', detail: `Failing row contains ${contents}.` }
}

test.run()
