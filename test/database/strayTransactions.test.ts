// Transactions that begin or end where they should not, by statements of the user's own: no statement of anybody else may
// run in them, and nobody may be told that something was committed.

import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Database } from '../../lib/database/database.ts'
import { CommitAbortedError, PlainsqlError, StatementSkippedError } from '../../lib/errors.ts'
import { backendPid, command, failure, openDatabase, rows } from './support.ts'

const begin = command('begin')
const rollback = command('rollback')
const insert = command('insert into kept values (1)')
const kept = rows('select * from kept', () => 1)

for (const [way, lanes] of [
  ['on lanes', true],
  ['on connections of their own', false],
] as const) {
  test(`BEGIN outside of a unit of work is an error, ${way}, and what follows is committed`, async () => {
    const { db, done } = await openDatabase('create table kept (id int)', { pool: { max: 1, lanes } })
    const before = await backendPid(db)
    const error = (await failure(begin(db))) as Error
    assert.instance(error, PlainsqlError)
    assert.match(error.message, /^BEGIN outside of db\.unitOfWork in .*: it was rolled back$/)
    await insert(db)
    assert.is.not(await backendPid(db), before)
    assert.equal(await kept(db), [1])
    assert.is(db.stats()?.total, 1)
    await done()
  })
}

test('what waits behind several BEGINs is not lost with their connections', async () => {
  const { db, done } = await openDatabase('create table kept (id int)', { pool: { max: 1 } })
  const begins = [1, 2, 3].map(() => failure(begin(db)))
  await insert(db)
  for (const error of await Promise.all(begins)) assert.match((error as Error).message, /^BEGIN outside of/)
  assert.equal(await kept(db), [1])
  await done()
})

const ending: readonly (readonly [what: string, work: (db: Database) => Promise<unknown>])[] = [
  ['in order', (db) => db.unitOfWork(async (uow) => [await insert(uow), await rollback(uow), await insert(uow)])],
  ['at the end', (db) => db.unitOfWork(async (uow) => [await insert(uow), await rollback(uow)])],
  ['pipelined', (db) => db.unitOfWork((uow) => Promise.all([insert(uow), rollback(uow)]))],
]

for (const [what, work] of ending) {
  test(`ROLLBACK as a statement of a unit of work is an error: ${what}`, async () => {
    const { db, done } = await openDatabase('create table kept (id int)', { pool: { max: 1 } })
    const before = await backendPid(db)
    const error = (await failure(work(db))) as Error
    assert.match(error.message, /^the transaction ended before its unit of work, by a COMMIT, ROLLBACK or PREPARE /)
    assert.equal(await kept(db), [])
    assert.is(await backendPid(db), before)
    await done()
  })
}

test('a unit of work that goes on after it has lost its transaction is not committed', async () => {
  const { db, done } = await openDatabase('create table kept (id int)')
  const errors: unknown[] = []
  const error = await failure(
    db.unitOfWork(async (uow) => {
      await insert(uow)
      errors.push(await failure(rollback(uow)), await failure(insert(uow)))
    }),
  )
  assert.instance(error, CommitAbortedError)
  assert.is((error as Error).cause, errors[0])
  assert.instance(errors[1], StatementSkippedError)
  assert.equal(await kept(db), [])
  await done()
})

test.run()
