// The N+1 detector: what it warns of, once, with the place and the remedy; and what it leaves alone.

import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { createDatabase, type Database } from '../../lib/database/database.ts'
import type { Executor } from '../../lib/query/executor.ts'
import { include, relation } from '../../lib/query/include.ts'
import { memoryDatabase } from '../../lib/testing/memoryDatabase.ts'
import { testDatabase } from '../../lib/testing/testDatabase.ts'
import { freshDatabase, type TestDatabase } from '../support/server.ts'
import { rows } from './support.ts'

let fresh: TestDatabase
const warnings: Error[] = []
const listen = (warning: Error): void => {
  if (warning.name === 'NPlusOneWarning') warnings.push(warning)
}

test.before(async () => {
  fresh = await freshDatabase()
  process.on('warning', listen)
})

test.after(async () => {
  process.off('warning', listen)
  await fresh.drop()
})

test.before.each(() => {
  warnings.length = 0
})

const ids = [1, 2, 3, 4]
const one = rows<{ id: number }, number>(
  'select $1::int4',
  (r) => r.int4(0),
  (w, p) => w.int4(p.id),
)

/** Warnings are emitted in a later tick. */
const settled = (): Promise<void> => new Promise((done) => setTimeout(done, 10))

test('many calls from one place in one tick are warned of once, with place and remedy', async () => {
  await using db = createDatabase({ url: fresh.url, detectNPlusOne: 3 })
  const load = (): Promise<unknown> => Promise.all(ids.map((id) => one(db, { id })))
  await load()
  await load()
  await settled()
  const place = /called at (test\/database\/nPlusOne\.test\.ts:\d+:\d+):/.exec(warnings[0]?.message ?? '')?.[1]
  const { name, source } = one.query
  assert.equal(
    warnings.map((warning) => warning.message),
    [
      `${name} (${source}) ran more than 3 times in one tick, called at ${place}: ` +
        `ask once for all, by ${name}.batch(db, inputs), include(db, rows, …) or on batching(db)`,
    ],
  )
})

test('calls one after another are warned of inside a unit of work, savepoints included', async () => {
  await using db = createDatabase({ url: fresh.url, detectNPlusOne: 3 })
  await db.unitOfWork(async (uow) => {
    await uow.savepoint(async (savepoint) => {
      for (const id of ids) await one(savepoint, { id })
    })
  })
  await settled()
  assert.match(warnings[0]?.message ?? '', 'more than 3 times in one unit of work')
  assert.is(warnings.length, 1)
})

/** What runs many calls in one period, by how it came to its executor. */
const ways: Readonly<Record<string, (db: Database, load: (on: Executor) => Promise<unknown>) => Promise<unknown>>> = {
  db: (db, load) => load(db),
  'db.with': (db, load) => load(db.with({ timeoutMs: 5000 })),
  'a unit of work': (db, load) => db.unitOfWork(load),
  'a unit of work of db.with': async (db, load) => db.with({ timeoutMs: 5000 }).unitOfWork?.(load),
  'uow.with': (db, load) => db.unitOfWork((uow) => load(uow.with({ timeoutMs: 5000 }))),
  'with in a savepoint': (db, load) =>
    db.unitOfWork((uow) => uow.savepoint((savepoint) => load(savepoint.with({ timeoutMs: 5000 })))),
}

const schema = 'create table t (id int);'
const databases: Readonly<Record<string, () => Promise<Database>>> = {
  createDatabase: async () => createDatabase({ url: fresh.url, detectNPlusOne: 3 }),
  testDatabase: () => testDatabase({ schema, detectNPlusOne: 3 }),
  memoryDatabase: () => memoryDatabase({ schema, detectNPlusOne: 3 }),
}

for (const [kind, open] of Object.entries(databases)) {
  for (const [way, run] of Object.entries(ways)) {
    test(`calls on ${way} are watched, on ${kind}`, async () => {
      await using db = await open()
      await run(db, (on) => Promise.all(ids.map((id) => one(on, { id }))))
      await settled()
      assert.is(warnings.length, 1)
      assert.match(warnings[0]?.message ?? '', /called at test\/database\/nPlusOne\.test\.ts:\d+:\d+:/)
    })
  }
}

const byInclude = (uow: Executor, id: number): Promise<unknown> =>
  include(uow, [{ id }], { one: relation(one, (row: { id: number }) => ({ id: row.id })) })

for (const [way, load] of Object.entries({
  batch: (uow: Executor, id: number) => one.batch(uow, [{ id }]),
  include: byInclude,
})) {
  test(`a loop over ${way}, of one row each time, is warned of`, async () => {
    await using db = createDatabase({ url: fresh.url, detectNPlusOne: 3 })
    await db.unitOfWork(async (uow) => {
      for (const id of ids) await load(uow, id)
    })
    await settled()
    assert.is(warnings.length, 1)
    assert.match(warnings[0]?.message ?? '', /called at test\/database\/nPlusOne\.test\.ts:\d+:\d+:/)
  })
}

test('the statements of a batch without a form are no loop', async () => {
  await using db = createDatabase({ url: fresh.url, detectNPlusOne: 3 })
  await db.unitOfWork(async (uow) => {
    const found = await one.batch(
      uow,
      ids.map((id) => ({ id })),
    )
    assert.equal(found, [[1], [2], [3], [4]])
  })
  await settled()
  assert.equal(warnings, [])
})

test('fewer calls, and calls of several places or ticks, are left alone', async () => {
  await using db = createDatabase({ url: fresh.url, detectNPlusOne: 3 })
  for (const id of ids) await one(db, { id }).then(settled)
  await Promise.all([one(db, { id: 1 }), one(db, { id: 2 }), one(db, { id: 3 }), one(db, { id: 4 })])
  await Promise.all(ids.slice(1).map((id) => one(db, { id })))
  await settled()
  assert.equal(warnings, [])
})

test('without the option nothing is watched', async () => {
  await using db = createDatabase({ url: fresh.url })
  await Promise.all([...ids, ...ids, ...ids].map((id) => one(db, { id })))
  await settled()
  assert.equal(warnings, [])
})

test.run()
