// What batch writes is what the calls write one by one: every INSERT, UPDATE and DELETE of test/compile/forms, with
// random inputs that meet each other's rows.

import { readFileSync } from 'node:fs'
import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import pg from 'pg'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { createDatabase, type Database } from '../../lib/database/database.ts'
import type { Executor } from '../../lib/query/executor.ts'
import { type AnyFunction, generated } from '../support/generated.ts'
import { freshDatabase, type TestDatabase } from '../support/server.ts'

const read = (name: string): string => readFileSync(`test/compile/forms/${name}.sql`, 'utf8')
const small = fc.integer({ min: 1, max: 4 })
/** Mostly new, where a key must not be there yet. */
const number = fc.oneof(small, fc.integer({ min: 5, max: 999 }), fc.integer({ min: 5, max: 999 }))
const word = fc.oneof(fc.constantFrom('a', 'b', 'A', "it's", ' ', '{"}'), number.map(String), number.map(String))
const uuid = number.map((digits) => `${String(digits).padStart(8, '0')}-0000-4000-8000-00000000000a`)

const values: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  authorId: small,
  postId: small,
  id: number,
  weight: small,
  slug: number.map((digits) => [...String(digits)].map((digit) => 'abcdefghij'.charAt(Number(digit))).join('')),
  title: word,
  tag: word,
  newTag: word,
  a: word,
  b: word,
  name: word,
  suffix: word,
  tags: fc.array(word, { maxLength: 2 }),
  location: fc.record({ city: fc.option(word), street: word }),
  meta: fc.constantFrom({ a: 1 }, [], null, 'x'),
  score: small,
  key: fc.oneof(
    uuid,
    uuid.map((text) => text.toUpperCase()),
  ),
  email: fc.oneof(
    fc.constantFrom('a@x', 'A@x'),
    number.map((digits) => `${digits}@x`),
  ),
  code: fc.constantFrom('x', 'X', 'y', 'y '),
  before: fc.constantFrom(new Date('2020-01-01'), new Date('2030-01-01')),
}

let database: TestDatabase
let db: Database

test.before(async () => {
  database = await freshDatabase(read('schema'))
  db = createDatabase({ url: database.url })
  const client = new pg.Client({ connectionString: database.url })
  await client.connect()
  await client.query(`
    insert into authors (key, email, nick, code, mood)
    select ('0000000' || n || '-0000-4000-8000-00000000000a')::uuid, chr(96 + n) || '@x', 'n' || n, null, 'ok'
    from generate_series(1, 4) n;
    insert into posts (author_id, slug, title) select n, chr(96 + n), 'a' from generate_series(1, 4) n;
    insert into tagged select n, t, n from generate_series(1, 3) n, unnest(array['a', 'b', 'it''s']) t`)
  await client.end()
})

test.after(async () => {
  await db.close()
  await database.drop()
})

const dump = `
-- name: everything :many
select 'author' as kind, to_jsonb(a) - 'id' as row from authors a
union all select 'post', to_jsonb(p) - 'id' - 'created_at' from posts p
union all select 'tagged', to_jsonb(t) from tagged t
union all select 'audited', to_jsonb(u) from audited u
order by 1, 2;
`

for (const file of ['insert', 'change']) {
  test(`batch writes what the calls write: ${file}.sql`, async () => {
    const { functions } = await generated(database.url, read(file) + dump)
    const { everything, ...writes } = functions
    const before = await everything!(db, undefined as never)
    for (const [name, call] of Object.entries(writes)) {
      let changed = 0
      const fields = Object.fromEntries(
        (call.query.params ?? []).map((param) => [param, values[param] ?? fc.constant(param)]),
      )
      const property = fc.asyncProperty(fc.array(fc.record(fields), { minLength: 1, maxLength: 5 }), async (inputs) => {
        const one = await trial(everything!, async (uow) => {
          const results: unknown[] = []
          for (const input of inputs) results.push(await call(uow, input))
          return call.query.kind === 'exec' ? results.reduce((sum: number, count) => sum + Number(count), 0) : results
        })
        const many = await trial(everything!, (uow) => call.batch(uow, inputs))
        assert.equal(many, one, `${name}: ${call.query.batch?.sql}`)
        if (one.everything && !isDeepStrictEqual(one.everything, before)) changed++
      })
      await fc.assert(property, { numRuns: 25, seed: 11 })
      assert.ok(changed > 0, `${name} never changed anything`)
    }
  })
}

interface Outcome {
  readonly result?: unknown
  readonly everything?: unknown
  readonly error?: string
}

const rollback = new Error('rolled back')

/** What came of it and everything that was there afterwards, or the SQLSTATE. Nothing stays. */
async function trial(everything: AnyFunction, work: (uow: Executor) => Promise<unknown>): Promise<Outcome> {
  let seen: Outcome = {}
  await db
    .unitOfWork(async (uow) => {
      const result = await work(uow)
      seen = { result: comparable(result), everything: await everything(uow, undefined as never) }
      throw rollback
    })
    .catch((error: Error & { sqlState?: string }) => {
      if (error !== rollback) seen = { error: error.sqlState ?? error.message }
    })
  return seen
}

/** Sequences go on after a rollback, and clocks do not stand still. */
function comparable(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(comparable)
  if (value === null || typeof value !== 'object') return value
  const entries = Object.entries(value).filter(([key]) => key !== 'id' && key !== 'createdAt')
  return Object.fromEntries(entries)
}

test.run()
