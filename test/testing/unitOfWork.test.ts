// What holds for units of work that follow one another: the same stories on pg-mem and on PostgreSQL.

import { setTimeout as sleep } from 'node:timers/promises'
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { createDatabase, type Database } from '../../lib/database/database.ts'
import {
  CancelledError,
  CommitAbortedError,
  DatabaseInsideUnitError,
  ParameterError,
  QueryError,
  StatementSkippedError,
  TimeoutError,
  UniqueViolationError,
  UnitOfWorkClosedError,
} from '../../lib/errors.ts'
import type { UnitOfWork } from '../../lib/index.ts'
import type { Executor } from '../../lib/query/executor.ts'
import { memoryDatabase } from '../../lib/testing/memoryDatabase.ts'
import { freshDatabase, testServer } from '../support/server.ts'
import { addNote, createNote, noteIds, rejection } from '../support/units.ts'

const notes = 'create table notes (id int primary key, text text not null);'

interface Home {
  readonly db: Database
  readonly ambient: Database
  close(): Promise<void>
}

async function inMemory(): Promise<Home> {
  const db = await memoryDatabase({ schema: notes })
  const ambient = await memoryDatabase({ schema: notes, ambient: true })
  return { db, ambient, close: async () => {} }
}

async function onServer(): Promise<Home> {
  const [one, other] = await Promise.all([freshDatabase(notes), freshDatabase(notes)])
  const db = createDatabase({ url: one.url })
  const ambient = createDatabase({ url: other.url, ambient: true })
  const close = async (): Promise<void> => {
    await Promise.all([db.close(), ambient.close()])
    await Promise.all([one.drop(), other.drop()])
    await (await testServer()).stop()
  }
  return { db, ambient, close }
}

let next = 0
/** A row of its own for every call. */
const add = async (on: Executor): Promise<number> => {
  const id = ++next
  await addNote(on, { id, text: 'x' })
  return id
}
const fail = (on: Executor): Promise<number> => addNote(on, { id: 0, text: 'there is one already' })
const note = (): { id: number; text: string } => ({ id: ++next, text: 'x' })

for (const [name, open] of [
  ['pg-mem', inMemory],
  ['PostgreSQL', onServer],
] as const) {
  const test = suite(name)
  let home: Home
  let db: Database

  /** The rows that are there now and were not before. */
  async function kept(run: () => Promise<unknown>): Promise<number[]> {
    const before = next
    await run()
    return (await noteIds(db)).filter((id) => id > before)
  }

  test.before(async () => {
    home = await open()
    db = home.db
    for (const each of [db, home.ambient]) await addNote(each, { id: 0, text: 'x' })
  })
  test.after(() => home.close())

  test('a unit commits, and answers what its function does', async () => {
    const ids = await kept(async () => {
      assert.is(
        await db.unitOfWork(async (uow) => {
          await add(uow)
          return (await noteIds(uow)).includes(next)
        }),
        true,
      )
    })
    assert.equal(ids, [next])
    assert.is(await db.unitOfWork(async () => 'nothing run'), 'nothing run')
  })

  test('a unit rolls back for any error, and throws it', async () => {
    const mine = new Error('mine')
    const ids = await kept(async () => {
      const thrown = db.unitOfWork(async (uow) => {
        await add(uow)
        throw mine
      })
      assert.is(await rejection(thrown), mine)
      const failed = db.unitOfWork(async (uow) => {
        await add(uow)
        await fail(uow)
      })
      assert.instance(await rejection(failed), UniqueViolationError)
    })
    assert.equal(ids, [])
  })

  test('a swallowed error cannot be committed; what follows it is skipped', async () => {
    const ids = await kept(async () => {
      const swallowed = db.unitOfWork(async (uow) => {
        await add(uow)
        const first = await rejection(fail(uow))
        const error = await rejection(add(uow))
        assert.instance(error, StatementSkippedError)
        assert.is(error.cause, first)
      })
      assert.instance(await rejection(swallowed), CommitAbortedError)
    })
    assert.equal(ids, [])
  })

  test('a refused parameter does no harm', async () => {
    await db.unitOfWork(async (uow) => {
      assert.instance(await rejection(addNote(uow, { id: 0.5, text: 'x' })), ParameterError)
      await add(uow)
    })
    assert.ok((await noteIds(db)).includes(next))
  })

  test('of statements called at once, those behind the one that fails name its error', async () => {
    const ids = await kept(async () => {
      const unit = db.unitOfWork((uow) => Promise.allSettled([add(uow), fail(uow), add(uow), add(uow)]))
      const error = await rejection(unit)
      assert.instance(error, CommitAbortedError)
      assert.instance(error.cause, UniqueViolationError)
    })
    assert.equal(ids, [])
  })

  test('a failed savepoint is rolled back alone', async () => {
    let expected: number[] = []
    const ids = await kept(() =>
      db.unitOfWork(async (uow) => {
        const first = await add(uow)
        await rejection(
          uow.savepoint(async (sp) => {
            await add(sp)
            await sp.savepoint(add)
            await fail(sp)
          }),
        )
        expected = [first, await uow.savepoint(add), await add(uow)]
      }),
    )
    assert.equal(ids, expected)
  })

  test('any tree of savepoints leaves the rows of those that were kept', async () => {
    interface Tree {
      readonly before: boolean
      readonly inner: readonly Tree[]
      readonly end: 'kept' | 'throws' | 'fails'
    }
    const { tree } = fc.letrec<{ tree: Tree }>((tie) => ({
      tree: fc.record({
        before: fc.boolean(),
        inner: fc.oneof({ maxDepth: 3 }, fc.constant([]), fc.array(tie('tree'), { maxLength: 3 })),
        end: fc.constantFrom('kept', 'kept', 'throws', 'fails'),
      }),
    }))
    const play = async (on: UnitOfWork, { before, inner, end }: Tree): Promise<number[]> => {
      const rows = before ? [await add(on)] : []
      for (const each of inner) rows.push(...(await on.savepoint((sp) => play(sp, each)).catch(() => [])))
      if (end === 'fails') await fail(on)
      if (end === 'throws') throw new Error('mine')
      return rows
    }
    await fc.assert(
      fc.asyncProperty(tree, async (root) => {
        let expected: number[] = []
        const ids = await kept(async () => {
          expected = await db.unitOfWork((uow) => play(uow, root)).catch(() => [])
        })
        assert.equal(ids, expected)
      }),
      { numRuns: 25 },
    )
  })

  test('deferred writes are written before the next statement, and at the end', async () => {
    const ids = await kept(async () => {
      await db.unitOfWork(async (uow) => {
        const first = note()
        const { result } = uow.add(createNote, first)
        assert.ok((await noteIds(uow)).includes(first.id))
        assert.equal(await result, first)
        uow.add(addNote, note())
        await uow.savepoint(async (sp) => {
          sp.add(addNote, note())
        })
      })
    })
    assert.is(ids.length, 3)
    const failing = db.unitOfWork(async (uow) => {
      uow.add(addNote, note())
      uow.add(addNote, { id: 0, text: 'there' })
    })
    assert.instance(await rejection(failing), UniqueViolationError)
    assert.not((await noteIds(db)).includes(next))
  })

  test('hooks run once, for what became of the unit', async () => {
    const ran: string[] = []
    const hooked = async (uow: UnitOfWork): Promise<void> => {
      uow.afterCommit(async () => ran.push(`committed ${(await noteIds(db)).includes(next)}`))
      uow.afterRollback(async () => ran.push(`rolled back ${(await noteIds(db)).includes(next)}`))
      await add(uow)
    }
    await db.unitOfWork(hooked)
    await rejection(
      db.unitOfWork(async (uow) => {
        await hooked(uow)
        await fail(uow)
      }),
    )
    assert.equal(ran, ['committed true', 'rolled back false'])
  })

  test('a unit is run again after a serialization failure', async () => {
    let runs = 0
    const ids = await kept(() =>
      db.unitOfWork(
        async (uow) => {
          await add(uow)
          if (++runs < 3) throw new QueryError(null, Object.assign(new Error('conflict'), { code: '40001' }))
        },
        { retry: { baseDelayMs: 1 } },
      ),
    )
    assert.is(runs, 3)
    assert.equal(ids, [next])
  })

  test('a unit that wants its commit verified runs, with savepoints, retries and rollback', async () => {
    const verifyCommit = true
    let runs = 0
    const ids = await kept(async () => {
      const unit = async (uow: UnitOfWork): Promise<void> => {
        await add(uow)
        await uow.savepoint(add)
        if (++runs < 2) throw new QueryError(null, Object.assign(new Error('conflict'), { code: '40001' }))
      }
      await db.unitOfWork(unit, { verifyCommit, retry: { baseDelayMs: 1 } })
      const failed = db.unitOfWork(
        async (uow) => {
          await add(uow)
          await fail(uow)
        },
        { verifyCommit },
      )
      assert.instance(await rejection(failed), UniqueViolationError)
    })
    assert.is(ids.length, 2)
  })

  test('misuse: after the end, and db inside a unit', async () => {
    const leaked = await db.unitOfWork(async (uow) => {
      await add(uow)
      assert.instance(await rejection(noteIds(db)), DatabaseInsideUnitError)
      return uow
    })
    assert.instance(await rejection(add(leaked)), UnitOfWorkClosedError)
  })

  test('ambient: db inside a unit is the unit', async () => {
    const { ambient } = home
    await rejection(
      ambient.unitOfWork(async () => {
        await add(ambient)
        assert.ok((await noteIds(ambient)).includes(next))
        await ambient.unitOfWork(async () => add(ambient))
        throw new Error('mine')
      }),
    )
    assert.equal(await noteIds(ambient), [0])
  })

  test('signals and timeouts end calls and units', async () => {
    const aborted = { signal: AbortSignal.abort() }
    const ids = await kept(async () => {
      assert.instance(await rejection(add(db.with(aborted))), CancelledError)
      assert.instance(await rejection(db.unitOfWork(add, aborted)), CancelledError)
      const slow = db.unitOfWork(
        async (uow) => {
          await add(uow)
          await sleep(60_000, undefined, { ref: false })
        },
        { timeoutMs: 20 },
      )
      assert.instance(await rejection(slow), TimeoutError)
    })
    assert.equal(ids, [])
  })

  test.run()
}
