// AbortSignal and timeoutMs, per call and per unit: what the server is made to stop, what never starts, and that the
// connection is good for the next one.

import { setTimeout as sleep } from 'node:timers/promises'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { stop } from '../../lib/database/cancellation.ts'
import type { Connection } from '../../lib/database/connection.ts'
import {
  CancelledError,
  CommitUnknownError,
  ConnectionError,
  type QueryError,
  StatementSkippedError,
  TimeoutError,
  UnitOfWorkClosedError,
} from '../../lib/errors.ts'
import { createDatabase, type Database } from '../../lib/index.ts'
import type { Executor } from '../../lib/query/executor.ts'
import { freshDatabase } from '../support/server.ts'
import { addNote, backendPid, noteIds, openTestBed, rejection, schema, type TestBed, wait } from '../support/units.ts'
import { startProxy, type Proxy as TcpProxy } from './proxy.ts'
import { door, gate, number } from './support.ts'

let bed: TestBed
let pid: number

test.before(async () => {
  // One connection: it must survive all of it.
  bed = await openTestBed({ pool: { max: 1 } })
  pid = await backendPid(bed.db)
})
test.before.each(async () => {
  await bed.observer.query('truncate notes, children')
  bed.sent()
})
test.after.each(async () => {
  assert.is(await backendPid(bed.db), pid)
  await bed.assertClean()
})
test.after(() => bed.close())

const add = (on: Executor, id: number): Promise<number> => addNote(on, { id, text: 'x' })

/** Whether the server runs pg_sleep. */
async function sleeping(): Promise<boolean> {
  const { rows } = await bed.observer.query(
    `select from pg_stat_activity where query like 'select pg_sleep%' and state = 'active' and datname = current_database()`,
  )
  return rows.length > 0
}

async function untilSleeping(): Promise<void> {
  while (!(await sleeping())) await sleep(2)
}

/** A unit that has the only connection, until it is told to end. */
async function holdConnection(): Promise<() => Promise<void>> {
  const [held, over] = [gate(), gate()]
  const holding = bed.db.unitOfWork(async (uow) => {
    await backendPid(uow)
    held.open()
    await over.opened
  })
  await held.opened
  return () => {
    over.open()
    return holding
  }
}

test('a call that takes too long is stopped at the server', async () => {
  const error = await rejection(wait(bed.db.with({ timeoutMs: 30 }), { seconds: 60 }))
  assert.instance(error, TimeoutError)
  assert.is((error as TimeoutError).timeoutMs, 30)
  assert.is((error as TimeoutError).statement, 'cancelled')
  assert.is(
    error.message,
    'took longer than its timeout of 30 ms in wait (test/support/units.ts); the server has stopped it',
  )
  assert.not(await sleeping())
})

test('a call whose signal is aborted is stopped at the server; the reason is the cause', async () => {
  const controller = new AbortController()
  const call = rejection(wait(bed.db.with({ signal: controller.signal }), { seconds: 60 }))
  await untilSleeping()
  const reason = new Error('the browser went away')
  controller.abort(reason)
  const error = await call
  assert.instance(error, CancelledError)
  assert.not.instance(error, TimeoutError)
  assert.is(error.cause, reason)
  assert.not(await sleeping())
})

test('a signal that was aborted before sends nothing', async () => {
  const error = await rejection(add(bed.db.with({ signal: AbortSignal.abort() }), 1))
  assert.is((error as CancelledError).statement, 'not sent')
  assert.equal(bed.sent(), [])
})

test('a call that waits for a connection gives up, and the connection is not lost', async () => {
  const letGo = await holdConnection()
  const error = await rejection(add(bed.db.with({ timeoutMs: 20 }), 1))
  assert.is((error as TimeoutError).statement, 'not sent')
  await letGo()
  assert.equal(await noteIds(bed.db), [])
})

test('a call that was fast enough answers, and leaves no timer and no listener behind', async () => {
  const { signal } = new AbortController()
  assert.is(await wait(bed.db.with({ timeoutMs: 60_000, signal }), { seconds: 0.01 }), '')
  assert.equal(bed.sent(), ['wait'])
})

for (const timeoutMs of [0, Number.POSITIVE_INFINITY, 30 * 86_400_000]) {
  test(`a timeout of ${timeoutMs} ms never comes, and is no timer of 1 ms`, async () => {
    assert.is(await wait(bed.db.with({ timeoutMs }), { seconds: 0.02 }), '')
    assert.is(await bed.db.unitOfWork((uow) => wait(uow, { seconds: 0.02 }), { timeoutMs }), '')
  })
}

test('what is left until a deadline in the past is a timeout; NaN is refused', async () => {
  for (const run of [
    (timeoutMs: number) => add(bed.db.with({ timeoutMs }), 1),
    (timeoutMs: number) => bed.db.unitOfWork((uow) => add(uow, 1), { timeoutMs }),
  ]) {
    assert.instance(await rejection(run(-5)), TimeoutError)
    assert.instance(await rejection(run(Number.NaN)), RangeError)
  }
  assert.equal(bed.sent(), [])
})

test('many calls may share a signal', async () => {
  const warnings: Error[] = []
  const note = (warning: Error): void => void warnings.push(warning)
  process.on('warning', note)
  const { signal } = new AbortController()
  await Promise.all(Array.from({ length: 12 }, () => noteIds(bed.db.with({ signal }))))
  await sleep(5)
  process.off('warning', note)
  assert.equal(warnings, [])
})

test('the stack of a timeout leads to the caller', async () => {
  async function theCaller(): Promise<unknown> {
    return await wait(bed.db.with({ timeoutMs: 20 }), { seconds: 60 })
  }
  assert.match((await rejection(theCaller())).stack ?? '', 'theCaller')
})

test('in a unit, a call that takes too long fails the unit', async () => {
  const errors: Error[] = []
  const thrown = await rejection(
    bed.db.unitOfWork(async (uow) => {
      await add(uow, 1)
      errors.push(await rejection(wait(uow.with({ timeoutMs: 30 }), { seconds: 60 })))
      errors.push(await rejection(add(uow, 2)))
      throw errors[0]
    }),
  )
  assert.instance(thrown, TimeoutError)
  assert.instance(errors[1], StatementSkippedError)
  assert.is(errors[1]?.cause, thrown)
  assert.equal(bed.sent(), ['BEGIN + addNote', 'wait', 'cancel', 'ROLLBACK'])
  assert.equal(await noteIds(bed.db), [])
})

test('in a savepoint it fails the savepoint', async () => {
  await bed.db.unitOfWork(async (uow) => {
    await add(uow, 1)
    await rejection(uow.savepoint((sp) => wait(sp.with({ timeoutMs: 30 }), { seconds: 60 })))
    await add(uow, 2)
  })
  assert.equal(await noteIds(bed.db), [1, 2])
})

test('in a unit, a call that was not sent yet is taken back without harm', async () => {
  const { passes, shut, open } = door(bed.observer)
  await bed.db.unitOfWork(async (uow) => {
    await shut()
    const slow = number(`select 1 from ${passes}`)(uow)
    const error = await rejection(add(uow.with({ timeoutMs: 20 }), 1))
    assert.is((error as TimeoutError).statement, 'not sent')
    await open()
    await slow
    await add(uow, 2)
    const behindSavepoint = uow.savepoint(() => sleep(50))
    assert.instance(await rejection(add(uow.with({ timeoutMs: 10 }), 3)), TimeoutError)
    await behindSavepoint
  })
  assert.equal(await noteIds(bed.db), [2])
})

test('a call that may be cancelled runs alone, so that it alone is hit', async () => {
  await bed.db.unitOfWork(async (uow) => {
    const controller = new AbortController()
    const calls = [
      wait(uow, { seconds: 0.05 }),
      wait(uow.with({ signal: controller.signal }), { seconds: 0.01 }),
      wait(uow, { seconds: 0.01 }),
    ]
    await calls[1]
    // Now the third runs.
    controller.abort()
    assert.equal(await Promise.all(calls), ['', '', ''])
  })
  assert.equal(bed.sent(), ['BEGIN + wait', 'wait', 'wait', 'COMMIT'])
})

test('a unit that takes too long is rolled back while its statement runs', async () => {
  const start = performance.now()
  let inside: Promise<Error> = Promise.resolve(new Error())
  const error = await rejection(
    bed.db.unitOfWork(
      async (uow) => {
        await add(uow, 1)
        inside = rejection(wait(uow, { seconds: 60 }))
        await inside
      },
      { timeoutMs: 50 },
    ),
  )
  assert.instance(error, TimeoutError)
  assert.is(error.message, 'took longer than its timeout of 50 ms; the unit of work is rolled back')
  assert.ok(performance.now() - start < 20_000)
  assert.not(await sleeping())
  assert.is(((await inside) as { sqlState?: string }).sqlState, '57014')
  assert.is(bed.sent().at(-1), 'ROLLBACK')
  assert.equal(await noteIds(bed.db), [])
})

test('a unit that hangs in something else is rolled back too, and what it does afterwards is refused', async () => {
  const [hangs, goesOn] = [gate(), gate()]
  let late: Promise<Error> = Promise.resolve(new Error())
  const controller = new AbortController()
  const unit = rejection(
    bed.db.unitOfWork(
      async (uow) => {
        late = goesOn.opened.then(() => rejection(add(uow, 2)))
        await add(uow, 1)
        hangs.open()
        await late
      },
      { signal: controller.signal },
    ),
  )
  await hangs.opened
  controller.abort()
  const error = await unit
  assert.instance(error, CancelledError)
  assert.is(bed.held.now, 0)
  goesOn.open()
  assert.instance(await late, UnitOfWorkClosedError)
  assert.is((await late).cause, error)
  assert.equal(await noteIds(bed.db), [])
})

test('a unit that was aborted before, or while it waits for a connection or to retry, ends at once', async () => {
  let ran = false
  const before = bed.db.unitOfWork(
    async () => {
      ran = true
    },
    { signal: AbortSignal.abort() },
  )
  assert.is(((await rejection(before)) as CancelledError).statement, 'not sent')
  assert.not(ran)

  const letGo = await holdConnection()
  assert.instance(await rejection(bed.db.unitOfWork((uow) => add(uow, 1), { timeoutMs: 20 })), TimeoutError)
  await letGo()

  const start = performance.now()
  const hooks: string[] = []
  const retrying = bed.db.unitOfWork(
    async (uow) => {
      uow.afterRollback(() => hooks.push('rolled back'))
      await uow.execute(failing, undefined)
    },
    { timeoutMs: 50, retry: { attempts: 1_000, baseDelayMs: 60_000, maxDelayMs: 60_000 } },
  )
  const error = await rejection(retrying)
  assert.instance(error, TimeoutError)
  assert.is((error as TimeoutError).statement, 'rolled back')
  assert.is((error.cause as QueryError).sqlState, '40001')
  assert.equal(hooks, ['rolled back'])
  assert.ok(performance.now() - start < 20_000)
})

test('a unit in time leaves no timer behind, and a late signal hits nobody', async () => {
  const controller = new AbortController()
  await bed.db.unitOfWork((uow) => add(uow, 1), { signal: controller.signal, timeoutMs: 60_000 })
  const next = bed.db.unitOfWork((uow) => wait(uow, { seconds: 0.05 }))
  controller.abort()
  assert.is(await next, '')
})

test('aborts at random moments hit no statement but their own', async () => {
  let seed = 42
  const random = (): number => {
    seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31
    return seed / 2 ** 31
  }
  const outcomes = { done: 0, cancelled: 0 }
  // On a busy machine it takes more rounds until one is faster than its abort.
  for (let round = 0; round < 80 || (round < 800 && outcomes.done === 0); round++) {
    const controller = new AbortController()
    const call = wait(bed.db.with({ signal: controller.signal }), { seconds: 0.02 }).then(
      () => 'done' as const,
      (error: unknown) => {
        assert.instance(error, CancelledError)
        return 'cancelled' as const
      },
    )
    const aborted = sleep(random() * 24).then(() => controller.abort())
    outcomes[await call]++
    // It would be hit by a CancelRequest that comes too late.
    assert.is(await wait(bed.db, { seconds: 0.001 }), '')
    await aborted
  }
  assert.ok(outcomes.done > 0 && outcomes.cancelled > 0, JSON.stringify(outcomes))
})

/** A database behind a proxy, so that the connection is TCP and can fall silent. */
async function behindProxy(run: (db: Database, proxy: TcpProxy) => Promise<void>): Promise<void> {
  const fresh = await freshDatabase(schema)
  const proxy = await startProxy(fresh.url)
  const db = createDatabase({ url: proxy.url, pool: { max: 1 } })
  try {
    await run(db, proxy)
  } finally {
    proxy.cut()
    await db.close()
    await proxy.close()
    await fresh.drop()
  }
}

test('the CancelRequest goes to the same host and port as the connection', async () => {
  await behindProxy(async (db) => {
    const before = await backendPid(db)
    assert.is(
      ((await rejection(wait(db.with({ timeoutMs: 30 }), { seconds: 60 }))) as TimeoutError).statement,
      'cancelled',
    )
    assert.is(await backendPid(db), before)
  })
})

test('a server that has fallen silent: the call ends, its statement is unknown, the connection is replaced', async () => {
  await behindProxy(async (db, proxy) => {
    const before = await backendPid(db)
    proxy.swallow('all')
    const call = rejection(wait(db.with({ timeoutMs: 30 }), { seconds: 60 }))
    const start = performance.now()
    const error = await call
    assert.instance(error, TimeoutError)
    assert.is((error as TimeoutError).statement, 'unknown')
    assert.match(error.message, /did not confirm the cancellation, so whether it took effect is not known/)
    assert.ok(performance.now() - start < 20_000)
    proxy.swallow('nothing')
    assert.is.not(await backendPid(db), before)
  })
})

test('a server that falls silent in a unit: it ends in time; during COMMIT, its fate is unknown', async () => {
  await behindProxy(async (db, proxy) => {
    const silent = rejection(
      db.unitOfWork(
        async (uow) => {
          await add(uow, 1)
          proxy.swallow('all')
          await add(uow, 2)
        },
        { timeoutMs: 100 },
      ),
    )
    assert.instance(await silent, TimeoutError)
    proxy.swallow('nothing')
    assert.equal(await noteIds(db), [])

    const commit = db.unitOfWork(
      async (uow) => {
        await add(uow, 1)
        proxy.swallow('all')
      },
      { timeoutMs: 1_000 },
    )
    assert.instance(await rejection(commit), CommitUnknownError)
    proxy.swallow('nothing')
    assert.type((await noteIds(db)).length, 'number')
  })
})

const failing = {
  name: 'failing',
  source: 'here',
  statement: 'failing',
  sql: `do $$ begin raise exception using errcode = '40001'; end $$`,
  kind: 'exec' as const,
  finish: () => 0,
}

for (const [statement, reusable] of [
  ['not sent', true],
  ['unknown', false],
] as const) {
  test(`a CancelRequest that was given up, ${statement}: the connection is ${reusable ? '' : 'not '}used again`, async () => {
    const cancel = () => Promise.reject(new ConnectionError(null, new Error('no answer'), statement))
    const connection = { cancel } as unknown as Connection
    assert.is(await stop(connection, sleep(30)), reusable)
  })
}

test.run()
