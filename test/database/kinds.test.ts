// What each kind of typed function promises, against a real server.

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { NoRowsError, TooManyRowsError } from '../../lib/errors.ts'
import { exec, one, opt, value, values } from '../../lib/query/kinds.ts'
import type { ParamWriter } from '../../lib/query/params.ts'
import type { RowReader } from '../../lib/query/row.ts'
import { openDatabase } from './support.ts'

const test = suite('kinds')
const { db, done } = await openDatabase('create table t (n int primary key); insert into t values (1), (2), (3)')
test.after(done)

const source = {
  name: 'upTo',
  source: 'sql/t.sql:1',
  statement: 'upTo',
  sql: 'select n from t where n <= $1 order by n',
  params: ['n'],
  write: (w: ParamWriter, p: { n: number }) => w.int4(p.n),
}
const row = { ...source, read: (r: RowReader) => ({ n: r.int4(0) }) }
const scalar = { ...source, read: (r: RowReader) => r.int4(0) }

test(':one answers the row, and refuses none and several', async () => {
  assert.equal(await one(row)(db, { n: 1 }), { n: 1 })
  await assertFails(one(row)(db, { n: 0 }), NoRowsError, 'expected one row, got none in upTo (sql/t.sql:1)')
  await assertFails(one(row)(db, { n: 3 }), TooManyRowsError, 'expected one row, got 3 in upTo (sql/t.sql:1)')
})

test(':opt answers the row or null, and refuses several', async () => {
  assert.equal(await opt(row)(db, { n: 1 }), { n: 1 })
  assert.is(await opt(row)(db, { n: 0 }), null)
  await assertFails(opt(row)(db, { n: 2 }), TooManyRowsError, 'expected one row, got 2 in upTo (sql/t.sql:1)')
})

test(':value and :values answer the column itself', async () => {
  assert.is(await value(scalar)(db, { n: 1 }), 1)
  await assertFails(value(scalar)(db, { n: 0 }), NoRowsError, 'expected one row, got none in upTo (sql/t.sql:1)')
  assert.equal(await values(scalar)(db, { n: 3 }), [1, 2, 3])
  assert.equal(await values(scalar)(db, { n: 0 }), [])
})

const commands: readonly [sql: string, affected: number][] = [
  ['insert into t select generate_series(11, 15)', 5],
  ['update t set n = n + 100 where n > 10', 5],
  ['delete from t where n > 100', 5],
  ['delete from t where false', 0],
  ['insert into t values (20) returning n', 1],
  ['delete from t where n = 20', 1],
  ['create temporary table u ()', 0],
  ['select n from t', 3],
  ['', 0],
]

for (const [sql, affected] of commands) {
  test(`:exec answers the number of rows affected: ${sql || '(empty)'} ⇒ ${affected}`, async () => {
    const run = exec<void>({ name: 'run', source: 'sql/t.sql:9', statement: `run ${sql}`, sql })
    assert.is(await run(db), affected)
  })
}

async function assertFails(promise: Promise<unknown>, type: new (...args: never) => Error, message: string) {
  const error = await promise.then(
    () => null,
    (reason: unknown) => reason,
  )
  assert.instance(error, type)
  assert.is((error as Error).message, message)
}

test.run()
