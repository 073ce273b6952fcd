// What batch answers and writes is what the calls answer and write one by one: every statement of test/compile/forms,
// with random inputs that meet each other's rows, and values that are equal but look different.
// wire only: it is about what the statements mean; how their arrays travel, batchBlog.test.ts and batchCorpora.test.ts try both ways

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
  score: fc.constantFrom(1, '1.0', '1.00', 2),
  mood: fc.constantFrom('ok', 'sad'),
  nick: fc.constantFrom('n1', 'N1', 'n2'),
  since: fc.constantFrom(new Date('2020-01-01'), new Date('2100-01-01')),
  who: small,
  limit: fc.integer({ min: 0, max: 3 }),
  afterId: small,
  key: fc.oneof(
    uuid,
    uuid.map((text) => text.toUpperCase()),
  ),
  email: fc.oneof(
    fc.constantFrom('a@x', 'A@x'),
    number.map((digits) => `${digits}@x`),
  ),
  code: fc.constantFrom('x', 'X', 'y', 'y '),
  book: small,
  kind: fc.constantFrom(1, 2),
  counterId: fc.constantFrom(1, 1n, 2, 2n),
  orderId: small,
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
    select ('0000000' || n || '-0000-4000-8000-00000000000a')::uuid, chr(96 + n) || '@x', 'n' || n, case n when 1 then 'x' end, 'ok'
    from generate_series(1, 4) n;
    insert into posts (author_id, slug, title, score) select n, chr(96 + n), 'a', 1 from generate_series(1, 4) n;
    insert into posts (author_id, slug, title, score) select n, chr(100 + n), 'b', 2 from generate_series(1, 2) n;
    insert into tagged select n, t, n from generate_series(1, 3) n, unnest(array['a', 'b', 'it''s']) t;
    insert into parts select n, n % 2 + 1, n % 3, 10 - n, 'v' || n from generate_series(1, 9) n;
    insert into volumes select n % 3, n % 4, 'v' || n from generate_series(1, 9) n;
    insert into "order" select n, 'x', 'b' from generate_series(1, 4) n;
    insert into counters select n, 'a' from generate_series(1, 2) n;
    insert into shouted select n, 'a' from generate_series(1, 2) n;
    insert into steady select n, 'a' from generate_series(1, 2) n;
    insert into drawn (id) select n from generate_series(1, 2) n;
    insert into scored values (1, 0), (2, 0);
    insert into generated_key select n, chr(64 + n) from generate_series(1, 2) n`)
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
union all select 'order', to_jsonb(o) from "order" o
union all select 'listed', to_jsonb(l) from listed l
union all select 'root', to_jsonb(r) - 'id' - 'root' from roots r
union all select 'counter', to_jsonb(c) from counters c
union all select 'shouted', to_jsonb(s) from shouted s
union all select 'steady', to_jsonb(s) from steady s
union all select 'ruled', to_jsonb(x) from ruled x
union all select 'counted_by_trigger', to_jsonb(x) from counted_by_trigger x
union all select 'free', to_jsonb(x) from free x
union all select 'anagrams', to_jsonb(x) from anagrams x
union all select 'loose_index', to_jsonb(x) from loose_index x
union all select 'generated_key', to_jsonb(x) from generated_key x
union all select 'amounts', to_jsonb(x) from amounts x
union all select 'scored', to_jsonb(x) from scored x
union all select 'drawn', to_jsonb(d) || jsonb_build_object('id', rank() over (order by id), 'place', rank() over (order by place)) from drawn d
union all select 'own_numbers', to_jsonb(o) - 'id' from own_numbers o
order by 1, 2;
`

for (const file of ['in-list', 'join', 'lateral', 'insert', 'change', 'names', 'traps']) {
  test(`batch does what the calls do: ${file}.sql`, async () => {
    const { functions } = await generated(database.url, read(file) + dump)
    const { everything, ...calls } = functions
    const isWrite = ['insert', 'change', 'traps'].includes(file)
    // Its queries say an order, of which there is but one.
    const shown = file === 'names' ? (result: unknown) => result : (result: unknown) => comparable(result, isWrite)
    const before = await everything!(db, undefined as never)
    for (const [name, call] of Object.entries(calls)) {
      let changed = 0
      let answered = 0
      const fields = Object.fromEntries(
        (call.query.params ?? []).map((param) => [
          param,
          (param === 'score' && isWrite ? small : values[param]) ?? fc.constant(param),
        ]),
      )
      const property = fc.asyncProperty(fc.array(fc.record(fields), { minLength: 1, maxLength: 5 }), async (inputs) => {
        const one = await trial(everything!, shown, async (uow) => {
          const results: unknown[] = []
          for (const input of inputs) results.push(await call(uow, input))
          return call.query.kind === 'exec' ? results.reduce((sum: number, count) => sum + Number(count), 0) : results
        })
        const many = await trial(everything!, shown, (uow) => call.batch(uow, inputs))
        assert.equal(many, one, `${name}: ${call.query.batch?.sql}`)
        if (one.everything && !isDeepStrictEqual(one.everything, before)) changed++
        if (/\w/.test(JSON.stringify(one.result ?? '').replaceAll('null', ''))) answered++
      })
      await fc.assert(property, { numRuns: isWrite ? 30 : 12, seed: 11 })
      assert.ok((isWrite ? changed : answered) > 0, `${name} never met a row`)
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
async function trial(
  everything: AnyFunction,
  shown: (result: unknown) => unknown,
  work: (uow: Executor) => Promise<unknown>,
): Promise<Outcome> {
  let seen: Outcome = {}
  await db
    .unitOfWork(async (uow) => {
      const result = await work(uow)
      seen = { result: shown(result), everything: await everything(uow, undefined as never) }
      throw rollback
    })
    .catch((error: Error & { sqlState?: string }) => {
      if (error !== rollback) seen = { error: error.sqlState ?? error.message }
    })
  return seen
}

/** Rows in a fixed order: not all statements say one. Sequences go on after a rollback, and clocks do not stand still. */
function comparable(value: unknown, isWrite: boolean, depth = 0): unknown {
  if (Array.isArray(value)) {
    const items = value.map((item) => comparable(item, isWrite, depth + 1))
    return depth === 0 ? items : items.sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))
  }
  if (value === null || typeof value !== 'object' || !isWrite) return value
  const entries = Object.entries(value).filter(([key]) => key !== 'id' && key !== 'createdAt')
  return Object.fromEntries(entries)
}

test.run()
