// The soak: mixed load at full speed for so many seconds, and a restart of the server in the middle of it.
// In: a server. Out: what was done, and what is wrong with it: a wrong answer, an error without a reason, an unhandled
// rejection or a warning, a call that never settles, connections beyond the pool's size, a heap that grows.

import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { Client } from 'pg'
import { createDatabase, type Database, type PoolStats } from '../../lib/index.ts'
import { testDatabase } from '../../lib/testing/index.ts'
import { fill, isLoss, load, type Work } from './soakLoad.ts'

export interface SoakOptions {
  /** Of a server on which databases can be made. */
  readonly url: string
  readonly seconds: number
  /** Stops and starts the server; without it there is no restart. */
  readonly restart?: (() => Promise<void>) | undefined
  /** Takes a line of progress now and then. */
  readonly log: (line: string) => void
}

const max = 10
const applicationName = 'plainsql soak'
const samples = 60
/** How long after a restart calls may still fail: the pool asks a server that was away again after 5 s at most. */
const recoveryMs = 10_000
/** How long a call may take to settle when all is over: more than any timeout of the pool. */
const patienceMs = 70_000
/**
 * By how much the heap may be larger in the last third of the time than in the first. Garbage is collected before it is
 * measured, but what the calls in flight hold comes and goes, within about 2 MB. 100 bytes that each call leaves behind
 * are more than 10 MB in a minute.
 */
const heapGrowthMb = 4

/** @returns what is wrong, one line each: nothing if all is well */
export async function soak({ url, seconds, restart, log }: SoakOptions): Promise<string[]> {
  const migrations = fileURLToPath(new URL('../../migrations', import.meta.url))
  await using blog = await testDatabase({ url, migrations })
  await fill(blog.url)
  // Connections are renewed all the time: what old ones leave behind would show.
  const pool = { max, maxLifetimeMs: Math.min(seconds * 100, 30_000) }
  const db = createDatabase({ url: blog.url, applicationName, pool })
  const run = new Run(db, seconds)
  const heap: number[] = []
  for (let sample = 1; sample <= samples; sample++) {
    await sleep(Math.max(run.startedAt + (sample / samples) * seconds * 1000 - performance.now(), 0))
    if (sample === samples / 2 && restart !== undefined) await run.without(restart)
    let connections = 0
    const fewEnough = async (): Promise<boolean> => {
      connections = await countConnections(blog.url)
      return connections <= max
    }
    if (!(await comesTrue(fewEnough))) run.problem(`${connections} connections, where ${max} are allowed`)
    heap.push(heapMb())
    if (sample % 5 === 0) log(`${sample}/${samples}: heap ${heap.at(-1)?.toFixed(1)} MB, ${connections} connections`)
  }
  await run.end()
  await closeAll(db, blog.url, run)

  // In the first samples the heap still warms up: code is compiled, statements are prepared.
  const [first, last] = [median(heap.slice(4, samples / 3)), median(heap.slice(-samples / 3))]
  log(`done: ${JSON.stringify(run.done)}; lost: ${JSON.stringify(run.lost)}`)
  log(`heap: ${first.toFixed(1)} MB in the first third of the time, ${last.toFixed(1)} MB in the last`)
  if (last - first > heapGrowthMb) run.problem(`the heap grew from ${first.toFixed(1)} to ${last.toFixed(1)} MB`)
  return run.problems
}

/** The callers, and what becomes of them. */
class Run {
  readonly startedAt: number = performance.now()
  /** How often each work was done. */
  readonly done: Record<string, number> = {}
  /** How often a call was lost with the server, by the error's class. */
  readonly lost: Record<string, number> = {}
  readonly problems: string[] = []
  readonly #db: Database
  readonly #endsAt: number
  readonly #callers: Promise<void>[]
  readonly #busy: Map<string, number> = new Map()
  #awayUntil = 0
  #doneBefore: Record<string, number> = {}
  readonly #onWarning = (warning: unknown): void => this.problem(`unhandled or warned of: ${describe(warning)}`)

  constructor(db: Database, seconds: number) {
    this.#db = db
    this.#endsAt = this.startedAt + seconds * 1000
    for (const event of ['unhandledRejection', 'warning']) process.on(event, this.#onWarning)
    this.#callers = load.flatMap((work) => Array.from({ length: work.callers }, (_, at) => this.#call(work, at)))
  }

  problem(text: string): void {
    // One cause makes many problems, and the first ones tell it.
    if (this.problems.length < 20) this.problems.push(text)
  }

  /** Errors of lost connections are no problem while it takes the server away, and for a while afterwards. */
  async without(restart: () => Promise<void>): Promise<void> {
    this.#awayUntil = Number.POSITIVE_INFINITY
    await restart()
    this.#awayUntil = performance.now() + recoveryMs
    this.#doneBefore = { ...this.done }
  }

  /** Resolves when every caller has come to its end, or will not. */
  async end(): Promise<void> {
    const giveUp = new AbortController()
    const late = sleep(patienceMs + Math.max(this.#endsAt - performance.now(), 0), undefined, giveUp).catch(() => {})
    await Promise.race([Promise.all(this.#callers), late])
    giveUp.abort()
    for (const event of ['unhandledRejection', 'warning']) process.off(event, this.#onWarning)
    for (const [name, callers] of this.#busy) if (callers > 0) this.problem(`${callers} calls of ${name} never settled`)
    for (const { name } of load) {
      if (!((this.done[name] ?? 0) > (this.#doneBefore[name] ?? 0))) this.problem(`${name} was not done to the end`)
    }
  }

  async #call(work: Work, caller: number): Promise<void> {
    this.#busy.set(work.name, (this.#busy.get(work.name) ?? 0) + 1)
    for (let n = caller; performance.now() < this.#endsAt; n += work.callers) {
      try {
        await work.run(this.#db, n)
        this.done[work.name] = (this.done[work.name] ?? 0) + 1
      } catch (error) {
        if (isLoss(error) && performance.now() < this.#awayUntil)
          this.lost[error.name] = (this.lost[error.name] ?? 0) + 1
        else this.problem(`${work.name} ${n}: ${describe(error)}`)
        await sleep(5)
      }
    }
    this.#busy.set(work.name, (this.#busy.get(work.name) ?? 0) - 1)
  }
}

/** When all is over, the server knows of as many connections as the pool, and at last of none. */
async function closeAll(db: Database, url: string, run: Run): Promise<void> {
  const quiet = async (): Promise<boolean> => {
    const { total, inFlight, waiting } = db.stats() as PoolStats
    return inFlight + waiting === 0 && (await countConnections(url)) === total
  }
  // The second copy of a read may still be under way, or a connection that nobody needs any more.
  if (!(await comesTrue(quiet))) {
    run.problem(
      `the server knows of ${await countConnections(url)} connections, the pool of ${JSON.stringify(db.stats())}`,
    )
  }
  await db.close()
  const none = async (): Promise<boolean> => (await countConnections(url)) === 0
  if (!(await comesTrue(none))) run.problem(`${await countConnections(url)} connections are left after close()`)
}

/** A server notices a moment later that a connection was closed. */
async function comesTrue(holds: () => Promise<boolean>): Promise<boolean> {
  for (let times = 0; times < 100; times++) {
    if (await holds()) return true
    await sleep(20)
  }
  return false
}

async function countConnections(url: string): Promise<number> {
  const client = new Client(url)
  await client.connect()
  try {
    const sql = 'select count(*)::int as open from pg_stat_activity where application_name = $1'
    const { rows } = await client.query<{ open: number }>(sql, [applicationName])
    return rows[0]?.open ?? Number.NaN
  } finally {
    await client.end()
  }
}

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

/** What is reachable: JavaScript's objects, and the bytes of buffers, which lie beside its heap. */
function heapMb(): number {
  collectGarbage()
  const { heapUsed, external } = process.memoryUsage()
  return (heapUsed + external) / 2 ** 20
}

function median(numbers: readonly number[]): number {
  return [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN
}

function describe(error: unknown): string {
  const { stack, details } = error as { stack?: string; details?: string }
  return `${stack ?? String(error)}\n${details || ''}`.slice(0, 2000).trim()
}
