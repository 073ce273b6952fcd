// The unit of work when the server, the connection or another unit gets in the way. After every fault: no connection is
// held, no transaction is open, no write is lost or doubled, and the error says what happened.

import { setTimeout as sleep } from 'node:timers/promises'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { type EmbeddedServer, startEmbedded } from '../../lib/embedded/index.ts'
import {
  AcquireTimeoutError,
  CommitAbortedError,
  CommitUnknownError,
  ConnectionError,
  NoRowsError,
  NotCommittedError,
  type QueryError,
} from '../../lib/errors.ts'
import type { UnitOfWork } from '../../lib/index.ts'
import type { Executor } from '../../lib/query/executor.ts'
import {
  addNote,
  balance,
  changeBalance,
  noteIds,
  openTestBed,
  rejection,
  schema,
  type TestBed,
  type TestBedOptions,
  wait,
} from '../support/units.ts'
import { command, gate, rows } from './support.ts'

let server: EmbeddedServer
let bed: TestBed

test.before(async () => {
  // One of its own, to be stopped. A commit must survive a crash of the server, as it does by default.
  server = await startEmbedded({ settings: { synchronous_commit: 'on' } })
  bed = await openTestBed({ url: server.url })
  await bed.observer.query(schema)
  await bed.observer.query(`
    create function slow() returns trigger language plpgsql as $$ begin perform pg_sleep(60); return null; end $$;
    create table slow_commits (id int);
    create constraint trigger slow after insert on slow_commits deferrable initially deferred
      for each row execute function slow();
  `)
})
test.before.each(async () => {
  await bed.observer.query('truncate notes, children; update accounts set balance = 100')
  bed.held.destroyed = 0
  bed.sent()
})
test.after.each(() => bed.assertClean())
test.after(async () => {
  await bed.close()
  await server.stop()
})

const again = { attempts: 10, connectionLoss: true }
const add = (on: Executor, id: number): Promise<number> => addNote(on, { id, text: 'x' })

/** Ends all of the pool's backends in the given state. */
async function kill(state: 'idle' | 'idle in transaction' | 'active', query = '%'): Promise<void> {
  const sql = `select count(pg_terminate_backend(pid, 2000)) as killed from pg_stat_activity
    where application_name = 'unit' and state = $1 and query ilike $2`
  for (let look = 0; look < 500; look++) {
    const { rows } = await bed.observer.query(sql, [state, query])
    if (Number(rows[0].killed) > 0) return
    await sleep(5)
  }
  throw new Error(`no backend is ${state}`)
}

async function withBed(options: TestBedOptions, run: (other: TestBed) => Promise<void>): Promise<void> {
  const other = await openTestBed({ url: server.url, ...options })
  try {
    await run(other)
    await other.assertClean()
  } finally {
    await other.close()
  }
}

test('backend killed before BEGIN: with connectionLoss the unit is simply run again', async () => {
  await noteIds(bed.db)
  await kill('idle')
  let runs = 0
  await bed.db.unitOfWork(
    (uow) => {
      runs++
      return add(uow, 1)
    },
    { retry: again },
  )
  assert.ok(runs <= 2)
  assert.equal(await noteIds(bed.db), [1])
})

test('backend killed between statements: ConnectionError, and nothing stays', async () => {
  const work = async (uow: UnitOfWork): Promise<void> => {
    await add(uow, 1)
    await kill('idle in transaction')
    await add(uow, 2)
  }
  const error = (await rejection(bed.db.unitOfWork(work))) as ConnectionError
  assert.instance(error, ConnectionError)
  assert.equal([error.statement, error.retryable], ['rolled back', true])
  assert.is(bed.held.destroyed, 1)
  assert.equal(await noteIds(bed.db), [])
})

test('backend killed before COMMIT was sent: nothing stays, and with connectionLoss the unit is run again', async () => {
  let runs = 0
  const work = async (uow: UnitOfWork): Promise<void> => {
    await add(uow, 1)
    if (runs++ > 0) return
    await kill('idle in transaction')
    await sleep(50)
  }
  const error = (await rejection(bed.db.unitOfWork(work))) as ConnectionError
  assert.instance(error, ConnectionError)
  assert.equal([error.statement, error.retryable], ['rolled back', true])
  assert.equal(await noteIds(bed.db), [])
  runs = 0
  await bed.db.unitOfWork(work, { retry: again })
  assert.is(runs, 2)
  assert.equal(await noteIds(bed.db), [1])
})

test('… swallowed, it cannot be committed either', async () => {
  const error = await rejection(
    bed.db.unitOfWork(async (uow) => {
      await add(uow, 1)
      await kill('idle in transaction')
      await add(uow, 2).catch(() => {})
    }),
  )
  assert.instance(error, CommitAbortedError)
  assert.instance(error.cause, ConnectionError)
  assert.ok((error as CommitAbortedError).retryable)
})

test('… in a savepoint, it ends the unit', async () => {
  const error = await rejection(
    bed.db.unitOfWork(async (uow) => {
      await add(uow, 1)
      await uow
        .savepoint(async (sp) => {
          await add(sp, 2)
          await kill('idle in transaction')
          await add(sp, 3)
        })
        .catch(() => {})
      await add(uow, 4)
    }),
  )
  assert.instance(error.cause, ConnectionError)
  assert.equal(await noteIds(bed.db), [])
})

test('… with connectionLoss, the unit is run again and committed once', async () => {
  let runs = 0
  await bed.db.unitOfWork(
    async (uow) => {
      await add(uow, 1)
      if (++runs === 1) await kill('idle in transaction')
      await add(uow, 2)
    },
    { retry: again },
  )
  assert.is(runs, 2)
  assert.equal(await noteIds(bed.db), [1, 2])
})

test('backend killed during a statement: ConnectionError for it and those behind it', async () => {
  let errors: unknown[] = []
  const thrown = await rejection(
    bed.db.unitOfWork(async (uow) => {
      await add(uow, 1)
      const calls = Promise.allSettled([wait(uow, { seconds: 60 }), add(uow, 2)])
      await kill('active', 'select pg_sleep%')
      errors = (await calls).map((result) => result.status === 'rejected' && result.reason)
      throw errors[0]
    }),
  )
  assert.instance(thrown, ConnectionError)
  assert.is((thrown as ConnectionError).code, '57P01')
  assert.instance(errors[1], Error)
  assert.equal(await noteIds(bed.db), [])
})

test('a savepoint whose statement cannot be stopped is not committed: it ends the unit', async () => {
  await withBed({ lose: (sql) => (sql === 'cancel' ? 'before' : null) }, async ({ db, sent, held }) => {
    const mine = new Error('mine')
    const unit = db.unitOfWork(async (uow) => {
      await add(uow, 1)
      const savepoint = uow.savepoint(async (sp) => {
        slowNote(sp).catch(() => {})
        throw mine
      })
      assert.is(await rejection(savepoint), mine)
    })
    const error = await rejection(unit)
    assert.instance(error, CommitAbortedError)
    assert.instance(error.cause, ConnectionError)
    assert.match((error.cause as Error).message, /no answer to a CancelRequest within 2000 ms/)
    assert.not(sent().includes('COMMIT'))
    assert.is(held.destroyed, 1)
    assert.equal(await noteIds(db), [])
  })
})

test('backend killed during COMMIT: CommitUnknownError, never retried; with verifyCommit the truth', async () => {
  const slowly = async (uow: UnitOfWork): Promise<void> => {
    await add(uow, 1)
    await uow.execute(slowCommit, undefined)
  }
  const hooks: string[] = []
  const unknown = rejection(
    bed.db.unitOfWork(
      (uow) => {
        uow.afterCommit(() => hooks.push('committed'))
        uow.afterRollback(() => hooks.push('rolled back'))
        return slowly(uow)
      },
      { retry: again },
    ),
  )
  await kill('active', 'commit')
  const error = await unknown
  assert.instance(error, CommitUnknownError)
  assert.instance(error.cause, ConnectionError)
  assert.not((error as CommitUnknownError).retryable)
  assert.equal(hooks, [])

  const verified = rejection(bed.db.unitOfWork(slowly, { verifyCommit: true }))
  await kill('active', 'commit')
  const truth = await verified
  assert.instance(truth, NotCommittedError)
  assert.ok((truth as NotCommittedError).retryable)
  assert.equal(await noteIds(bed.db), [])
})

test('the answer to COMMIT is lost, the commit is not: verifyCommit resolves, and the unit is not run again', async () => {
  await withBed({ lose: (sql) => (sql === 'COMMIT' ? 'after' : null) }, async ({ db, sent }) => {
    let runs = 0
    const hooks: string[] = []
    const work = async (uow: UnitOfWork): Promise<string> => {
      uow.afterCommit(() => hooks.push('committed'))
      await add(uow, ++runs)
      return 'result'
    }
    assert.is(await db.unitOfWork(work, { verifyCommit: true, retry: again }), 'result')
    assert.is(runs, 1)
    assert.equal(hooks, ['committed'])
    assert.equal(sent(), [
      'serverVersion',
      'BEGIN + addNote',
      'markTransactionFlushing',
      'COMMIT',
      'askTransactionStatusFlushing',
    ])
    assert.instance(await rejection(db.unitOfWork(work)), CommitUnknownError)
    assert.equal(await noteIds(db), [1, 2])
  })
})

test('… also if the first statement found no row, which the unit got over', async () => {
  await withBed({ lose: (sql) => (sql === 'COMMIT' ? 'after' : null) }, async ({ db, sent }) => {
    await db.unitOfWork(
      async (uow) => {
        assert.instance(await rejection(balance(uow, { id: -1 })), NoRowsError)
        await add(uow, 1)
      },
      { verifyCommit: true },
    )
    assert.equal(sent().slice(1, 4), ['BEGIN + balance', 'markTransactionFlushing', 'addNote'])
    assert.equal(await noteIds(db), [1])
  })
})

test('COMMIT is lost on the way: verifyCommit and connectionLoss run the unit again, and it is committed once', async () => {
  let commits = 0
  const lose = (sql: string): 'before' | null => (sql === 'COMMIT' && ++commits === 1 ? 'before' : null)
  await withBed({ lose }, async ({ db }) => {
    let runs = 0
    await db.unitOfWork(
      async (uow) => {
        runs++
        // The mark is taken outside of savepoints, whatever comes first.
        await uow.savepoint((sp) => add(sp, 1))
      },
      { verifyCommit: true, retry: again },
    )
    assert.is(runs, 2)
    assert.equal(await noteIds(db), [1])
  })
})

test('a transaction that waits for a COMMIT which never came is ended, so that there is an answer', async () => {
  await withBed({ lose: (sql) => (sql === 'COMMIT' ? 'before' : null), leak: true }, async ({ db }) => {
    const start = performance.now()
    assert.instance(await rejection(db.unitOfWork((uow) => add(uow, 1), { verifyCommit: true })), NotCommittedError)
    assert.ok(performance.now() - start < 10_000)
  })
})

test('COMMIT of a transaction that is aborted already answers ROLLBACK: CommitAbortedError', async () => {
  await withBed({ spoil: (sql) => sql.replace('COMMIT', 'ROLLBACK') }, async ({ db }) => {
    assert.instance(await rejection(db.unitOfWork((uow) => add(uow, 1))), CommitAbortedError)
    assert.equal(await noteIds(db), [])
  })
})

test('a unit that makes the server forget all prepared statements is rolled back, and the next one works', async () => {
  if (process.env.PLAINSQL_PLAIN === '1') return assert.ok(true, 'client.query does not prepare COMMIT')
  const forget = command("do $$ begin execute 'deallocate all'; end $$")
  await bed.db.unitOfWork((uow) => add(uow, 1))
  const work = async (uow: UnitOfWork): Promise<void> => {
    await add(uow, 2)
    await forget(uow)
  }
  assert.is(((await rejection(bed.db.unitOfWork(work))) as QueryError).sqlState, '26000')
  assert.equal(await noteIds(bed.db), [1])
  await bed.db.unitOfWork((uow) => add(uow, 3))
  assert.equal(await noteIds(bed.db), [1, 3])
})

test('a migration in the middle of units: statements that it made stale are prepared anew, with retry', async () => {
  await bed.observer.query('create table growing (id int); insert into growing values (1)')
  const growing = rows<void, number>('select * from growing', (r) => r.int4(0))
  const grow = (): Promise<unknown> => bed.observer.query(`alter table growing add column c${++columns} int`)
  let columns = 0
  let runs = 0
  let units = 0
  const work = async (uow: UnitOfWork): Promise<void> => {
    runs++
    await add(uow, runs)
    assert.equal(await growing(uow), [1])
  }
  await bed.db.unitOfWork(work)
  await grow()
  const error = await rejection(bed.db.unitOfWork(work))
  assert.is((error as QueryError).sqlState, '0A000')

  let migrating = true
  const workers = [1, 2, 3, 4].map(async () => {
    for (; migrating; units++) await bed.db.unitOfWork(work, { retry: { attempts: 50, baseDelayMs: 1 } })
  })
  for (let round = 0; round < 5; round++) {
    await sleep(20)
    await grow()
  }
  migrating = false
  await Promise.all(workers)
  assert.ok(runs > 2 + units, 'nothing was stale')
  assert.is((await noteIds(bed.db)).length, 1 + units)
})

test('a ROLLBACK that fails does not hide the first error, and costs the connection', async () => {
  await withBed({ spoil: (sql) => sql.replace('ROLLBACK', 'ROLLBACK nonsense') }, async ({ db, held }) => {
    const mine = new Error('mine')
    const thrown = db.unitOfWork(async (uow) => {
      await add(uow, 1)
      throw mine
    })
    assert.is(await rejection(thrown), mine)
    assert.is(held.destroyed, 1)
    assert.equal(await noteIds(db), [])
  })
})

test('pool at max 1, a unit inside of a unit without the guard: AcquireTimeoutError, and all is given back', async () => {
  await withBed({ pool: { max: 1, acquireTimeoutMs: 500 }, guard: false }, async ({ db }) => {
    const nested = db.unitOfWork(async (uow) => {
      await add(uow, 1)
      await db.unitOfWork((second) => add(second, 2))
    })
    assert.instance(await rejection(nested), AcquireTimeoutError)
    assert.equal(await noteIds(db), [])
  })
})

test('a deadlock of two units: one fails with 40P01, the other commits', async () => {
  let firsts = 0
  const both = gate()
  const unit = (first: number, second: number): Promise<void> =>
    bed.db.unitOfWork(async (uow) => {
      await changeBalance(uow, { id: first, by: 1 })
      if (++firsts === 2) both.open()
      await both.opened
      await changeBalance(uow, { id: second, by: 1 })
    })
  const results = await Promise.allSettled([unit(1, 2), unit(2, 1)])
  const errors = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []))
  assert.is(errors.length, 1)
  assert.is((errors[0] as QueryError).sqlState, '40P01')
  assert.is(await balance(bed.db, { id: 1 }), 101)
})

test('16 writers under SERIALIZABLE, with retries: every increment counts once', async () => {
  await withBed({ pool: { max: 16 } }, async ({ db }) => {
    let runs = 0
    const increment = (): Promise<void> =>
      db.unitOfWork(
        async (uow) => {
          runs++
          const before = await balance(uow, { id: 1 })
          await changeBalance(uow, { id: 1, by: 1 })
          assert.is(await balance(uow, { id: 1 }), before + 1)
        },
        { isolation: 'serializable', retry: { attempts: 1_000, baseDelayMs: 2, maxDelayMs: 50 } },
      )
    await Promise.all(
      Array.from({ length: 16 }, async () => {
        for (let round = 0; round < 4; round++) await increment()
      }),
    )
    assert.is(await balance(db, { id: 1 }), 100 + 64)
    assert.ok(runs > 64, 'nothing collided')
  })
})

for (const mode of ['fast', 'immediate'] as const) {
  test(`server restarted (${mode}) in the middle of a unit: ConnectionError; with connectionLoss, run again`, async () => {
    const { db, held } = bed
    let restarting: Promise<void> | undefined
    const work = async (uow: UnitOfWork): Promise<void> => {
      await add(uow, 1)
      restarting ??= server.restart(mode)
      await restarting
      await add(uow, 2)
    }
    assert.instance(await rejection(db.unitOfWork(work)), ConnectionError)
    restarting = undefined
    await db.unitOfWork(work, { retry: { attempts: 50, connectionLoss: true, baseDelayMs: 20 }, verifyCommit: true })
    assert.equal(await noteIds(db), [1, 2])
    assert.is(held.now, 0)
    // The observer has lost its connection too.
    await bed.close().catch(() => {})
    bed = await openTestBed({ url: server.url })
  })
}

/** Takes longer than a statement that is cancelled may. */
const slowNote = command("insert into notes select 2, 'x' from pg_sleep(2.5)")

const slowCommit = {
  name: 'slowCommit',
  source: 'here',
  statement: 'slowCommit',
  sql: 'insert into slow_commits values (1)',
  kind: 'exec' as const,
  finish: () => 0,
}

test('a database that is closed while a unit waits to be run again: the unit fails with what it had failed with', async () => {
  const other = await openTestBed({ url: server.url })
  const fail = command("do $$ begin raise exception 'again' using errcode = '40001'; end $$")
  const failed = gate()
  const unit = rejection(
    other.db.unitOfWork((uow) => fail(uow).finally(failed.open), { retry: { baseDelayMs: 5_000, maxDelayMs: 300 } }),
  )
  await failed.opened
  await sleep(20)
  await other.close()
  assert.is(((await unit) as QueryError).sqlState, '40001')
})

test.run()
