// What subscribers of the channels hear of queries, transactions and the pool, and that nothing is done for nobody.

import { AsyncLocalStorage } from 'node:async_hooks'
import { channel, subscribe, unsubscribe } from 'node:diagnostics_channel'
import { inspect } from 'node:util'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { createDatabase, type Database, type DatabaseOptions, databaseOver } from '../../lib/database/database.ts'
import { AcquireTimeoutError, NoRowsError, QueryError, UniqueViolationError } from '../../lib/errors.ts'
import {
  type PoolEvent,
  poolChannel,
  type QueryEvent,
  queryChannel,
  type TransactionEvent,
  transactionChannel,
} from '../../lib/events.ts'
import type { Query } from '../../lib/query/executor.ts'
import { one } from '../../lib/query/kinds.ts'
import { memoryDatabase } from '../../lib/testing/index.ts'
import { freshDatabase, type TestDatabase } from '../support/server.ts'
import { command, failure, number, rows, sleep, until } from './support.ts'

const test = suite('events')
const moments = ['start', 'end', 'asyncStart', 'asyncEnd', 'error'] as const
/** What they are over: `client.query`, where prelude and statement are round trips of their own, or the wire. */
const plain = process.env.PLAINSQL_PLAIN === '1'

let fresh: TestDatabase
let db: Database

test.before(async () => {
  fresh = await freshDatabase('create table t (n int primary key); insert into t values (1), (2), (3)')
  db = createDatabase({ url: fresh.url })
})

test.after(async () => {
  await db.close()
  await fresh.drop()
})

const all = rows('select n from t', (r) => r.int4(0))
const echo = rows<{ n: number }, number>(
  'select $1::int4',
  (r) => r.int4(0),
  (w, p) => w.int4(p.n),
)

/** The messages that are published while `run` runs: `start getUser`, with their events. */
async function heard(name: 'query' | 'transaction', run: () => Promise<unknown>): Promise<[string, object][]> {
  const messages: [string, object][] = []
  const listeners = moments.map((moment) => {
    const listener = (event: unknown): void => {
      // As it is at this moment.
      messages.push([moment, { ...(event as object) }])
    }
    subscribe(`tracing:plainsql:${name}:${moment}`, listener)
    return [moment, listener] as const
  })
  try {
    await run()
  } finally {
    for (const [moment, listener] of listeners) unsubscribe(`tracing:plainsql:${name}:${moment}`, listener)
  }
  return messages
}

async function queries(run: () => Promise<unknown>): Promise<QueryEvent[]> {
  const messages = await heard('query', run)
  return messages.filter(([moment]) => moment === 'asyncEnd').map(([, event]) => event as QueryEvent)
}

async function transactions(run: () => Promise<unknown>): Promise<TransactionEvent[]> {
  const messages = await heard('transaction', run)
  return messages.filter(([moment]) => moment === 'asyncEnd').map(([, event]) => event as TransactionEvent)
}

async function poolEvents(options: DatabaseOptions, run: (db: Database) => Promise<unknown>): Promise<PoolEvent[]> {
  const events: PoolEvent[] = []
  const listener = (message: unknown): void => {
    const event = message as PoolEvent
    // The other one gives connections back whenever it likes.
    if (event.database.applicationName === 'watched') events.push(event)
  }
  subscribe('plainsql:pool', listener)
  const database = createDatabase({ url: fresh.url, applicationName: 'watched', ...options })
  try {
    await run(database)
  } finally {
    await database.close()
    // A connection is closed when the server has closed it.
    const count = (type: PoolEvent['type']): number => events.filter((event) => event.type === type).length
    await until(() => count('close') === count('connect'))
    unsubscribe('plainsql:pool', listener)
  }
  return events
}

test('a query is heard from its call to its end, in the order of node', async () => {
  let before = 0
  const messages = await heard('query', async () => {
    const running = all(db)
    // Subscribers hear of the start in the context of the caller.
    before = 1
    await running
  })
  assert.is(before, 1)
  assert.equal(
    messages.map(([moment]) => moment),
    ['start', 'end', 'asyncStart', 'asyncEnd'],
  )
  const [[, start] = [], , , [, end] = []] = messages as [string, QueryEvent][]
  assert.is(start?.rows, null)
  const { startedAt, durationMs, waitMs, database, ...event } = end as QueryEvent
  assert.equal(event, {
    query: all.query.name,
    source: all.query.source,
    kind: 'many',
    sql: 'select n from t',
    inputs: null,
    transaction: null,
    rows: 3,
    roundTrips: 1,
    retried: false,
  })
  assert.ok(startedAt > 0 && durationMs > 0 && waitMs >= 0 && waitMs <= durationMs, `${waitMs} of ${durationMs}`)
  assert.is(database.name, new URL(fresh.url).pathname.slice(1))
  assert.is(database.applicationName, 'events.test.ts')
})

test('errors of the server, of the kind and of parameters', async () => {
  const none = one<void, number>({ ...all.query, statement: 'none', sql: 'select n from t where false' })
  const messages = await heard('query', async () => {
    await failure(number('select 1/0')(db))
    await failure(none(db))
    await failure(echo(db, { n: 0.5 }))
  })
  const ends = messages.filter(([moment]) => moment === 'asyncEnd').map(([, event]) => event as QueryEvent)
  assert.equal(
    ends.map(({ error, rows, roundTrips }) => [(error as Error).name, rows, roundTrips]),
    [
      ['QueryError', null, 1],
      ['NoRowsError', null, 1],
      ['ParameterError', null, 0],
    ],
  )
  assert.instance(ends[0]?.error, QueryError)
  assert.instance(ends[1]?.error, NoRowsError)
  assert.is(ends[2]?.waitMs, ends[2]?.durationMs)
  assert.equal(
    messages.slice(0, 5).map(([moment]) => moment),
    ['start', 'end', 'error', 'asyncStart', 'asyncEnd'],
  )
})

test('parameters are in no event, unless asked for; rows never', async () => {
  const n = 123_454_321
  const silent = await heard('query', () => echo(db, { n }))
  assert.not.match(inspect(silent, { depth: 9, showHidden: true }), String(n))
  await using telling = createDatabase({ url: fresh.url, logParameters: true })
  const [event] = await queries(() => echo(telling, { n }))
  assert.equal(event?.params, { n })
})

test('queries of a unit name its transaction, those that were put off and those of savepoints too', async () => {
  let unit: TransactionEvent[] = []
  const events = await queries(async () => {
    unit = await transactions(() =>
      db.unitOfWork(
        async (uow) => {
          await all(uow)
          await uow.savepoint((savepoint) => echo(savepoint, { n: 1 }))
          uow.add(command('select 1'), undefined)
        },
        { isolation: 'serializable', lockTimeoutMs: 100, settings: { 'app.tenant_id': 'private' } },
      ),
    )
  })
  assert.is(events.length, 3)
  assert.is(new Set(events.map(({ transaction }) => transaction?.id)).size, 1)
  assert.equal(
    events.map(({ roundTrips }) => roundTrips),
    plain ? [4, 2, 2] : [1, 1, 1],
  )
  const [{ begin, statements, outcome, attempt, durationMs } = {} as TransactionEvent] = unit
  assert.is(begin, 'BEGIN ISOLATION LEVEL SERIALIZABLE; SET LOCAL lock_timeout = 100; SET LOCAL app.tenant_id')
  assert.equal([statements, outcome, attempt], [3, 'commit', 1])
  assert.ok(durationMs > 0)
})

test('what became of a transaction, and each attempt of one that is retried', async () => {
  const insert = command('insert into t values (1)')
  const conflict = command("do $$ begin raise exception using errcode = '40001'; end $$")
  let first = true
  const events = await transactions(async () => {
    await failure(db.unitOfWork((uow) => insert(uow)))
    await db.unitOfWork(async () => {})
    await db.unitOfWork(
      async (uow) => {
        if (first) await conflict(uow).finally(() => (first = false))
        await all(uow)
      },
      { retry: { baseDelayMs: 1 } },
    )
  })
  assert.equal(
    events.map(({ outcome, attempt, statements }) => [outcome, attempt, statements]),
    [
      ['rollback', 1, 1],
      ['empty', 1, 0],
      ['rollback', 1, 1],
      ['commit', 2, 1],
    ],
  )
  assert.instance(events[0]?.error, UniqueViolationError)
  assert.not('error' in (events[3] as object))
})

test("the stores of a transaction's start are those of its function: spans nest", async () => {
  const spans = new AsyncLocalStorage<string>()
  transactionChannel.start.bindStore(spans, ({ id }) => `transaction ${id}`)
  const parents: unknown[] = []
  const listener = (): void => void parents.push(spans.getStore())
  subscribe('tracing:plainsql:query:start', listener)
  try {
    await spans.run('request', async () => {
      await all(db)
      await db.unitOfWork(async (uow) => {
        await Promise.all([all(uow), all(uow)])
      })
      await all(db)
    })
  } finally {
    unsubscribe('tracing:plainsql:query:start', listener)
    transactionChannel.start.unbindStore(spans)
  }
  assert.is(parents[0], 'request')
  assert.match(parents[1] as string, /^transaction \d+$/)
  assert.equal(parents.slice(1), [parents[1], parents[1], 'request'])
})

test('a statement that has to be prepared anew was sent twice', async () => {
  if (plain) return assert.ok(true, 'client.query does not send again')
  const star = rows('select * from changing', (r) => r.text(0))
  await command('create table changing as select 1 as a')(db)
  const [before] = await queries(() => star(db))
  await command('alter table changing alter a type text')(db)
  const [after] = await queries(() => star(db))
  assert.equal([before?.retried, before?.roundTrips], [false, 1])
  assert.equal([after?.retried, after?.roundTrips, after?.rows], [true, 2, 1])
})

test('while nobody listens a query is not touched', async () => {
  const asked: Query<never, never, unknown>[] = []
  const source = {
    acquire: () => Promise.reject(new Error('not asked for')),
    execute: (query: Query<never, never, unknown>) => {
      asked.push(query)
      return Promise.resolve([])
    },
    close: async () => {},
  }
  const bare = databaseOver(source as never)
  await all(bare)
  await heard('query', () => all(bare))
  await all(bare)
  assert.equal(
    asked.map((query) => query === (all.query as unknown)),
    [true, false, true],
  )
  assert.not(channel('tracing:plainsql:query:start').hasSubscribers)
})

test('a subscriber that throws does not hurt the query', async () => {
  const thrown: unknown[] = []
  const listener = (): void => {
    throw new Error('subscriber')
  }
  const others = process.listeners('uncaughtException')
  process.removeAllListeners('uncaughtException')
  process.on('uncaughtException', (error) => void thrown.push(error.message))
  subscribe('tracing:plainsql:query:asyncEnd', listener)
  try {
    assert.equal(await all(db), [1, 2, 3])
    await sleep(1)
  } finally {
    unsubscribe('tracing:plainsql:query:asyncEnd', listener)
    process.removeAllListeners('uncaughtException')
    for (const other of others) process.on('uncaughtException', other)
  }
  assert.equal(thrown, ['subscriber'])
})

test('the stack of an error leads to its caller while somebody listens, too', async () => {
  const broken = number('select 1/0')
  async function report() {
    await broken(db)
  }
  async function report2() {
    await db.unitOfWork(async (uow) => {
      await broken(uow)
    })
  }
  const errors: unknown[] = []
  await queries(async () => errors.push(await failure(report()), await failure(report2())))
  for (const error of errors) {
    if (!plain) assert.match((error as Error).stack ?? '', /at async report2? \(.*events\.test\.ts/)
  }
})

test('a database in memory tells of itself too', async () => {
  const memory = await memoryDatabase({ schema: 'create table t (n int primary key)' })
  const [event] = await queries(() => rows('select n from t', (r) => r.int4(0))(memory))
  assert.equal([event?.rows, event?.roundTrips, event?.waitMs, event?.database.host], [0, 0, 0, null])
  await memory.close()
})

test('the pool: connections made and closed, taken and given back', async () => {
  const events = await poolEvents({ pool: { max: 1 } }, (database) => database.unitOfWork((uow) => all(uow)))
  assert.equal(
    events.map(({ type }) => type),
    ['connect', 'acquire', 'release', 'close'],
  )
  const [connect, acquire, release, close] = events
  assert.ok(connect?.type === 'connect' && connect.durationMs > 0 && (connect.processId ?? 0) > 0)
  assert.ok(acquire?.type === 'acquire' && acquire.waitMs >= connect.durationMs && acquire.use === 'unit of work')
  assert.ok(release?.type === 'release' && release.useMs > 0 && release.reusable)
  assert.ok(close?.type === 'close' && close.ageMs >= release.useMs && close.processId === connect.processId)
})

test('the pool: a wait that was too long', async () => {
  const events = await poolEvents({ pool: { max: 1, acquireTimeoutMs: 500 } }, (database) =>
    database.unitOfWork(async (uow) => {
      await all(uow)
      await failure(database.with({ outsideUnit: true, timeoutMs: 5_000 }).execute(all.query, undefined))
    }),
  )
  const timeouts = events.filter((event) => event.type === 'acquireTimeout')
  assert.is(timeouts.length, 1)
  assert.instance((timeouts[0] as { error: unknown }).error, AcquireTimeoutError)
})

test('the pool: a server that cannot be reached, and is there again', async () => {
  const events = await poolEvents({ url: 'postgres://127.0.0.1:1/nowhere' }, async (database) => {
    await failure(all(database))
    await failure(all(database))
  })
  assert.equal(
    events.map(({ type }) => type),
    ['circuitOpen'],
  )
  assert.is((events[0] as { error: { code?: string } }).error.code, 'ECONNREFUSED')
  assert.not(poolChannel.hasSubscribers || queryChannel.start.hasSubscribers)
})

test.run()
