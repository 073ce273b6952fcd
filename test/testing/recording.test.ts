// recording: an executor that passes calls on and remembers them.
// wire only: of what goes over a connection, only that it was called counts here

import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { batching, type Database, type UnitOfWork } from '../../lib/index.ts'
import { memoryDatabase, recording, testDatabase } from '../../lib/testing/index.ts'
import { countUsers, createUser, getUser } from '../../sql/users.sql.ts'
import { addNote, createNote, noteIds, rejection } from '../support/units.ts'

const executor = { execute: async () => null as never }

test('remembers what was run, in call order', async () => {
  const db = recording(executor)
  await Promise.all([getUser(db, { id: 1 }), countUsers(db)])
  assert.equal(db.statements, [['getUser', { id: 1 }], ['countUsers']])
  assert.is(db.roundTrips, 2)
})

test('can be cleared', async () => {
  const db = recording(executor)
  await getUser(db, { id: 1 })
  db.clear()
  assert.is(db.roundTrips, 0)
})

test('sees what a batch runs in a unit of work of its own', async () => {
  const db = recording({ ...executor, unitOfWork: (work) => work(executor) })
  await db.unitOfWork?.((uow) => countUsers(uow))
  assert.equal(db.statements, [['countUsers']])
})

const note = (id: number): { id: number; text: string } => ({ id, text: 'x' })

for (const open of [memoryDatabase, testDatabase]) {
  test(`a service with savepoints, hooks and deferred writes runs on it, and is recorded; on ${open.name}`, async () => {
    // As a service declares it.
    async function service(db: Database): Promise<number[]> {
      return db.unitOfWork(
        async (uow: UnitOfWork) => {
          for (let id = 1; id <= 3; id++) uow.add(addNote, note(id))
          const created = uow.add(createNote, note(4))
          assert.is((await created.result).id, 4)
          await rejection(
            uow.savepoint(async (savepoint) => {
              await noteIds(savepoint)
              await savepoint.savepoint((inner) => addNote(inner, note(1)))
            }),
          )
          uow.afterCommit(() => hooks.push('committed'))
          uow.add(addNote, note(5))
          await uow.flush()
          return noteIds(uow.with({ timeoutMs: 60_000 }))
        },
        { isolation: 'serializable' },
      )
    }
    const hooks: string[] = []
    await using db = recording(await open({ schema: 'create table notes (id int primary key, text text not null)' }))
    assert.equal(await service(db), [1, 2, 3, 4, 5])
    assert.equal(hooks, ['committed'])
    assert.equal(db.statements, [
      ...[1, 2, 3].map((id) => ['addNote', note(id)]),
      ['createNote', note(4)],
      ['noteIds'],
      ['addNote', note(1)],
      ['addNote', note(5)],
      ['noteIds'],
    ])
    db.clear()
    assert.equal(await noteIds(db.with({ timeoutMs: 60_000 })), [1, 2, 3, 4, 5])
    assert.is(db.roundTrips, 1)
    assert.is(db.stats() === null, open === memoryDatabase)
  })
}

test('deferred writes of a function with a batch form are one statement; calls of a tick in a unit are one', async () => {
  await using db = recording(await testDatabase())
  await db.unitOfWork(async (uow) => {
    const users = ['a', 'b'].map((name) =>
      uow.add(createUser, { email: `${name}@example.org`, hashedPassword: 'x', fullName: name }),
    )
    const ids = (await Promise.all(users.map((user) => user.result))).map((user) => user.id)
    const scope = batching(uow)
    await Promise.all(ids.map((id) => getUser(scope, { id })))
  })
  assert.equal(
    db.statements.map(([name]) => name),
    ['createUser', 'getUser'],
  )
})

test('passes results and errors on, and counts what failed', async () => {
  const failing = recording({ execute: () => Promise.reject(new RangeError('no')) })
  const error = await getUser(failing, { id: 1 }).catch((reason: unknown) => reason)
  assert.instance(error, RangeError)
  assert.is(failing.roundTrips, 1)
})

test.run()
