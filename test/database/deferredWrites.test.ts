// Deferred writes: when they are sent, in which order, in how many round trips, and who hears of their errors.

import { setTimeout as sleep } from 'node:timers/promises'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import {
  CommitAbortedError,
  NoRowsError,
  ParameterError,
  StatementSkippedError,
  UniqueViolationError,
  UnitOfWorkClosedError,
} from '../../lib/errors.ts'
import type { UnitOfWork } from '../../lib/index.ts'
import type { QuerySource } from '../../lib/query/executor.ts'
import { exec, one } from '../../lib/query/kinds.ts'
import {
  addChild,
  addNote,
  createNote,
  type Note,
  noteIds,
  openTestBed,
  rejection,
  type TestBed,
} from '../support/units.ts'

let bed: TestBed

test.before(async () => {
  bed = await openTestBed()
})
test.before.each(async () => {
  await bed.observer.query('truncate notes, children')
  bed.sent()
})
test.after.each(() => bed.assertClean())
test.after(() => bed.close())

const unnested: Pick<QuerySource<Note, Note>, 'params' | 'write'> & { volatile: true } = {
  params: ['id', 'text'],
  volatile: true,
  write: (w, p) => {
    w.int4(p.id)
    w.text(p.text)
  },
}

const bulkNote = one<Note, Note>({
  ...createNote.query,
  ...unnested,
  name: 'bulkNote',
  batch: {
    statement: 'bulkNote_batch',
    sql: 'insert into notes (id, text) select id::int, text from unnest($1::text[], $2::text[]) t(id, text) returning id, text',
  },
})

const bulkAdd = exec<Note>({
  ...addNote.query,
  ...unnested,
  name: 'bulkAdd',
  batch: {
    statement: 'bulkAdd_batch',
    sql: 'insert into notes (id, text) select id::int, text from unnest($1::text[], $2::text[]) t(id, text)',
  },
})

const notes = (count: number): Note[] => Array.from({ length: count }, (_, index) => ({ id: index + 1, text: 'x' }))

test('1,000 adds of a function with a batch form are one round trip, each with its result', async () => {
  await bed.db.unitOfWork(async (uow) => {
    const added = notes(1_000).map((note) => uow.add(bulkNote, note))
    assert.equal(bed.sent(), [])
    await uow.flush()
    assert.equal(await added[499]?.result, { id: 500, text: 'x' })
  })
  assert.equal(bed.sent(), ['BEGIN + bulkNote', 'COMMIT'])
  assert.is((await noteIds(bed.db)).length, 1_000)
})

test('without a batch form they are pipelined', async () => {
  const affected = await bed.db.unitOfWork(async (uow) => {
    const added = notes(3).map((note) => uow.add(addNote, note))
    await uow.flush()
    return Promise.all(added.map(({ result }) => result))
  })
  assert.equal(affected, [1, 1, 1])
  assert.equal(bed.sent(), ['BEGIN + addNote', 'addNote', 'addNote', 'COMMIT'])
})

test('an :exec function with a batch form answers the number of all affected rows', async () => {
  const results = await bed.db.unitOfWork(async (uow) => {
    const added = notes(3).map((note) => uow.add(bulkAdd, note))
    await uow.flush()
    return Promise.all(added.map(({ result }) => result))
  })
  assert.equal(results, [3, 3, 3])
})

test('functions go in the order in which they were first added: parents before children', async () => {
  await bed.db.unitOfWork(async (uow) => {
    uow.add(bulkNote, { id: 1, text: 'x' })
    uow.add(addChild, { id: 1, note: 1 })
    uow.add(bulkNote, { id: 2, text: 'x' })
    uow.add(addChild, { id: 2, note: 2 })
  })
  assert.equal(bed.sent(), ['BEGIN + bulkNote', 'addChild', 'addChild', 'COMMIT'])
})

test('a result may be looked at when the unit is over', async () => {
  const added = await bed.db.unitOfWork(async (uow) => notes(2).map((note) => uow.add(bulkNote, note)))
  assert.equal(await added[1]?.result, { id: 2, text: 'x' })
  assert.equal(bed.sent(), ['BEGIN + bulkNote', 'COMMIT'])
})

test('the unit rejects with the error of the write, not with that of the statement that was skipped for it', async () => {
  await bed.db.unitOfWork((uow) => addNote(uow, { id: 1, text: 'x' }))
  const unit = bed.db.unitOfWork(async (uow) => {
    uow.add(addNote, { id: 1, text: 'x' })
    return noteIds(uow)
  })
  assert.instance(await rejection(unit), UniqueViolationError)
  const inSavepoint = bed.db.unitOfWork(async (uow) => {
    const failed = await rejection(
      uow.savepoint(async (sp) => {
        sp.add(addNote, { id: 1, text: 'x' })
        return noteIds(sp)
      }),
    )
    assert.instance(failed, UniqueViolationError)
    return noteIds(uow)
  })
  assert.equal(await inSavepoint, [1])
})

test('to wait for a result is enough to get it', async () => {
  const created = await bed.db.unitOfWork(async (uow) => {
    const first = uow.add(bulkNote, { id: 1, text: 'x' })
    const second = uow.add(bulkNote, { id: 2, text: 'x' })
    return Promise.all([first.result, second.result])
  })
  assert.equal(
    created.map(({ id }) => id),
    [1, 2],
  )
  assert.equal(bed.sent(), ['BEGIN + bulkNote', 'COMMIT'])
})

test('a result that is asked for in a savepoint whose await was forgotten rejects, and the unit ends', async () => {
  const results: unknown[] = []
  const note = (reason: unknown): void => void results.push(reason)
  await bed.db.unitOfWork(async (uow) => {
    await addNote(uow, { id: 1, text: 'x' })
    const savepoint = async (inner: UnitOfWork): Promise<void> => {
      const added = inner.add(addNote, { id: 2, text: 'x' })
      await sleep(30)
      await added.result.catch(note)
    }
    uow.savepoint(savepoint).catch(note)
    await sleep(10)
  })
  assert.instance(results[0], UnitOfWorkClosedError)
  assert.instance(results[1], CommitAbortedError)
  assert.equal(await noteIds(bed.db), [1])
})

test('inside a savepoint, its own add is the one to use', async () => {
  await bed.db.unitOfWork(async (uow) => {
    await uow.savepoint(async (sp) => {
      assert.throws(
        () => uow.add(addNote, { id: 1, text: 'x' }),
        /the unit of work was used in addNote .* inside its savepoint/,
      )
      assert.is(await sp.add(addNote, { id: 1, text: 'x' }).result, 1)
    })
  })
})

test('they are sent before any statement through the unit, so that it sees them', async () => {
  await bed.db.unitOfWork(async (uow) => {
    uow.add(addNote, { id: 1, text: 'x' })
    const [ids] = await Promise.all([noteIds(uow), addNote(uow, { id: 2, text: 'x' })])
    assert.equal(ids, [1])
    uow.add(addNote, { id: 3, text: 'x' })
    assert.equal(await uow.savepoint((sp) => noteIds(sp)), [1, 2, 3])
  })
})

test('those of a savepoint are sent at its end and rolled back with it', async () => {
  await bed.db.unitOfWork(async (uow) => {
    await uow.savepoint(async (sp) => {
      sp.add(addNote, { id: 1, text: 'x' })
    })
    const error = await rejection(
      uow.savepoint(async (sp) => {
        sp.add(addNote, { id: 1, text: 'again' })
      }),
    )
    assert.instance(error, UniqueViolationError)
    await rejection(
      uow.savepoint(async (sp) => {
        sp.add(addNote, { id: 2, text: 'x' })
        throw new Error('mine')
      }),
    )
  })
  assert.equal(await noteIds(bed.db), [1])
})

test('the error of one fails the flush, its own result, and the unit', async () => {
  await bed.observer.query("insert into notes values (2, 'there')")
  let results: PromiseSettledResult<unknown>[] = []
  const thrown = await rejection(
    bed.db.unitOfWork(async (uow) => {
      const added = notes(3).map((note) => uow.add(addNote, note))
      const flushed = await rejection(uow.flush())
      results = await Promise.allSettled(added.map(({ result }) => result))
      throw flushed
    }),
  )
  assert.instance(thrown, UniqueViolationError)
  assert.is(results[0]?.status, 'fulfilled')
  assert.is((results[1] as PromiseRejectedResult).reason, thrown)
  assert.instance((results[2] as PromiseRejectedResult).reason, StatementSkippedError)
  assert.equal(await noteIds(bed.db), [2])
})

test('nobody has to look at a result: the unit throws the error itself', async () => {
  const twice = bed.db.unitOfWork(async (uow) => {
    uow.add(bulkNote, { id: 1, text: 'x' })
    uow.add(bulkNote, { id: 1, text: 'x' })
  })
  assert.instance(await rejection(twice), UniqueViolationError)
  assert.equal(await noteIds(bed.db), [])
})

test('a write that is refused on our side cannot be committed around either', async () => {
  const refused = bed.db.unitOfWork(async (uow) => {
    await addNote(uow, { id: 1, text: 'x' })
    uow.add(addNote, { id: 1.5, text: 'x' })
    const error = await rejection(noteIds(uow))
    assert.instance(error, StatementSkippedError)
    throw error.cause
  })
  assert.instance(await rejection(refused), ParameterError)
  const nowhere = one<Note, Note>({
    ...createNote.query,
    name: 'nowhere',
    statement: 'nowhere',
    sql: 'insert into notes select $1::int, $2::text where false returning id, text',
  })
  const unkept = bed.db.unitOfWork(async (uow) => void uow.add(nowhere, { id: 2, text: 'x' }))
  assert.instance(await rejection(unkept), NoRowsError)
  assert.equal(await noteIds(bed.db), [])
})

test('if the unit fails before the flush, nothing is sent and the results reject with the reason', async () => {
  const mine = new Error('mine')
  let result: Promise<unknown> = Promise.resolve()
  await rejection(
    bed.db.unitOfWork(async (uow) => {
      ;({ result } = uow.add(addNote, { id: 1, text: 'x' }))
      throw mine
    }),
  )
  assert.is(await rejection(result), mine)
  assert.equal(bed.sent(), [])
})

test.run()
