// The kinds of typed functions on an executor that answers prepared rows and records what it is asked.
// wire only: no call of it goes over a connection

import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { NoRowsError, TooManyRowsError } from '../../lib/errors.ts'
import type { Executor, Query, QuerySource } from '../../lib/query/executor.ts'
import { exec, many, one, opt, value, values } from '../../lib/query/kinds.ts'

interface User {
  readonly id: number
}

const source: QuerySource<{ readonly id: number }, User> = {
  name: 'getUser',
  source: 'sql/users.sql:3',
  statement: 'getUser_1',
  sql: 'select id from users where id = $1',
  params: ['id'],
  write: (w, p) => w.int4(p.id),
  read: (r) => ({ id: r.int4(0) }),
}
const count: QuerySource<void, number> = {
  name: 'countUsers',
  source: 'sql/users.sql:6',
  statement: 'countUsers_1',
  sql: 'select count(*) from users',
  read: (r) => r.int8(0),
}
const remove: QuerySource<{ readonly id: number }, never> = {
  name: 'deleteUser',
  source: 'sql/users.sql:9',
  statement: 'deleteUser_1',
  sql: 'delete from users where id = $1',
}

/** An executor that answers `rows`, and the calls that it got. */
function answering(rows: readonly unknown[], affected = rows.length): [Executor, [string, string, unknown][]] {
  const calls: [string, string, unknown][] = []
  const executor: Executor = {
    async execute<Params, Row, Result>(query: Query<Params, Row, Result>, params: Params): Promise<Result> {
      calls.push([query.name, query.kind, params])
      return query.finish([...rows] as Row[], affected)
    },
  }
  return [executor, calls]
}

const ada = { id: 1 }
const grace = { id: 2 }

test('one: the row', async () => {
  const [executor, calls] = answering([ada])
  assert.equal(await one(source)(executor, { id: 1 }), ada)
  assert.equal(calls, [['getUser', 'one', { id: 1 }]])
})

test('opt: the row or null', async () => {
  assert.equal(await opt(source)(answering([ada])[0], { id: 1 }), ada)
  assert.is(await opt(source)(answering([])[0], { id: 1 }), null)
})

test('many: the rows in order', async () => {
  assert.equal(await many(source)(answering([grace, ada])[0], { id: 1 }), [grace, ada])
  assert.equal(await many(source)(answering([])[0], { id: 1 }), [])
})

test('value and values: the only column; a NULL in it is a row', async () => {
  assert.is(await value(count)(answering([7])[0]), 7)
  assert.is(await value(count)(answering([null])[0]), null)
  assert.equal(await values(count)(answering([7, 8])[0]), [7, 8])
})

test('exec: the number of affected rows, whatever came back', async () => {
  const [executor, calls] = answering([], 3)
  assert.is(await exec(remove)(executor, { id: 1 }), 3)
  assert.equal(calls, [['deleteUser', 'exec', { id: 1 }]])
})

test('no row, where one was promised', async () => {
  for (const run of [one(source), value(source)]) {
    const error = await rejection(run(answering([])[0], { id: 1 }))
    assert.instance(error, NoRowsError)
    assert.is(error.message, 'expected one row, got none in getUser (sql/users.sql:3)')
  }
})

test('several rows, where one was promised', async () => {
  for (const run of [one(source), opt(source), value(source)]) {
    const error = await rejection(run(answering([ada, grace])[0], { id: 1 }))
    assert.instance(error, TooManyRowsError)
    assert.is(error.message, 'expected one row, got 2 in getUser (sql/users.sql:3)')
    assert.is((error as TooManyRowsError).rows, 2)
  }
})

test('an executor’s failure passes through', async () => {
  const failure = new Error('no such table')
  const executor: Executor = { execute: () => Promise.reject(failure) }
  assert.is(await rejection(many(source)(executor, { id: 1 })), failure)
})

test('a typed function carries its query', () => {
  const { query } = many(source)
  assert.is(query.kind, 'many')
  assert.is(query.sql, source.sql)
  assert.is(query.read, source.read)
})

function rejection(promise: Promise<unknown>): Promise<Error> {
  return promise.then(
    () => assert.unreachable('nothing was thrown') as never,
    (error: Error) => error,
  )
}

test('what is not an executor is named, with the query', async () => {
  const listItems = many({ name: 'listItems', source: 'sql/items.sql:1', statement: 'x', sql: '' })
  for (const executor of [undefined, null, {}, () => 1]) {
    const error = await listItems(executor as never, undefined).catch((reason: Error) => reason)
    assert.instance(error, TypeError)
    assert.is(
      (error as TypeError).message,
      'listItems (sql/items.sql:1) needs a database or a unit of work as its first argument',
    )
  }
})

test.run()
