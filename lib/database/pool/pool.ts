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
import { longestMs, settlesWithin } from '../cancellation.ts'
import { backendOf } from '../cancelRequest.ts'
import type { CloseOptions, ConnectionSource, Lease } from '../connection.ts'
import { CallSite } from '../observe/callSite.ts'
import { type Observer, observerOf } from '../observe/observer.ts'
import { AtHand } from './atHand.ts'
import { Circuit } from './circuit.ts'
import { Lanes } from './lanes.ts'
import { Leases } from './leases.ts'
import type { PoolSettings, PoolStats } from './options.ts'
import { Seat } from './seat.ts'
import { ageMs, clientClass } from './session.ts'
import type { Targets } from './targets.ts'

/** How long `close` waits, when its grace is over, for what was cancelled; and for the farewells of connections. */
const lastMs = 1_000
/** What pg-pool says when nobody gave a connection back in time, and when making one took longer than that. */
const poolTimeouts = ['timeout exceeded when trying to connect', 'Connection terminated due to connection timeout']

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
  readonly #leases: Leases
  /** What gives up the attempts to connect that are under way. */
  readonly #connecting: Set<() => void> = new Set()
  /** What ends the waits for a connection that pg-pool was asked for. */
  readonly #pending: Set<() => void> = new Set()
  readonly #atHand: AtHand = new AtHand()
  /** Connections that were idle before this are not trusted: one of them turned out to lead nowhere. */
  #suspectBefore = 0
  #target = 0
  #acquiring = 0
  /** Units of work that wait for a connection. */
  #wanted = 0
  #closing: Promise<void> | null = null
  #onQuiet: (() => void) | null = null

  constructor(targets: Targets, settings: PoolSettings, client: ClientConfig, observer: Observer) {
    this.observer = observer
    this.#circuit = new Circuit((error) =>
      observer.pool(error === null ? { type: 'circuitClose' } : { type: 'circuitOpen', error }),
    )
    this.#settings = settings
    this.#targets = targets
    this.#leases = new Leases(settings.answerTimeoutMs)
    this.#pool = new Pool({
      ...targets.config,
      ...client,
      Client: clientClass(settings, () => targets.list[this.#target], this.#connecting),
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
    const processIdOf = (connected: Client) => backendOf(connected)?.processId ?? null
    this.#pool.on('connect', (connected) => {
      observer.pool({ type: 'connect', durationMs: ageMs(connected), processId: processIdOf(connected) })
    })
    this.#pool.on('remove', (removed) => {
      observer.pool({ type: 'close', ageMs: ageMs(removed), processId: processIdOf(removed) })
    })
    this.#lanes = new Lanes({
      max: settings.max,
      waitMs: settings.acquireTimeoutMs,
      pingMs: settings.connectTimeoutMs || longestMs,
      wanted: () => this.#wanted,
      spare: () => this.#wanted === 0 && !this.#isFull(),
      open: (call) => this.#checkOut(call.query, 'shared', null),
      alone: (query, params) => this.#alone(query, params),
      timedOut: (call) => this.#timedOut(call.query),
      gaveUp: () => this.#checkQuiet(),
    })
    if (settings.lanes) this.execute = (query, params) => this.#share(query, params)
  }

  /** Not async, and no promise where there is nothing to wait for: this is on the way of every unit of work. */
  acquire(query: QueryIdentity | null, use: Holder['use'] = 'unit of work'): Lease | Promise<Lease> {
    this.#admit(query)
    const site = this.#settings.traceHolders ? new CallSite(this.acquire, 50) : null
    const seat = this.#atHand.take(this.#isTrusted)
    if (seat !== null) return this.#lease(seat, use, site, performance.now())
    const full = this.#isFull()
    const acquired = this.#checkOut(query, use, site)
    if (full) this.#takeFromLanes(acquired)
    return acquired
  }

  /** Whether all connections are out, or promised: pg-pool hands idle ones over in the next tick, and counts them until. */
  #isFull(): boolean {
    const { idleCount, totalCount, waitingCount } = this.#pool
    return waitingCount >= idleCount + this.#atHand.count + this.#settings.max - totalCount
  }

  stats(): PoolStats {
    const { totalCount: total, idleCount, waitingCount } = this.#pool
    const idle = idleCount + this.#atHand.count
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
    const acquire = (identity: QueryIdentity | null) => this.#checkOut(identity, 'call', null)
    return alone({ acquire, close: () => this.close() }, query, params)
  }

  /** A connection that is young enough and, if it idled for long, has just answered. */
  async #checkOut(query: QueryIdentity | null, use: Holder['use'], site: CallSite | null): Promise<Lease> {
    this.#acquiring++
    const calledAt = performance.now()
    try {
      const atHand = this.#atHand.take(this.#isTrusted)
      if (atHand !== null) return this.#lease(atHand, use, site, calledAt)
      for (;;) {
        const seat = await this.#connect(query)
        const usable = this.#isTrusted(seat) ?? (await this.#answers(seat))
        if (usable && !this.#pool.ending) return this.#lease(seat, use, site, calledAt)
        seat.putAway(true)
      }
    } finally {
      this.#acquiring--
      this.#checkQuiet()
    }
  }

  async #connect(query: QueryIdentity | null): Promise<Seat> {
    const makes = this.#pool.idleCount === 0 && this.#pool.totalCount < this.#settings.max
    const tries = makes && this.#circuit.enter(query)
    const { list, preferred } = this.#targets
    if (makes) this.#target = preferred(this.#target)
    // After a failure every other host has its turn.
    for (let attempt = 1; ; attempt++) {
      const target = this.#target
      try {
        const seat = await this.#ask()
        // Perhaps one that has just become idle, which says nothing of the server: somebody else tries then.
        this.#circuit.gaveUp(tries)
        return seat
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
  #ask(): Promise<Seat> {
    return new Promise((resolve, reject) => {
      const end = () => reject(new Error('the database was closed'))
      this.#pending.add(end)
      this.#pool.connect((error, client) => {
        if (!this.#pending.delete(end)) client?.release(true)
        else if (client === undefined) reject(error)
        else resolve(this.#seatOf(client))
      })
    })
  }

  #seatOf(client: PoolClient): Seat {
    const known = this.#seats.get(client)
    if (known !== undefined) return known
    this.#circuit.succeeded()
    const seat = new Seat(client, this.#settings)
    this.#seats.set(client, seat)
    return seat
  }

  /** Whether it is young enough; null if it was idle for so long that it has to be asked whether it is there. */
  readonly #isTrusted = (seat: Seat): boolean | null => {
    if (seat.lost || seat.expired || seat.idleSince < this.#suspectBefore) return false
    return performance.now() - seat.idleSince <= this.#settings.pingAfterIdleMs || null
  }

  async #answers(seat: Seat): Promise<boolean> {
    const askedAt = performance.now()
    const alive = await seat.answers(this.#settings.pingTimeoutMs)
    // What was idle for as long leads to the same nowhere, and need not be asked.
    if (!alive) this.#suspectBefore = askedAt - this.#settings.pingAfterIdleMs
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
        if (!this.#leases.delete(lease)) return
        seat.idleSince = performance.now()
        const reusable = clean && !seat.lost && !connection.inTransaction
        this.observer.pool({ type: 'release', use, useMs: seat.idleSince - since, reusable })
        if (reusable) this.#giveBack(seat)
        else seat.destroy()
        this.#checkQuiet()
      },
    }
    this.#leases.add(lease, { seat, since, use, site })
    return lease
  }

  #giveBack(seat: Seat): void {
    // Who waits, waits in pg-pool, which counts the uses too.
    if (this.#pool.waitingCount > 0 || this.#closing !== null || this.#settings.maxUses > 0) seat.putAway()
    else this.#atHand.put(seat)
  }

  #timedOut(query: QueryIdentity | null): AcquireTimeoutError {
    const { max, acquireTimeoutMs, traceHolders } = this.#settings
    const { holders } = this.#leases
    const waiting = this.#pool.waitingCount + this.#lanes.waiting
    const error = new AcquireTimeoutError(query, acquireTimeoutMs, { max, waiting, holders, traced: traceHolders })
    this.observer.pool({ type: 'acquireTimeout', error })
    return error
  }

  async #shutDown(graceMs: number | undefined): Promise<void> {
    this.#lanes.drain()
    const quiet = this.#quiet()
    const isQuiet = graceMs === undefined ? await quiet.then(yes) : await settlesWithin(quiet, graceMs)
    this.#atHand.putAway()
    // Idle connections do not keep the process running, and it must not end before they are closed.
    const awake = setInterval(() => {}, lastMs)
    // From now on it starts nothing for those who wait in it.
    const ended = this.#pool.end()
    if (!isQuiet) await this.#endAll(quiet)
    await (graceMs === undefined ? ended : settlesWithin(ended, lastMs))
    this.#leases.unwatch()
    clearInterval(awake)
  }

  /** What waits fails now, and what runs is cancelled or given up. */
  async #endAll(quiet: Promise<unknown>): Promise<void> {
    this.#lanes.end()
    for (const end of this.#pending) {
      this.#pending.delete(end)
      end()
    }
    // The process would wait for them.
    for (const giveUp of [...this.#connecting]) giveUp()
    await this.#leases.end(quiet, lastMs)
  }

  #quiet(): Promise<void> {
    return new Promise((resolve) => {
      this.#onQuiet = resolve
      this.#checkQuiet()
    })
  }

  #checkQuiet(): void {
    if (this.#leases.count === 0 && this.#acquiring === 0 && this.#lanes.waiting === 0) this.#onQuiet?.()
  }
}

const yes = (): boolean => true
