// Savepoints: what is rolled back alone, what is sent and when, and who has to wait.

import { AsyncLocalStorage } from 'node:async_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import {
  CommitAbortedError,
  ParameterError,
  type QueryError,
  SavepointOpenError,
  StatementSkippedError,
  UniqueViolationError,
  UnitOfWorkClosedError,
} from '../../lib/errors.ts'
import type { UnitOfWork } from '../../lib/index.ts'
import { addNote, divide, noteIds, openTestBed, rejection, type TestBed } from '../support/units.ts'

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

const add = (on: UnitOfWork, id: number): Promise<number> => addNote(on, { id, text: 'x' })

test('a savepoint costs no round trip of its own', async () => {
  await bed.db.unitOfWork(async (uow) => {
    await add(uow, 1)
    const answer = await uow.savepoint(async (sp) => {
      await add(sp, 2)
      return 'answer'
    })
    assert.is(answer, 'answer')
    await add(uow, 3)
    await uow.savepoint((sp) => add(sp, 4))
  })
  assert.equal(bed.sent(), [
    'BEGIN + addNote',
    'SAVEPOINT s1 + addNote',
    'RELEASE SAVEPOINT s1 + addNote',
    'SAVEPOINT s2 + addNote',
    'COMMIT',
  ])
  assert.equal(await noteIds(bed.db), [1, 2, 3, 4])
})

test('one that runs nothing is never sent', async () => {
  await bed.db.unitOfWork(async (uow) => {
    await uow.savepoint(async () => {})
    await rejection(uow.savepoint((sp) => sp.savepoint(() => Promise.reject(new Error('mine')))))
    await add(uow, 1)
  })
  assert.equal(bed.sent(), ['BEGIN + addNote', 'COMMIT'])
})

test('a failed one is rolled back alone, and the unit goes on', async () => {
  await bed.db.unitOfWork(async (uow) => {
    await add(uow, 1)
    const error = await rejection(
      uow.savepoint(async (sp) => {
        await add(sp, 2)
        await add(sp, 1)
      }),
    )
    assert.instance(error, UniqueViolationError)
    await add(uow, 3)
  })
  assert.equal(bed.sent(), [
    'BEGIN + addNote',
    'SAVEPOINT s1 + addNote',
    'addNote',
    'ROLLBACK TO SAVEPOINT s1',
    'RELEASE SAVEPOINT s1 + addNote',
    'COMMIT',
  ])
  assert.equal(await noteIds(bed.db), [1, 3])
})

test('the first statement of the unit can be the one that fails in a savepoint', async () => {
  await bed.db.unitOfWork(async (uow) => {
    await rejection(uow.savepoint((sp) => divide(sp, { by: 0 })))
    await add(uow, 1)
  })
  assert.is(bed.sent()[0], 'BEGIN + SAVEPOINT s1 + divide')
  assert.equal(await noteIds(bed.db), [1])
})

test('… but if BEGIN itself failed, the unit is over, and what is behind it names that error', async () => {
  const spoiled = await openTestBed({ spoil: (sql) => sql.replace('BEGIN', 'BEGIN nonsense') })
  try {
    const thrown = await rejection(
      spoiled.db.unitOfWork(async (uow) => {
        const failed = await rejection(uow.savepoint((sp) => add(sp, 1)))
        assert.is((failed as QueryError).sqlState, '42601')
        const behind = await rejection(add(uow, 2))
        assert.instance(behind, StatementSkippedError)
        assert.is(behind.cause, failed)
      }),
    )
    assert.instance(thrown, CommitAbortedError)
    assert.is((thrown.cause as QueryError).sqlState, '42601')
    assert.equal(spoiled.sent(), ['BEGIN + SAVEPOINT s1 + addNote', 'ROLLBACK'])
    assert.is(spoiled.held.destroyed, 0)
  } finally {
    await spoiled.close()
  }
})

test('they nest; an inner failure that is thrown on rolls back the outer ones', async () => {
  await bed.db.unitOfWork(async (uow) => {
    await add(uow, 1)
    await uow.savepoint(async (sp) => {
      await add(sp, 2)
      await rejection(
        sp.savepoint(async (inner) => {
          await add(inner, 3)
          await inner.savepoint((innermost) => add(innermost, 4))
          throw new Error('mine')
        }),
      )
      await add(sp, 5)
    })
    await rejection(uow.savepoint((sp) => sp.savepoint((inner) => add(inner, 1))))
  })
  assert.equal(await noteIds(bed.db), [1, 2, 5])
})

test('a savepoint whose statement failed cannot be kept by swallowing the error', async () => {
  await bed.db.unitOfWork(async (uow) => {
    const error = await rejection(
      uow.savepoint(async (sp) => {
        await add(sp, 1)
        await divide(sp, { by: 0 }).catch(() => {})
        assert.instance(await rejection(add(sp, 2)), StatementSkippedError)
      }),
    )
    assert.instance(error, CommitAbortedError)
    assert.match(error.message, /the savepoint was rolled back/)
    await add(uow, 3)
  })
  assert.equal(await noteIds(bed.db), [3])
})

test('a refused parameter in it sends nothing, and SAVEPOINT goes with the next statement', async () => {
  await bed.db.unitOfWork(async (uow) => {
    await uow.savepoint(async (sp) => {
      assert.instance(await rejection(add(sp, 1.5)), ParameterError)
      await add(sp, 1)
    })
    await rejection(uow.savepoint((sp) => add(sp, 1.5)))
    await add(uow, 2)
  })
  assert.equal(bed.sent(), [
    'BEGIN + SAVEPOINT s1 + addNote',
    'BEGIN + SAVEPOINT s1 + addNote',
    'RELEASE SAVEPOINT s1 + SAVEPOINT s2 + addNote',
    'RELEASE SAVEPOINT s1 + addNote',
    'COMMIT',
  ])
  assert.equal(await noteIds(bed.db), [1, 2])
})

test('those started together run one after another, and statements of the unit wait for them', async () => {
  await bed.db.unitOfWork(async (uow) => {
    await add(uow, 1)
    const results = await Promise.allSettled([
      uow.savepoint(async (sp) => {
        await sleep(10)
        await add(sp, 2)
        await sleep(10)
        await divide(sp, { by: 0 })
      }),
      add(uow, 3),
      uow.savepoint((sp) => add(sp, 4)),
    ])
    assert.equal(
      results.map((result) => result.status),
      ['rejected', 'fulfilled', 'fulfilled'],
    )
  })
  assert.equal(await noteIds(bed.db), [1, 3, 4])
})

test('… each in the async context that it was called in', async () => {
  const request = new AsyncLocalStorage<string>()
  const seen = await bed.db.unitOfWork((uow) =>
    Promise.all(
      ['a', 'b', 'c'].map((name) =>
        request.run(name, () =>
          uow.savepoint(async (savepoint) => {
            await noteIds(savepoint)
            return request.getStore()
          }),
        ),
      ),
    ),
  )
  assert.equal(seen, ['a', 'b', 'c'])
})

test('the outer unit used inside its savepoint would wait for itself: refused, with the place', async () => {
  await bed.db.unitOfWork(async (uow) => {
    await uow.savepoint(async (sp) => {
      for (const misuse of [add(uow, 1), uow.savepoint((inner) => add(inner, 1)), uow.flush()]) {
        const error = await rejection(misuse)
        assert.instance(error, SavepointOpenError)
        assert.match(error.message, /its savepoint \(opened at test\/database\/savepoint\.test\.ts:\d+:\d+\)/)
      }
      await add(sp, 2)
    })
  })
  assert.equal(await noteIds(bed.db), [2])
})

test('… also from a unit of its own in there, on another connection', async () => {
  await bed.db.unitOfWork(async (uow) => {
    const nested = uow.savepoint(() => bed.db.with({ outsideUnit: true }).unitOfWork!(() => add(uow, 1)))
    assert.instance(await rejection(nested), SavepointOpenError)
  })
})

test('use after its end is refused', async () => {
  await bed.db.unitOfWork(async (uow) => {
    const leaked = await uow.savepoint(async (sp) => sp)
    const error = await rejection(add(leaked, 1))
    assert.instance(error, UnitOfWorkClosedError)
    assert.match(error.message, /the savepoint \(opened at .*\) is over in addNote/)
  })
})

test('hooks of a savepoint share its fate', async () => {
  const ran: string[] = []
  const note = (text: string) => (): void => void ran.push(text)
  await bed.db.unitOfWork(async (uow) => {
    uow.afterCommit(note('unit committed'))
    uow.afterRollback(note('unit rolled back'))
    await uow.savepoint(async (sp) => {
      sp.afterCommit(note('kept committed'))
      sp.afterRollback(note('kept rolled back'))
    })
    await rejection(
      uow.savepoint(async (sp) => {
        sp.afterCommit(note('undone committed'))
        sp.afterRollback(note('undone rolled back'))
        await sp.savepoint(async (inner) => inner.afterRollback(note('inner rolled back')))
        throw new Error('mine')
      }),
    )
    assert.equal(ran, [])
  })
  assert.equal(ran, ['unit committed', 'kept committed', 'undone rolled back', 'inner rolled back'])
})

/** What a savepoint does: adds a row, fails a statement, opens another, and at its end throws or does not. */
interface Node {
  readonly steps: readonly (Node | 'add' | 'fail')[]
  readonly throws: boolean
  /** Whether its errors, and those of what is in it, end there. */
  readonly caught: boolean
}

const { node } = fc.letrec<{ node: Node }>((tie) => ({
  node: fc.record({
    steps: fc.array(fc.oneof({ depthSize: 'small' }, fc.constantFrom('add', 'add', 'fail'), tie('node')) as never, {
      maxLength: 4,
    }) as fc.Arbitrary<Node['steps']>,
    throws: fc.boolean(),
    caught: fc.boolean(),
  }),
}))

test('any tree of savepoints leaves the rows of those that were kept', async () => {
  await fc.assert(
    fc.asyncProperty(node, async (tree) => {
      await bed.observer.query('truncate notes, children')
      let id = 0
      const play = async (scope: UnitOfWork, { steps, throws }: Node): Promise<number[]> => {
        const rows: number[] = []
        for (const step of steps) {
          if (step === 'add') {
            await add(scope, ++id)
            rows.push(id)
          } else if (step === 'fail') {
            await divide(scope, { by: 0 })
          } else {
            const inner = scope.savepoint((sp) => play(sp, step))
            rows.push(...(await (step.caught ? inner.catch(() => []) : inner)))
          }
        }
        if (throws) throw new Error('mine')
        return rows
      }
      const expected = await bed.db.unitOfWork((uow) => play(uow, tree)).catch(() => [])
      assert.equal(await noteIds(bed.db), expected)
    }),
    { numRuns: 60 },
  )
})

test('a savepoint that fails while the unit waits for its connection is forgotten', async () => {
  // Its connection has to be made.
  const fresh = await openTestBed()
  try {
    await fresh.db.unitOfWork(async (uow) => {
      const error = await rejection(uow.savepoint((sp) => Promise.all([add(sp, 1), Promise.reject(new Error('mine'))])))
      assert.is(error.message, 'mine')
      await add(uow, 2)
    })
    assert.equal(await noteIds(fresh.db), [2])
  } finally {
    await fresh.close()
  }
})

test.run()
