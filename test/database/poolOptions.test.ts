// What the options of the pool do that no story elsewhere needs: how many connections stay, for how long, and what their
// sessions are told. Nothing here waits for a clock to be right: what takes time is waited for until it has happened, and
// half an hour passes by setting the clock.

import { Socket } from 'node:net'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { createDatabase, type PooledDatabase } from '../../lib/database/database.ts'
import { type PoolOptions, poolSettings } from '../../lib/database/pool/options.ts'
import { freshDatabase } from '../support/server.ts'
import { backendPid, rows, sleep, until } from './support.ts'

const fresh = await freshDatabase()
test.after(() => fresh.drop())

function open(pool: PoolOptions): PooledDatabase {
  return createDatabase({ url: fresh.url, pool })
}

/** The server process of a connection that a unit of work gets. */
const pid = (db: PooledDatabase): Promise<number> => db.unitOfWork((uow) => backendPid(uow))

/** As many connections, at once. */
const pids = (db: PooledDatabase, count: number): Promise<number[]> =>
  Promise.all(Array.from({ length: count }, () => pid(db)))

/** Runs something while the clock is ahead, or chance answers always the same. */
async function pretending<T>({ ms = 0, chance = 0.5 }, run: () => Promise<T>): Promise<T> {
  const { now } = performance
  const { random } = Math
  performance.now = () => now.call(performance) + ms
  Math.random = () => chance
  try {
    return await run()
  } finally {
    performance.now = now
    Math.random = random
  }
}

test('idleTimeoutMs: a connection that nobody uses is closed', async () => {
  await using short = open({ idleTimeoutMs: 30 })
  await using long = open({})
  assert.is(new Set([...(await pids(short, 3)), ...(await pids(long, 3))]).size, 6)
  await until(() => short.stats().total === 0)
  assert.is(long.stats().total, 3)
})

test('min: so many idle connections are kept, and none is made ahead', async () => {
  await using db = open({ idleTimeoutMs: 30, min: 2 })
  assert.is(db.stats().total, 0)
  const made = await pids(db, 4)
  await until(() => db.stats().total === 2)
  await sleep(100)
  assert.is(db.stats().total, 2)
  assert.ok((await pids(db, 2)).every((kept) => made.includes(kept)))
})

test('maxUses: a connection is replaced after so many uses', async () => {
  await using db = open({ max: 1, maxUses: 2 })
  const used: number[] = []
  for (let unit = 0; unit < 4; unit++) used.push(await pid(db))
  const [first, second] = [used[0], used[2]]
  assert.is.not(first, second)
  assert.equal(used, [first, first, second, second])
})

const minute = 60_000
const lifetimes: readonly [what: string, chance: number, lives: number, dead: number][] = [
  ['30 minutes at most', 0, 29 * minute, 31 * minute],
  ['a tenth less in the middle', 0.5, 26 * minute, 28 * minute],
  ['a fifth less at least', 1 - Number.EPSILON, 23 * minute, 25 * minute],
]

for (const [what, chance, lives, dead] of lifetimes) {
  test(`maxLifetimeMs: a connection lives ${what}, by chance`, async () => {
    await using db = open({ max: 1 })
    const first = await pretending({ chance }, () => pid(db))
    assert.is(await pretending({ ms: lives }, () => pid(db)), first)
    assert.is.not(await pretending({ ms: dead }, () => pid(db)), first)
  })
}

test('maxLifetimeMs: 0 is for ever', async () => {
  await using db = open({ max: 1, maxLifetimeMs: 0 })
  const first = await pid(db)
  assert.is(await pretending({ ms: 1_000 * 24 * 60 * minute }, () => pid(db)), first)
})

test('TCP keep-alive is on, with the first probe after 10 s', async () => {
  const set: unknown[][] = []
  const { setKeepAlive } = Socket.prototype
  Socket.prototype.setKeepAlive = function (...args: Parameters<typeof setKeepAlive>) {
    set.push(args)
    return setKeepAlive.apply(this, args)
  }
  try {
    await using db = open({})
    await pid(db)
    assert.equal(set, [[true, 10_000]])
  } finally {
    Socket.prototype.setKeepAlive = setKeepAlive
  }
})

const sessions: readonly [what: string, pool: PoolOptions, expected: Readonly<Record<string, string>>][] = [
  ['by default', {}, { statement_timeout: '1min', idle_in_transaction_session_timeout: '1min' }],
  [
    'as told',
    { statementTimeoutMs: 1_500, idleInTransactionTimeoutMs: 2_000 },
    { statement_timeout: '1500ms', idle_in_transaction_session_timeout: '2s' },
  ],
  [
    'without limits',
    { statementTimeoutMs: 0, idleInTransactionTimeoutMs: 0 },
    { statement_timeout: '0', idle_in_transaction_session_timeout: '0' },
  ],
  [
    'whose own settings come last, but not those that our decoders need',
    { settings: { lock_timeout: '7s', DateStyle: 'German', extra_float_digits: '0', application_name: 'mine' } },
    {
      ...{ lock_timeout: '7s', application_name: 'mine' },
      ...{ DateStyle: 'ISO, MDY', bytea_output: 'hex', extra_float_digits: '1' },
    },
  ],
]

for (const [what, pool, expected] of sessions) {
  test(`a session ${what}`, async () => {
    await using db = open(pool)
    for (const [name, value] of Object.entries(expected)) {
      const [shown] = await rows(`show ${name}`, (r) => r.text(0))(db)
      assert.is(shown, value, name)
    }
  })
}

test('answerTimeoutMs follows statementTimeoutMs, where there is one that the server knows', () => {
  const of = (pool: PoolOptions): number => poolSettings(pool).answerTimeoutMs
  assert.is(of({}), 65_000)
  assert.is(of({ statementTimeoutMs: 1_000 }), 6_000)
  assert.is(of({ statementTimeoutMs: 0 }), 0)
  assert.is(of({ pgBouncer: true }), 0)
  assert.is(of({ pgBouncer: true, answerTimeoutMs: 9_000 }), 9_000)
  const settings = { statement_timeout: '5min' }
  assert.throws(() => of({ settings }), /^pool.settings.statement_timeout: set pool.statementTimeoutMs, which /)
  assert.is(of({ settings, answerTimeoutMs: 400_000 }), 400_000)
})

test('an option that is undefined is as good as left out', () => {
  const names = Object.keys(poolSettings({}))
  assert.equal(poolSettings(Object.fromEntries(names.map((name) => [name, undefined]))), poolSettings({}))
})

test('without a limit for connecting, a connection has all the time to answer first', async () => {
  await using db = open({ connectTimeoutMs: 0 })
  const [one] = await rows('select 1 from pg_sleep(0.01)', (r) => r.int4(0))(db)
  assert.is(one, 1)
})

test('numbers that cannot be meant are refused', () => {
  assert.throws(() => open({ max: 0 }), /^pool.max must be a number of at least 1, got 0$/)
  assert.throws(() => open({ idleTimeoutMs: -1 }), /pool.idleTimeoutMs must be a number of at least 0, got -1/)
  assert.throws(
    () => open({ acquireTimeoutMs: Number.POSITIVE_INFINITY }),
    /pool.acquireTimeoutMs must be a number of at most 2147483647, got Infinity/,
  )
  assert.throws(() => open({ maxLifetimeMs: Number.NaN }), /pool.maxLifetimeMs must be a number of at least 0, got NaN/)
})

const unsendable: readonly [settings: Record<string, unknown>, message: RegExp][] = [
  // It would log in as another user: a zero ends a text in the startup message.
  [{ search_path: 'app\0user\0postgres' }, /^pool.settings.search_path holds the character U\+0000$/],
  [{ 'search_path\0app\0user': 'postgres' }, /^a name in pool.settings holds the character U\+0000$/],
  [{ '': 'app' }, /^a name in pool.settings is empty$/],
  [{ work_mem: 4096 }, /^pool.settings.work_mem must be a string, got a number$/],
  [{ search_path: null }, /^pool.settings.search_path must be a string, got null$/],
]

for (const [settings, message] of unsendable) {
  test(`refused: settings of ${JSON.stringify(settings)}`, () => {
    assert.throws(
      () => open({ settings: settings as Record<string, string> }),
      (error: Error) => error instanceof TypeError && message.test(error.message),
    )
  })
}

test('refused: an applicationName that goes on behind its end', () => {
  const open = () => createDatabase({ url: fresh.url, applicationName: 'me\0user\0postgres' })
  assert.throws(open, /^applicationName holds the character U\+0000$/)
})

test('application_name: the option, that of the URL, PGAPPNAME, the script', async () => {
  const shown = rows('show application_name', (r) => r.text(0))
  const { url } = fresh
  const named = `${url}${url.includes('?') ? '&' : '?'}application_name=of-the-url`
  const { PGAPPNAME: before } = process.env
  try {
    process.env.PGAPPNAME = 'of-the-environment'
    const names: [string | undefined, string][] = [
      [url, 'of-the-environment'],
      [named, 'of-the-url'],
    ]
    for (const [address, expected] of names) {
      await using db = createDatabase({ url: address })
      assert.equal(await shown(db), [expected])
      await using other = createDatabase({ url: address, applicationName: 'mine' })
      assert.equal(await shown(other), ['mine'])
    }
    delete process.env.PGAPPNAME
    await using db = createDatabase({ url })
    assert.equal(await shown(db), ['poolOptions.test.ts'])
  } finally {
    if (before !== undefined) process.env.PGAPPNAME = before
  }
})

test.run()
