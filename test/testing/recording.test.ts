// recording: an executor that passes calls on and remembers them.
// wire only: no call of it goes over a connection

import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { recording } from '../../lib/testing/index.ts'
import { countUsers, getUser } from '../../sql/users.sql.ts'

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

test('passes results and errors on, and counts what failed', async () => {
  const failing = recording({ execute: () => Promise.reject(new RangeError('no')) })
  const error = await getUser(failing, { id: 1 }).catch((reason: unknown) => reason)
  assert.instance(error, RangeError)
  assert.is(failing.roundTrips, 1)
})

test.run()
