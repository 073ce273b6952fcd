// What surrounds a unit of work: hooks after its end, retries, `db` inside of it, ambient units.

import { setTimeout as sleep } from 'node:timers/promises'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import {
  CommitUnknownError,
  ConnectionError,
  DatabaseInsideUnitError,
  type HookError,
  ParameterError,
  QueryError,
} from '../../lib/errors.ts'
import { type HookEvent, hookChannel } from '../../lib/events.ts'
import type { UnitOfWorkOptions } from '../../lib/index.ts'
import type { Executor } from '../../lib/query/executor.ts'
import { addNote, changeBalance, divide, noteIds, openTestBed, rejection, type TestBed } from '../support/units.ts'
import { gate } from './support.ts'

let bed: TestBed

test.before(async () => {
  bed = await openTestBed()
  // For connections that are made from here on.
  await bed.observer.query(
    `do $$ begin execute format('alter database %I set deadlock_timeout = 20', current_database()); end $$`,
  )
})
test.before.each(async () => {
  await bed.observer.query('truncate notes, children; update accounts set balance = 100')
  bed.sent()
})
test.after.each(() => bed.assertClean())
test.after(() => bed.close())

const add = (on: Executor, id: number): Promise<number> => addNote(on, { id, text: 'x' })

test('afterCommit runs once, after the commit, in order, when the connection is back; afterRollback does not', async () => {
  const ran: unknown[] = []
  await bed.db.unitOfWork(async (uow) => {
    uow.afterRollback(() => ran.push('rolled back'))
    uow.afterCommit(async () => {
      await sleep(5)
      ran.push(bed.held.now, await noteIds(bed.db))
    })
    uow.afterCommit(() => ran.push('second'))
    await add(uow, 1)
  })
  assert.equal(ran, [0, [1], 'second'])
})

test('afterRollback runs once, after the rollback; afterCommit does not', async () => {
  const ran: unknown[] = []
  await rejection(
    bed.db.unitOfWork(async (uow) => {
      uow.afterCommit(() => ran.push('committed'))
      uow.afterRollback(async () => ran.push(await noteIds(bed.db)))
      await add(uow, 1)
      await divide(uow, { by: 0 })
    }),
  )
  assert.equal(ran, [[]])
})

test("a hook's error is reported, the other hooks run, and the unit stays committed", async () => {
  const reported: HookError[] = []
  const listen = ({ error }: HookEvent): void => void reported.push(error)
  const ran: string[] = []
  hookChannel.subscribe(listen)
  try {
    const result = await bed.db.unitOfWork(async (uow) => {
      uow.afterCommit(() => {
        throw new Error('mine')
      })
      uow.afterCommit(() => ran.push('second'))
      await add(uow, 1)
      return 'result'
    })
    assert.is(result, 'result')
  } finally {
    hookChannel.unsubscribe(listen)
  }
  assert.equal(ran, ['second'])
  assert.is(reported[0]?.message, 'a function given to afterCommit threw: mine')
  assert.equal(await noteIds(bed.db), [1])
})

test('a hook may throw what has no text: the unit stays committed, and the other hooks run', async () => {
  const warned = new Promise<Error>((resolve) => process.once('warning', resolve))
  const ran: string[] = []
  await bed.db.unitOfWork(async (uow) => {
    uow.afterCommit(() => {
      throw Object.create(null)
    })
    uow.afterCommit(() => ran.push('second'))
    uow.afterRollback(() => ran.push('rolled back'))
    await add(uow, 1)
  })
  assert.equal(ran, ['second'])
  assert.is((await warned).message, 'a function given to afterCommit threw: something that is no error')
})

test("another unit's CommitUnknownError, passed on, rolls this one back for certain: its hooks run", async () => {
  const ran: string[] = []
  const error = await rejection(
    bed.db.unitOfWork(async (uow) => {
      uow.afterRollback(() => ran.push('rolled back'))
      await add(uow, 1)
      throw new CommitUnknownError(null, 'of another database', new Error('gone'))
    }),
  )
  assert.instance(error, CommitUnknownError)
  assert.equal(ran, ['rolled back'])
  assert.equal(await noteIds(bed.db), [])
})

test('without a subscriber it becomes a process warning', async () => {
  const warned = new Promise<Error>((resolve) => process.once('warning', resolve))
  await bed.db.unitOfWork(async (uow) => uow.afterCommit(() => Promise.reject(new Error('mine'))))
  const warning = await warned
  assert.is(warning.name, 'HookError')
  assert.match(warning.message, /mine/)
})

/** Reads, waits for the other, and writes: of two such units under SERIALIZABLE one must fail. */
async function collide(options: { attempts: number }): Promise<{ runs: number; hooks: string[]; errors: unknown[] }> {
  let runs = 0
  let reads = 0
  const hooks: string[] = []
  let meet = (): void => {}
  const met = new Promise<void>((resolve) => {
    meet = resolve
  })
  const unit = (name: string): Promise<void> =>
    bed.db.unitOfWork(
      async (uow) => {
        runs++
        uow.afterCommit(() => hooks.push(`${name} committed`))
        uow.afterRollback(() => hooks.push(`${name} rolled back`))
        await noteIds(uow)
        if (++reads === 2) meet()
        await met
        await add(uow, runs + (name === 'a' ? 10 : 20))
      },
      { isolation: 'serializable', retry: options },
    )
  const results = await Promise.allSettled([unit('a'), unit('b')])
  const errors = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []))
  return { runs, hooks: hooks.sort(), errors }
}

test('a serialization failure is retried; hooks run for the attempt that counted', async () => {
  const { runs, hooks, errors } = await collide({ attempts: 5 })
  assert.equal(errors, [])
  assert.is(runs, 3)
  assert.equal(hooks, ['a committed', 'b committed'])
})

test('when the attempts are used up the last error is thrown', async () => {
  const { runs, hooks, errors } = await collide({ attempts: 1 })
  assert.is(runs, 2)
  assert.is((errors[0] as QueryError).sqlState, '40001')
  assert.is(hooks.filter((hook) => hook.endsWith('committed')).length, 1)
  assert.is(hooks.filter((hook) => hook.endsWith('rolled back')).length, 1)
})

test('a deadlock of two units is retried', async () => {
  let runs = 0
  let firsts = 0
  const both = gate()
  const unit = (first: number, second: number): Promise<void> =>
    bed.db.unitOfWork(
      async (uow) => {
        runs++
        await changeBalance(uow, { id: first, by: 1 })
        if (++firsts === 2) both.open()
        await both.opened
        await changeBalance(uow, { id: second, by: 1 })
      },
      { retry: { attempts: 5 } },
    )
  await Promise.all([unit(1, 2), unit(2, 1)])
  assert.ok(runs > 2, 'there was no deadlock')
  const { rows } = await bed.observer.query('select balance from accounts where id in (1, 2)')
  assert.equal(rows, [{ balance: 102 }, { balance: 102 }])
})

test('an error of another kind is not retried, and neither is anything by default', async () => {
  for (const [retry, raised, expected] of [
    [{ attempts: 5 }, '22012', 1],
    [undefined, '40001', 1],
    [{}, '40001', 5],
    [{ attempts: undefined, maxDelayMs: undefined, connectionLoss: undefined }, '40001', 5],
    [{ attempts: 3 }, '40P01', 3],
  ] as const) {
    let runs = 0
    const fail = async (uow: Executor): Promise<void> => {
      runs++
      if (raised === '22012') await divide(uow, { by: 0 })
      throw new Error('mine', { cause: new QueryError(null, Object.assign(new Error(), { code: raised })) })
    }
    await rejection(bed.db.unitOfWork(fail, { retry: retry && { baseDelayMs: 1, ...retry } }))
    assert.is(runs, expected)
  }
})

test('db inside a unit is refused, with both places; before it, after it and elsewhere it is not', async () => {
  const { db } = bed
  let later: Promise<number[]> = Promise.resolve([])
  const over = gate()
  await db.unitOfWork(async (uow) => {
    await add(uow, 1)
    for (const misuse of [() => noteIds(db), () => db.unitOfWork(noteIds), () => noteIds(db.with({ timeoutMs: 99 }))]) {
      const error = await rejection(misuse())
      assert.instance(error, DatabaseInsideUnitError)
      assert.match(error.message, /^db was used at test\/database\/unitHooks\.test\.ts:\d+:\d+/)
      assert.match(error.message, /inside a unit of work \(opened at test\/database\/unitHooks\.test\.ts:\d+:\d+\)/)
      assert.match(error.message, /db\.with\(\{ outsideUnit: true \}\)/)
    }
    uow.afterCommit(async () => assert.equal(await noteIds(db), [1]))
    later = over.opened.then(() => noteIds(db))
  })
  over.open()
  assert.equal(await later, [1])
  const other = await openTestBed()
  await db.unitOfWork(async (uow) => {
    await add(uow, 2)
    assert.equal(await noteIds(other.db), [])
    await other.db.unitOfWork(async (inner) => {
      await add(inner, 3)
      assert.instance(await rejection(noteIds(db)), DatabaseInsideUnitError)
    })
  })
  await other.close()
})

test('so is a unit of db.with(…), by a promise that rejects; one outside of a unit has its place', async () => {
  const limited = bed.db.with({ timeoutMs: 10_000 })
  await bed.db.unitOfWork(async () => {
    const error = await rejection(limited.unitOfWork!(noteIds))
    assert.instance(error, DatabaseInsideUnitError)
    assert.match(error.message, /^db was used at test\/database\/unitHooks\.test\.ts:\d+:\d+/)
  })
  const leaked = await limited.unitOfWork!(async (uow) => uow)
  assert.match((await rejection(noteIds(leaked))).message, /opened at test\/database\/unitHooks\.test\.ts:\d+:\d+/)
})

test('with outsideUnit, or without the guard, db inside a unit runs outside of it', async () => {
  await bed.db.unitOfWork(async (uow) => {
    await add(uow, 1)
    assert.equal(await noteIds(bed.db.with({ outsideUnit: true })), [])
    await bed.db.unitOfWork((second) => add(second, 3), { outsideUnit: true, isolation: 'serializable' })
    assert.instance(await rejection(bed.db.unitOfWork(noteIds, { outsideUnit: false })), DatabaseInsideUnitError)
  })
  assert.equal(await noteIds(bed.db), [1, 3])
  const unguarded = await openTestBed({ guard: false })
  await unguarded.db.unitOfWork(async (uow) => {
    await add(uow, 1)
    assert.equal(await noteIds(unguarded.db), [])
    await unguarded.db.unitOfWork((second) => add(second, 2))
  })
  await unguarded.close()
})

test('db.close() inside a unit would wait for itself: refused, unless it may end the unit', async () => {
  const { db, close } = await openTestBed()
  const error = await rejection(
    db.unitOfWork(async (uow) => {
      await add(uow, 1)
      await db.close()
    }),
  )
  assert.match(error.message, /^db\.close\(\) inside a unit of work \(opened at test\/database\/unitHooks\.test\.ts:/)
  const ended = db.unitOfWork(async (uow) => {
    await add(uow, 2)
    await db.close({ graceMs: 10 })
    await noteIds(uow)
  })
  assert.instance(await rejection(ended), ConnectionError)
  await close()
})

test('ambient: so it is by db.with(…): a unit is a savepoint, and a batch is all or nothing', async () => {
  const ambient = await openTestBed({ ambient: true, pool: { max: 1 } })
  const on = ambient.db.with({ timeoutMs: 60_000 })
  const notes = Array.from({ length: 10_001 }, (_, id) => ({ id, text: id < 10_000 ? 'x' : (5 as never) }))
  try {
    const ids = await ambient.db.unitOfWork(async () => {
      await rejection(
        on.unitOfWork!(async (uow) => {
          await add(uow, 1)
          throw new Error('mine')
        }),
      )
      assert.instance(await rejection(addNote.batch(on, notes)), ParameterError)
      return noteIds(ambient.db)
    })
    assert.equal(ids, [])
  } finally {
    await ambient.close()
  }
})

test('ambient: db inside a unit is the unit, and a unit inside a unit is a savepoint', async () => {
  const ambient = await openTestBed({ ambient: true, pool: { max: 1 } })
  const { db } = ambient
  try {
    await db.unitOfWork(async () => {
      await add(db, 1)
      await rejection(
        db.unitOfWork(async () => {
          await add(db, 2)
          throw new Error('mine')
        }),
      )
      assert.equal(await noteIds(db), [1])
      assert.equal(await db.unitOfWork(noteIds, { outsideUnit: false }), [1])
      assert.match(
        (await rejection(db.unitOfWork(noteIds, { isolation: 'serializable' }))).message,
        /inside another one is a savepoint and cannot have "isolation", unless the outer one has the same: set it outside/,
      )
    })
    assert.equal(ambient.sent(), [
      'BEGIN + addNote',
      'SAVEPOINT s1 + addNote',
      'ROLLBACK TO SAVEPOINT s1',
      'RELEASE SAVEPOINT s1 + noteIds',
      'SAVEPOINT s2 + noteIds',
      'COMMIT',
    ])
    assert.equal(await noteIds(db), [1])
  } finally {
    await ambient.close()
  }
})

test('ambient: a unit inside another one may have the options that the outer one has', async () => {
  const ambient = await openTestBed({ ambient: true, pool: { max: 1 } })
  const { signal } = new AbortController()
  const settings = { 'app.tenant_id': '1', TimeZone: 'UTC' }
  const stories: [outer: UnitOfWorkOptions, inner: UnitOfWorkOptions, refused: string | null][] = [
    [{ isolation: 'serializable' }, { isolation: 'serializable', retry: { attempts: 3 } }, null],
    [{ isolation: 'serializable' }, { isolation: 'repeatable read' }, 'isolation'],
    [{}, { isolation: 'read committed' }, 'isolation'],
    [{ readOnly: true }, { readOnly: true }, null],
    [{}, { readOnly: true }, 'readOnly'],
    [{}, { readOnly: false, deferrable: false, verifyCommit: false }, null],
    [{ readOnly: true }, { readOnly: false }, 'readOnly'],
    [{ settings }, { settings }, null],
    [{ settings }, { settings: { 'app.tenant_id': '1' } }, null],
    [{ settings }, { settings: { 'app.tenant_id': '2' } }, 'settings'],
    [{}, { settings }, 'settings'],
    [{}, { settings: {} }, null],
    [{ lockTimeoutMs: 100 }, { lockTimeoutMs: 100 }, null],
    [{ lockTimeoutMs: 100 }, { lockTimeoutMs: 99 }, 'lockTimeoutMs'],
    [{ verifyCommit: true }, { verifyCommit: true }, null],
    [{}, { verifyCommit: true }, 'verifyCommit'],
    [{ timeoutMs: 60_000 }, { timeoutMs: 60_000 }, 'timeoutMs'],
    [{ signal }, { signal }, 'signal'],
  ]
  try {
    for (const [outer, inner, refused] of stories) {
      const nested = (): Promise<unknown> =>
        ambient.db.unitOfWork(() => ambient.db.unitOfWork(() => ambient.db.unitOfWork(noteIds, inner)), outer)
      const title = JSON.stringify([outer, inner])
      if (refused === null) assert.equal(await nested(), [], title)
      else assert.match((await rejection(nested())).message, `cannot have "${refused}"`, title)
    }
  } finally {
    await ambient.close()
  }
})

test.run()
