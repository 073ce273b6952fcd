// timeout: 120
// Random work by random numbers of callers on pools of random settings, while connections are killed, cut, held up and
// handed on in pieces, and tables change. At the end of each round everything is as callers were told: what was written
// and what was not, each row whose it is, no call that never settles, no connection that nobody has.
//
// A few rounds at once; a failure names its round's seed. More of them, and from another seed on, by hand:
//   PLAINSQL_MODEL_ROUNDS=500 PLAINSQL_MODEL_SEED=7 npx tsx test/database/model.test.ts
// wire only: it is about connections that callers share; over client.query, chaos.test.ts has units of work and faults

import { setTimeout as sleep } from 'node:timers/promises'
import { Client } from 'pg'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { createDatabase } from '../../lib/database/database.ts'
import type { PoolOptions } from '../../lib/database/pool/options.ts'
import { DatabaseClosedError } from '../../lib/errors.ts'
import { Random } from '../support/random.ts'
import { freshDatabase, testServer } from '../support/server.ts'
import { doAnything, insertOnly, isCancelled, isExpected, isLoss, Ledger, type Round, schema } from './modelWork.ts'
import { startProxy, type Proxy as Way } from './proxy.ts'

const rounds = Number(process.env.PLAINSQL_MODEL_ROUNDS ?? 10)
const firstSeed = Number(process.env.PLAINSQL_MODEL_SEED ?? 1)
const atOnce = 8
const worksPerRound = 250
/** Sessions of a round's pool. */
const others = 'from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()'

test('whatever happens, everything is as callers were told', async () => {
  const problems: string[] = []
  const stray = (what: unknown): void =>
    void problems.push(`unhandled, or warned of: ${(what as Error)?.stack ?? what}`)
  for (const event of ['unhandledRejection', 'warning']) process.on(event, stray)
  const seeds = Array.from({ length: rounds }, (_, at) => firstSeed + at)
  const run = async (): Promise<void> => {
    for (let seed = seeds.shift(); seed !== undefined; seed = seeds.shift()) {
      problems.push(...(await runRound(seed).catch((error: unknown) => [`seed ${seed}: ${describe(error)}`])))
    }
  }
  await Promise.all(Array.from({ length: atOnce }, run))
  for (const event of ['unhandledRejection', 'warning']) process.off(event, stray)
  assert.ok(problems.length === 0, `\n${problems.slice(0, 20).join('\n')}`)
})

/** @returns what is wrong */
async function runRound(seed: number): Promise<string[]> {
  const problems: string[] = []
  const random = new Random(seed * 7_919)
  // Without faults nothing may be lost, so that what is lost without a reason is not taken for their consequence.
  const calm = random.chance(20)
  const pool = { ...randomPool(random), ...(calm && patient) }
  const graceMs = random.pick([undefined, undefined, 0, 50, 500])
  const closesEarly = random.chance(30)
  const problem = (text: string): void => void problems.push(`seed ${seed}: ${text}`)

  const fresh = await freshDatabase(schema)
  const admin = new Client(fresh.url)
  await admin.connect()
  await admin.query("set lock_timeout = '200ms'")
  const way = await startProxy(fresh.url)
  const db = createDatabase({ url: way.url, pool, ...(random.chance(20) && { echo() {} }) })
  const ledger = new Ledger()
  let closing: Promise<void> | null = null
  const failed = (error: unknown, inUnit = false): void => {
    if (!isExpected(error, inUnit)) problem(`a strange error: ${describe(error)}`)
    if (!calm || closing !== null) return
    if (isLoss(error)) problem(`lost without a fault: ${describe(error)}`)
    if (!inUnit && isCancelled(error)) problem(`cancelled for somebody else: ${describe(error)}`)
  }
  const round: Round = { db, random, ledger, problem, failed }

  let left = worksPerRound
  const call = async (): Promise<void> => {
    while (left-- > 0 && closing === null) {
      await doAnything(round).catch((error: unknown) => problem(describe(error)))
      if (random.chance(30)) await sleep(random.below(20))
    }
  }
  const callers = Promise.all(Array.from({ length: random.pick([1, 4, 12, 30]) }, call))
  const over = new AbortController()
  const faults = makeFaults(way, admin, random, calm, over.signal)
  if (closesEarly) {
    await sleep(random.below(500))
    closing = db.close({ graceMs })
  }
  if (!(await within(60_000, callers))) problem(`callers wait for ever: ${JSON.stringify(db.stats())}`)
  over.abort()
  await faults

  if (!closesEarly) await checkRest(round, way)
  closing ??= db.close({ graceMs })
  if (!(await within(20_000, closing))) problem(`close never ends: ${JSON.stringify(db.stats())}`)
  const late = await insertOnly(db, { id: 'too late' }).catch((error: unknown) => error)
  if (!(late instanceof DatabaseClosedError)) problem(`a closed database answers ${late}`)
  if (!(await comesTrue(async () => way.open === 0))) problem(`${way.open} connections are left`)
  await way.close()
  await admin.query(`select pg_terminate_backend(pid) ${others}`)

  const { rows } = await admin.query('select id, count(*)::int as times from written group by id')
  for (const text of ledger.compare(new Map(rows.map(({ id, times }) => [id, times])))) problem(text)
  await admin.end()
  await fresh.drop()
  if (problems.length > 0) problem(`was with ${JSON.stringify({ pool, calm, graceMs, closesEarly })}`)
  return problems
}

/** When nothing runs any more, no connection is held, and each is one of the pool's. Then it can be used as before. */
async function checkRest({ db, problem }: Round, way: Way): Promise<void> {
  const rests = async (): Promise<boolean> => {
    const { total, idle, lanes, inFlight, waiting } = db.stats()!
    return total === idle && lanes + inFlight + waiting === 0 && way.open === total
  }
  if (!(await comesTrue(rests))) problem(`no rest: ${JSON.stringify(db.stats())}, and ${way.open} connections`)
  const works = async (): Promise<boolean> => insertOnly(db, { id: 'after all' }).then(Boolean, () => false)
  if (!(await comesTrue(works))) problem('it does not come back')
}

/** For rounds without faults: on a busy machine, too, nothing is given up. */
const patient: PoolOptions = {
  connectTimeoutMs: 30_000,
  pingTimeoutMs: 30_000,
  statementTimeoutMs: 20_000,
  answerTimeoutMs: 30_000,
}

function randomPool(random: Random): PoolOptions {
  return {
    max: 1 + random.below(4),
    lanes: random.chance(80),
    acquireTimeoutMs: random.pick([300, 1_000, 3_000]),
    maxWaiting: random.pick([20, 10_000, 10_000]),
    connectTimeoutMs: 900,
    statementTimeoutMs: 400,
    answerTimeoutMs: 1_100,
    pingAfterIdleMs: random.pick([0, 20, 5_000]),
    pingTimeoutMs: random.pick([50, 300]),
    idleTimeoutMs: random.pick([10, 200, 5_000]),
    maxLifetimeMs: random.pick([0, 0, 1, 50, 1_000]),
    maxUses: random.pick([0, 0, 0, 0, 3]),
    preparedStatements: random.pick([0, 1, 2, 4, 256, 256]),
  }
}

/** Until the signal says that it is enough; then the network is as good as new. */
async function makeFaults(way: Way, admin: Client, random: Random, calm: boolean, enough: AbortSignal): Promise<void> {
  const onOne = (what: string) => async () =>
    void (await admin.query(`select ${what}(pid) ${others} order by random() limit 1`))
  /** What is done is not told. */
  const mute = async (): Promise<void> => {
    way.swallow('answers')
    await sleep(random.below(30))
    way.cut()
    way.swallow('nothing')
  }
  /** No connection can be made for a while. */
  const storm = async (): Promise<void> => {
    for (let left = random.below(50); left > 0; left--) {
      way.cut()
      await sleep(5)
    }
  }
  const silent = async (): Promise<void> => {
    way.silence(true)
    await sleep(random.below(300))
    way.silence(false)
  }
  const migrate = async (): Promise<void> => {
    const change = random.pick([
      'add column c int',
      'drop column if exists c',
      'alter a type bigint',
      'alter a type int',
    ])
    // It may not get its lock, or be there already.
    await admin.query(`alter table changing ${change}`).catch(() => {})
  }
  const faults = [
    ...[onOne('pg_terminate_backend'), onOne('pg_terminate_backend'), onOne('pg_cancel_backend'), way.cut],
    ...[way.halve, way.halve, mute, mute, mute, storm, silent, () => random.chance(30) && way.swallow('open')],
  ]
  while (!enough.aborted) {
    await sleep(10 + random.below(60))
    way.pieces(random.pick([0, 0, 1, 2, 3, 5, 7, 50]))
    if (random.chance(40)) await migrate()
    if (!calm) await random.pick(faults)()
  }
  way.pieces(0)
  way.swallow('nothing')
}

/** Whether it settles in that time. */
async function within(ms: number, promise: Promise<unknown>): Promise<boolean> {
  const timer = new AbortController()
  const late = sleep(ms, false, timer).catch(() => false)
  const settled = await Promise.race([promise.then(() => true), late])
  timer.abort()
  return settled
}

async function comesTrue(holds: () => Promise<boolean>): Promise<boolean> {
  const deadline = performance.now() + 20_000
  while (!(await holds())) {
    if (performance.now() > deadline) return false
    await sleep(20)
  }
  return true
}

function describe(error: unknown): string {
  const { stack, cause } = error as Error
  return `${stack ?? error}${cause === undefined ? '' : `\ncaused by ${(cause as Error).stack ?? cause}`}`
}

test.after(async () => (await testServer()).stop())

test.run()
