// The connections of a database: a `pg-pool` whose clients are checked out one owner at a time and given back
// undamaged by SQL errors. Never `pool.query`: it destroys its connection on any error.
// In: settings. Out: a source of connections that are alive, not too old, and on the right server.

import type { Client, ClientConfig, PoolClient } from 'pg'
import Pool from 'pg-pool'
import {
  AcquireTimeoutError,
  ConnectionError,
  DatabaseClosedError,
  type Holder,
  PoolOverloadedError,
  type QueryIdentity,
} from '../../errors.ts'
import type { Query } from '../../query/executor.ts'
import { alone } from '../autocommit.ts'
import { settlesWithin } from '../cancellation.ts'
import { processIdOf } from '../cancelRequest.ts'
import type { CloseOptions, Connection, ConnectionSource, Lease } from '../connection.ts'
import { CallSite } from '../observe/callSite.ts'
import { type Observer, observerOf } from '../observe/observer.ts'
import { plainConnection } from '../plainConnection.ts'
import { Wire, wireOver } from '../wire/wire.ts'
import { Circuit } from './circuit.ts'
import { Lanes } from './lanes.ts'
import { cancelledWithinMs, type PoolSettings, type PoolStats } from './options.ts'
import { ageMs, clientClass } from './session.ts'
import type { Targets } from './targets.ts'

/** What is known of a client beside the client itself. */
interface Seat {
  readonly client: PoolClient
  readonly connection: Connection
  readonly expiresAt: number
  idleSince: number
  /** Whether its client has said that it leads nowhere any more. */
  ended: boolean
}

const watchMs = 1_000
/** How long a connection is kept at hand, for the next caller, before pg-pool has it back. */
const atHandMs = 100
/** How long `close` waits, when its grace is over, for what was cancelled; and for the farewells of connections. */
const lastMs = 1_000
/** What pg-pool says when nobody gave a connection back in time, and when making one took longer than that. */
const poolTimeouts = ['timeout exceeded when trying to connect', 'Connection terminated due to connection timeout']
/** The longest that a timer can take. */
const forEverMs = 2 ** 31 - 1

export function pooledConnections(
  targets: Targets,
  settings: PoolSettings,
  client: ClientConfig,
  observer: Observer = observerOf({}),
): ConnectionSource {
  return new TunedPool(targets, settings, client, observer)
}

class TunedPool implements ConnectionSource {
  readonly observer: Observer
  /** Absent where connections are not shared. */
  execute?: <Params, Row, Result>(query: Query<Params, Row, Result>, params: Params) => Promise<Result>
  readonly #settings: PoolSettings
  readonly #targets: Targets
  readonly #pool: Pool<Client>
  readonly #lanes: Lanes
  readonly #circuit: Circuit
  readonly #seats: WeakMap<object, Seat> = new WeakMap()
  readonly #held: Map<Lease, { seat: Seat; since: number; use: Holder['use']; site: CallSite | null }> = new Map()
  /** What ends the waits for a connection that pg-pool was asked for. */
  readonly #pending: Set<() => void> = new Set()
  /**
   * Connections that were just given back, the last one last. pg-pool takes two timers, a tick and four events to hand one
   * over, which is more than a statement costs; under load the next caller is here already.
   */
  #atHand: Seat[] = []
  #sweep: NodeJS.Timeout | null = null
  /** Connections that were idle before this are not trusted: one of them turned out to lead nowhere. */
  #suspectBefore = 0
  #target = 0
  #acquiring = 0
  /** Units of work that wait for a connection. */
  #wanted = 0
  #closing: Promise<void> | null = null
  #onQuiet: (() => void) | null = null
  #watch: NodeJS.Timeout | null = null
  #checkedAt = 0

  constructor(targets: Targets, settings: PoolSettings, client: ClientConfig, observer: Observer) {
    this.observer = observer
    this.#circuit = new Circuit((error) =>
      observer.pool(error === null ? { type: 'circuitClose' } : { type: 'circuitOpen', error }),
    )
    this.#settings = settings
    this.#targets = targets
    this.#pool = new Pool({
      ...targets.config,
      ...client,
      Client: clientClass(settings, () => targets.list[this.#target]),
      max: settings.max,
      min: settings.min,
      maxUses: settings.maxUses || Number.POSITIVE_INFINITY,
      connectionTimeoutMillis: settings.acquireTimeoutMs,
      idleTimeoutMillis: settings.idleTimeoutMs,
      // A script that forgets close() ends nevertheless.
      allowExitOnIdle: true,
    })
    // An idle client that dies tells its pool, which has removed it already and needs no help; without a listener the
    // process would end. One that dies in use fails its statement, which is where the owner hears of it.
    this.#pool.on('error', () => {})
    this.#pool.on('connect', (connected) => {
      observer.pool({ type: 'connect', durationMs: ageMs(connected), processId: processIdOf(connected) })
    })
    this.#pool.on('remove', (removed) => {
      observer.pool({ type: 'close', ageMs: ageMs(removed), processId: processIdOf(removed) })
    })
    this.#lanes = new Lanes({
      max: settings.max,
      waitMs: settings.acquireTimeoutMs,
      pingMs: settings.connectTimeoutMs || forEverMs,
      wanted: () => this.#wanted,
      spare: () => this.#wanted === 0 && !this.#isFull(),
      open: (call) => this.#checkOut(call.query, 'shared', null),
      alone: (query, params) => this.#alone(query, params),
      timedOut: (call) => this.#timedOut(call.query),
    })
    if (settings.lanes) this.execute = (query, params) => this.#share(query, params)
  }

  /** Not async, and no promise where there is nothing to wait for: this is on the way of every unit of work. */
  acquire(query: QueryIdentity | null): Lease | Promise<Lease> {
    this.#admit(query)
    const site = this.#settings.traceHolders ? new CallSite(this.acquire, 50) : null
    const seat = this.#takeAtHand()
    if (seat !== null) return this.#lease(seat, 'unit of work', site, performance.now())
    const full = this.#isFull()
    const acquired = this.#checkOut(query, 'unit of work', site)
    if (full) this.#takeFromLanes(acquired)
    return acquired
  }

  /** Whether all connections are out, or promised: pg-pool hands idle ones over in the next tick, and counts them until. */
  #isFull(): boolean {
    const { idleCount, totalCount, waitingCount } = this.#pool
    return waitingCount >= idleCount + this.#atHand.length + this.#settings.max - totalCount
  }

  stats(): PoolStats {
    const { totalCount: total, idleCount, waitingCount } = this.#pool
    const idle = idleCount + this.#atHand.length
    const { lanes, inFlight, waiting } = this.#lanes.stats
    return { total, idle, lanes, inFlight, waiting: waitingCount + waiting, unreachable: this.#circuit.open }
  }

  close({ graceMs }: CloseOptions = {}): Promise<void> {
    this.#closing ??= this.#shutDown(graceMs)
    return this.#closing
  }

  /** Lanes would keep all connections for as long as they are busy. */
  #takeFromLanes(acquired: Promise<Lease>): void {
    const got = () => this.#wanted--
    this.#wanted++
    acquired.then(got, got)
    this.#lanes.yieldToOthers()
  }

  #share<Params, Row, Result>(query: Query<Params, Row, Result>, params: Params): Promise<Result> {
    try {
      this.#admit(query)
    } catch (error) {
      return Promise.reject(error)
    }
    return this.#lanes.execute(query, params)
  }

  #admit(query: QueryIdentity | null): void {
    if (this.#closing !== null) throw new DatabaseClosedError(query)
    const waiting = this.#pool.waitingCount + this.#lanes.waiting
    if (waiting > 0 && waiting >= this.#settings.maxWaiting) throw new PoolOverloadedError(query, waiting)
  }

  /** A client that we do not know: what it is asked runs by `client.query`, and from now on without asking for a lane. */
  #alone<Params, Row, Result>(query: Query<Params, Row, Result>, params: Params): Promise<Result> {
    delete this.execute
    // Not by `acquire`: whoever waited for a lane has been admitted.
    const acquire = (identity: QueryIdentity | null) => this.#checkOut(identity, 'unit of work', null)
    return alone({ acquire, close: () => this.close() }, query, params)
  }

  /** A connection that is young enough and, if it idled for long, has just answered. */
  async #checkOut(query: QueryIdentity | null, use: Holder['use'], site: CallSite | null): Promise<Lease> {
    this.#acquiring++
    const calledAt = performance.now()
    try {
      const atHand = this.#takeAtHand()
      if (atHand !== null) return this.#lease(atHand, use, site, calledAt)
      for (;;) {
        const client = await this.#connect(query)
        const seat = this.#seats.get(client) ?? this.#seat(client)
        const usable = this.#isTrusted(seat) ?? (await this.#answers(seat))
        if (usable && !this.#pool.ending) return this.#lease(seat, use, site, calledAt)
        client.release(true)
      }
    } finally {
      this.#acquiring--
      this.#checkQuiet()
    }
  }

  async #connect(query: QueryIdentity | null): Promise<PoolClient> {
    const makes = this.#pool.idleCount === 0 && this.#pool.totalCount < this.#settings.max
    const tries = makes && this.#circuit.enter(query)
    const { list, preferred } = this.#targets
    if (makes) this.#target = preferred(this.#target)
    // After a failure every other host has its turn.
    for (let attempt = 1; ; attempt++) {
      const target = this.#target
      try {
        const client = await this.#ask()
        // Perhaps one that has just become idle, which says nothing of the server: somebody else tries then.
        this.#circuit.gaveUp(tries)
        return client
      } catch (cause) {
        const error = cause as Error
        if (this.#pool.ending) throw new DatabaseClosedError(query)
        if (poolTimeouts.includes(error.message)) {
          this.#circuit.gaveUp(tries)
          throw this.#timedOut(query)
        }
        // Whoever failed at the same time has turned to the next host already.
        if (this.#target === target) this.#target = (target + 1) % list.length
        if (attempt >= list.length) {
          this.#circuit.failed(error, tries)
          throw new ConnectionError(query, error, 'not sent')
        }
      }
    }
  }

  /** By a callback: pg-pool's own promise comes with two more. */
  #ask(): Promise<PoolClient> {
    return new Promise((resolve, reject) => {
      const end = () => reject(new Error('the database was closed'))
      this.#pending.add(end)
      this.#pool.connect((error, client) => {
        if (!this.#pending.delete(end)) client?.release(true)
        else if (client === undefined) reject(error)
        else resolve(client)
      })
    })
  }

  #seat(client: PoolClient): Seat {
    const { maxLifetimeMs, preparedStatements } = this.#settings
    this.#circuit.succeeded()
    const wire = wireOver(client as unknown as Client, preparedStatements)
    const now = performance.now()
    const lifetimeMs = maxLifetimeMs === 0 ? Number.POSITIVE_INFINITY : maxLifetimeMs * (1 - Math.random() / 5)
    const connection = wire ?? plainConnection(client, preparedStatements > 0)
    const seat: Seat = { client, connection, expiresAt: now + lifetimeMs, idleSince: now, ended: false }
    this.#seats.set(client, seat)
    const end = () => {
      seat.ended = true
    }
    client.on('error', end).on('end', end)
    return seat
  }

  /** Whether it is young enough; null if it was idle for so long that it has to be asked whether it is there. */
  #isTrusted(seat: Seat): boolean | null {
    const now = performance.now()
    if (isLost(seat) || now > seat.expiresAt || seat.idleSince < this.#suspectBefore) return false
    return now - seat.idleSince <= this.#settings.pingAfterIdleMs || null
  }

  async #answers(seat: Seat): Promise<boolean> {
    const { pingTimeoutMs, pingAfterIdleMs } = this.#settings
    const { connection } = seat
    const now = performance.now()
    const answer = connection instanceof Wire ? connection.ping(pingTimeoutMs) : connection.control('')
    const answered = (await settlesWithin(answer, pingTimeoutMs)) && (await answer.then(yes, no))
    // The server's last words may have come with the answer.
    const alive = answered && !isLost(seat)
    // What was idle for as long leads to the same nowhere, and need not be asked.
    if (!alive) this.#suspectBefore = now - pingAfterIdleMs
    return alive
  }

  #lease(seat: Seat, use: Holder['use'], site: CallSite | null, calledAt: number): Lease {
    const { connection } = seat
    const since = performance.now()
    this.observer.pool({ type: 'acquire', use, waitMs: since - calledAt })
    const lease: Lease = {
      connection,
      release: (clean) => {
        // Once it was taken away, by `close`, there is nothing left to give back.
        if (!this.#held.delete(lease)) return
        seat.idleSince = performance.now()
        const reusable = clean && !isLost(seat) && !connection.inTransaction
        this.observer.pool({ type: 'release', use, useMs: seat.idleSince - since, reusable })
        if (reusable) this.#giveBack(seat)
        else this.#destroy(seat)
        this.#checkQuiet()
      },
    }
    this.#held.set(lease, { seat, since, use, site })
    if (this.#watch === null && this.#settings.answerTimeoutMs > 0) {
      this.#checkedAt = since
      this.#watch = setInterval(() => this.#checkAnswers(), watchMs).unref()
    }
    return lease
  }

  /** At once, and not by a farewell that nobody may answer: what is in flight fails, and who waits gets another one. */
  #destroy(seat: Seat): void {
    giveUp(seat, 'the connection was given up: its state is not known')
    seat.client.release(true)
  }

  #giveBack(seat: Seat): void {
    // Who waits, waits in pg-pool, which counts the uses too.
    if (this.#pool.waitingCount > 0 || this.#closing !== null || this.#settings.maxUses > 0) seat.client.release()
    else {
      this.#atHand.push(seat)
      this.#sweep ??= setInterval(() => this.#putAway(performance.now() - atHandMs), atHandMs).unref()
    }
  }

  /** The connection that was given back last, if it is as good as new; others have their turn in pg-pool. */
  #takeAtHand(): Seat | null {
    for (let seat = this.#atHand.pop(); seat !== undefined; seat = this.#atHand.pop()) {
      if (this.#isTrusted(seat)) return seat
      seat.client.release(isLost(seat))
    }
    return null
  }

  /** Gives pg-pool what nobody has asked for since. */
  #putAway(since: number): void {
    // Those that have been there longest are first.
    const kept = this.#atHand.findIndex((seat) => seat.idleSince > since)
    for (const seat of this.#atHand.splice(0, kept < 0 ? this.#atHand.length : kept)) {
      seat.client.release(isLost(seat))
    }
    if (this.#atHand.length > 0 || this.#sweep === null) return
    clearInterval(this.#sweep)
    this.#sweep = null
  }

  /** A server that should have cancelled a statement long ago, and says nothing, is not there any more. */
  #checkAnswers(): void {
    const now = performance.now()
    // If we were late ourselves (a debugger, a stopped process), answers may lie in the sockets.
    const late = now - this.#checkedAt > 3 * watchMs
    this.#checkedAt = now
    if (late) return
    for (const [{ statementTimeoutMs }, { seat }] of this.#held) {
      const { connection } = seat
      const ms = connection instanceof Wire ? Math.round(connection.busyMs(now)) : 0
      if (ms > answerLimitMs(this.#settings, statementTimeoutMs)) {
        giveUp(seat, `no answer for ${ms} ms (pool.answerTimeoutMs)`)
      }
    }
  }

  #timedOut(query: QueryIdentity | null): AcquireTimeoutError {
    const { max, acquireTimeoutMs, traceHolders } = this.#settings
    const now = performance.now()
    const holders = [...this.#held.values()]
      .sort((a, b) => a.since - b.since)
      .map(({ seat: { connection }, since, use, site }): Holder => {
        const running = connection instanceof Wire ? connection.running : null
        return { use, ms: now - since, running, place: site?.place ?? null }
      })
    const waiting = this.#pool.waitingCount + this.#lanes.waiting
    const error = new AcquireTimeoutError(query, acquireTimeoutMs, { max, waiting, holders, traced: traceHolders })
    this.observer.pool({ type: 'acquireTimeout', error })
    return error
  }

  async #shutDown(graceMs: number | undefined): Promise<void> {
    const quiet = Promise.all([this.#lanes.drain(), this.#quiet()])
    const isQuiet = graceMs === undefined ? await quiet.then(yes) : await settlesWithin(quiet, graceMs)
    this.#putAway(Number.POSITIVE_INFINITY)
    // Idle connections do not keep the process running, and it must not end before they are closed.
    const awake = setInterval(() => {}, watchMs)
    // From now on it starts nothing for those who wait in it.
    const ended = this.#pool.end()
    if (!isQuiet) await this.#endAll(quiet)
    await (graceMs === undefined ? ended : settlesWithin(ended, lastMs))
    if (this.#watch !== null) clearInterval(this.#watch)
    clearInterval(awake)
  }

  /** What waits fails now, and what runs is cancelled; what the server cannot cancel, or is idle in a unit, is given up. */
  async #endAll(quiet: Promise<unknown>): Promise<void> {
    this.#lanes.end()
    for (const end of this.#pending) {
      this.#pending.delete(end)
      end()
    }
    const cancelled = [...this.#held.values()].map(({ seat }) => seat.connection.cancel?.().catch(() => {}))
    await settlesWithin(Promise.all([quiet, ...cancelled]), lastMs)
    for (const [lease, { seat }] of this.#held) {
      giveUp(seat, 'the database was closed')
      lease.release(false)
    }
  }

  #quiet(): Promise<void> {
    return new Promise((resolve) => {
      this.#onQuiet = resolve
      this.#checkQuiet()
    })
  }

  #checkQuiet(): void {
    if (this.#held.size === 0 && this.#acquiring === 0) this.#onQuiet?.()
  }
}

/** How long an answer may take. @param own `statement_timeout`, where it is not the session's */
function answerLimitMs({ answerTimeoutMs }: PoolSettings, own: number | undefined): number {
  if (own === undefined) return answerTimeoutMs
  return own === 0 ? Number.POSITIVE_INFINITY : Math.max(answerTimeoutMs, own + cancelledWithinMs)
}

/** What is in flight fails at once. Of a client that we do not know it does when the pool ends it. */
function giveUp({ connection }: Seat, why: string): void {
  if (connection instanceof Wire) connection.destroy(new Error(why))
}

/** Its wire knows first. */
function isLost({ connection, ended }: Seat): boolean {
  return ended || (connection instanceof Wire && connection.lost)
}

const yes = (): boolean => true
const no = (): boolean => false
