// Lanes: connections that callers share. Statements that are transactions of their own are sent one behind the other
// (pipelined) instead of each waiting for a connection to itself.
//
// The rule, so that nobody waits for somebody else's slow statement:
// 1. Behind a statement others are sent only if it is a read that takes no locks (`readOnly`, from the generator) and
//    its last runs were quick. A statement that is new, slow or a write has its lane to itself, from an idle one on.
// 2. A statement joins a lane only while what is ahead of it is expected to be done at once, and is not late already:
//    the first one that is not full, else the one with the least to do. Otherwise another connection of the pool becomes
//    a lane; when there are no more, the lanes are filled further.
// 3. If a quick read turns out slow after all, what was sent behind it is sent again on another lane, and the first
//    answer counts. All of it is safe to run twice, by rule 1.
// Units of work and cancellable calls get connections of their own: none of this is for them.

import { AcquireTimeoutError, ConnectionError, DatabaseClosedError } from '../../errors.ts'
import type { Query } from '../../query/executor.ts'
import type { Lease } from '../connection.ts'
import { Call } from '../wire/call.ts'
import { Wire, type WireOwner } from '../wire/wire.ts'
import { Paces, slowMs } from './paces.ts'

/**
 * How many calls lanes are filled with, one after the other, before another one is looked at. Few lanes that are full
 * cost far less CPU than many with little in each (system calls, wake-ups); with but one, client and server would wait
 * for each other by turns. So half of what is in flight at the moment, within these bounds. Measured: docs/performance.md
 */
const fewest = 3
const most = 24
/** The work that a lane is filled with: beyond it, others share what there is to do. */
const fillMs = 0.4
/** The wait that a statement accepts while there are connections left, and when there are none. */
const shortWaitMs = 1
const longWaitMs = 4
const maxDepth = 256
/** How often lanes are looked at: how long, at most, a statement waits behind one that turned out slow. */
const sweepMs = 10
/** After that without work a lane goes back to the pool; after the other in any case, so that the pool can renew it. */
const lingerMs = 500
const maxHoldMs = 30_000

type AnyQuery = Query<unknown, unknown, unknown>

/** What lanes need of the pool that their connections are of. */
export interface LaneOptions {
  /** Lanes at most. */
  readonly max: number
  /** How long a call waits for a lane before it fails with what `timedOut` answers; 0 for ever. */
  readonly waitMs: number
  /** How long a new lane's first answer may take. */
  readonly pingMs: number
  /** How many callers wait for a connection to themselves. */
  wanted(): number
  /** Whether there is a connection that nobody waits for. */
  spare(): boolean
  open(call: Call): Promise<Lease>
  /** Runs a statement on a connection to itself, because none can be shared. */
  alone<Params, Row, Result>(query: Query<Params, Row, Result>, params: Params): Promise<Result>
  timedOut(call: Call): Error
}

interface Lane {
  readonly lease: Lease
  readonly wire: Wire
  readonly openedAt: number
  usedAt: number
  /** Calls in flight. */
  calls: number
  /** What they are expected to take together, in ms. */
  expectedMs: number
  /** Whether a statement has it to itself. */
  taken: boolean
  /** Whether it takes nothing more, and goes back when it is empty. */
  leaving: boolean
}

export class Lanes implements WireOwner {
  readonly #options: LaneOptions
  readonly #lanes: Map<Wire, Lane> = new Map()
  readonly #paces = new Paces()
  readonly #waiting: Set<Call> = new Set()
  #opening = 0
  /** Calls in flight, on all lanes. */
  #calls = 0
  #timer: NodeJS.Timeout | null = null
  #sweptAt = 0
  #onEmpty: (() => void) | null = null
  #ended = false

  constructor(options: LaneOptions) {
    this.#options = options
  }

  /** Calls that wait for a lane. */
  get waiting(): number {
    return this.#waiting.size
  }

  get stats(): { lanes: number; inFlight: number; waiting: number } {
    let inFlight = 0
    for (const wire of this.#lanes.keys()) inFlight += wire.inFlight
    return { lanes: this.#lanes.size, inFlight, waiting: this.#waiting.size }
  }

  /** Runs a statement as a transaction of its own. One round trip. */
  execute<Params, Row, Result>(query: Query<Params, Row, Result>, params: Params): Promise<Result> {
    return new Promise((resolve) => {
      this.#place(new Call(query as AnyQuery, params, resolve as never))
    })
  }

  /**
   * For every caller who waits for a connection to himself a lane goes back to the pool as soon as it is empty: idle ones
   * first, last those whose statement is slow. Nobody knows when that ends, so these do not count as given. They are lanes
   * again when their turn has come.
   */
  yieldToOthers(): void {
    const now = performance.now()
    let wanted = this.#options.wanted()
    for (const { leaving, wire } of this.#lanes.values()) if (leaving && wire.busyMs(now) <= slowMs) wanted--
    const readiness = ({ taken, wire }: Lane) => (taken || wire.busyMs(now) > slowMs ? maxDepth : wire.inFlight)
    for (; wanted > 0; wanted--) {
      let next: Lane | null = null
      for (const lane of this.#lanes.values()) {
        if (!lane.leaving && (next === null || readiness(lane) < readiness(next))) next = lane
      }
      if (next === null) return
      this.#leave(next)
    }
  }

  /** Resolves when everything that was called is answered and every lane is back in the pool. */
  drain(): Promise<void> {
    return new Promise((resolve) => {
      this.#onEmpty = resolve
      if (this.#waiting.size === 0) for (const lane of [...this.#lanes.values()]) this.#leave(lane)
      this.#checkEmpty()
    })
  }

  /** What waits fails, and what is lost from now on is not run elsewhere. */
  end(): void {
    this.#ended = true
    for (const call of this.#waiting) call.fail(() => new DatabaseClosedError(call.query))
    this.#waiting.clear()
    this.#checkEmpty()
  }

  settled(wire: Wire, calls: readonly Call[], ms: number): void {
    const lane = this.#lanes.get(wire)
    if (lane === undefined) return
    for (const call of calls) {
      if (call.query === null) continue
      this.#paces.note(call.query, ms / calls.length)
      this.#count(lane, -1, -call.expectedMs)
    }
    if (lane.calls === 0) {
      lane.taken = false
      lane.expectedMs = 0
      if (lane.leaving || (this.#onEmpty !== null && this.#waiting.size === 0)) this.#leave(lane)
    }
    if (this.#waiting.size > 0) this.#fill()
  }

  gone(wire: Wire): void {
    const lane = this.#lanes.get(wire)
    if (lane !== undefined) this.#count(lane, -lane.calls, 0)
    this.#lanes.delete(wire)
    lane?.lease.release(false)
    this.#checkEmpty()
  }

  takesBack(call: Call): boolean {
    if (call.leaveToTwin()) return true
    if (this.#ended) return false
    // What never left this process, or only reads, can be run elsewhere; once.
    if (call.query === null || call.moved || (call.sent && call.query.readOnly !== true)) return false
    call.moved = true
    call.reset()
    this.#place(call)
    return true
  }

  #place(call: Call): void {
    const lane = this.#waiting.size === 0 ? this.#choose(call) : null
    if (lane !== null) this.#submit(lane, call)
    else {
      call.since = performance.now()
      this.#waiting.add(call)
      this.#open()
    }
  }

  #fill(): void {
    for (const call of this.#waiting) {
      const lane = this.#choose(call)
      if (lane === null) break
      this.#waiting.delete(call)
      this.#submit(lane, call)
    }
    this.#open()
  }

  #choose(call: Call): Lane | null {
    const quick = this.#paces.isQuick(call.query as AnyQuery)
    const waitMs = this.#lanes.size + this.#opening < this.#options.max ? shortWaitMs : longWaitMs
    const depth = Math.min(Math.max(fewest, (this.#calls + 1) >> 1), most)
    let now = 0
    let best: Lane | null = null
    for (const lane of this.#lanes.values()) {
      const { wire } = lane
      if (lane.leaving || lane.taken) continue
      if (lane.calls > 0) {
        if (!quick || lane.expectedMs > waitMs || lane.calls >= maxDepth) continue
        now ||= performance.now()
        if (wire.busyMs(now) > slowMs) continue
      }
      if (quick && lane.calls < depth && lane.expectedMs < fillMs) return lane
      if (best === null || lane.expectedMs < best.expectedMs) best = lane
    }
    // Nobody waits for it.
    if (best !== null && quick && this.#opening === 0 && this.#options.spare()) this.#openOne(call)
    return best
  }

  #submit(lane: Lane, call: Call): void {
    const query = call.query as AnyQuery
    call.expectedMs = this.#paces.expectedMs(query)
    call.shares = this.#paces.isQuick(query)
    lane.taken = !call.shares
    this.#count(lane, 1, call.expectedMs)
    lane.usedAt = this.#sweptAt
    // A parameter that does not fit is refused here, and nothing was sent.
    if (lane.wire.submit(call)) return
    this.#count(lane, -1, -call.expectedMs)
    lane.taken = false
  }

  #count(lane: Lane, calls: number, expectedMs: number): void {
    this.#calls += calls
    lane.calls += calls
    lane.expectedMs += expectedMs
  }

  /** Another lane for those who wait, as long as the pool has connections. */
  #open(): void {
    if (this.#opening >= this.#waiting.size || this.#lanes.size + this.#opening >= this.#options.max) {
      if (this.#waiting.size > 0) this.#watch()
      return
    }
    const [first] = this.#waiting
    this.#openOne(first as Call)
    this.#open()
  }

  #openOne(call: Call): void {
    this.#opening++
    this.#options.open(call).then(
      (lease) => {
        this.#opening--
        const { connection } = lease
        if (!(connection instanceof Wire)) return this.#scatter(lease)
        this.#add(lease, connection)
        this.#fill()
      },
      (error: Error) => {
        this.#opening--
        this.#failed(error)
        // The next sweep tries again, not this turn: the next error might come as quickly.
        this.#checkEmpty()
      },
    )
  }

  #add(lease: Lease, wire: Wire): void {
    const now = performance.now()
    wire.owner = this
    this.#lanes.set(wire, {
      lease,
      wire,
      openedAt: now,
      usedAt: now,
      calls: 0,
      expectedMs: 0,
      taken: false,
      leaving: false,
    })
    // Ahead of the first statement, in the same write: how long the way is, which is not the statements' fault.
    wire.ping(this.#options.pingMs).catch(() => {})
    this.#watch()
  }

  /**
   * There are no lanes: everybody who waits for one gets a connection to himself, before this one goes back, lest a pool
   * that is closing thinks that nobody wants it.
   */
  #scatter(lease: Lease): void {
    for (const { query, params, resolve } of this.#waiting) resolve(this.#options.alone(query as AnyQuery, params))
    this.#waiting.clear()
    lease.release(true)
    this.#checkEmpty()
  }

  /** A connection could not be had. While there are lanes they will serve those who wait; otherwise nothing will. */
  #failed(error: Error): void {
    // A wait that was too long was that of whoever it was begun for: the sweep tells each when his own is.
    if (this.#lanes.size > 0 || error instanceof AcquireTimeoutError) return
    for (const call of this.#waiting) {
      this.#waiting.delete(call)
      call.fail(() =>
        error instanceof ConnectionError ? new ConnectionError(call.query, error.cause as Error, 'not sent') : error,
      )
    }
  }

  #leave(lane: Lane): void {
    lane.leaving = true
    if (lane.wire.inFlight > 0 || !this.#lanes.delete(lane.wire)) return
    lane.wire.owner = null
    lane.lease.release(true)
    this.#checkEmpty()
  }

  #checkEmpty(): void {
    if (this.#lanes.size === 0 && this.#waiting.size === 0 && this.#opening === 0) this.#onEmpty?.()
  }

  #watch(): void {
    if (this.#timer !== null) return
    this.#sweptAt = performance.now()
    this.#timer = setInterval(() => this.#sweep(), sweepMs)
  }

  #sweep(): void {
    const now = performance.now()
    // If we were late ourselves, answers may lie in the socket, and nothing can be said of the server.
    const late = now - this.#sweptAt > 3 * sweepMs
    this.#sweptAt = now
    this.yieldToOthers()
    const ending = this.#onEmpty !== null && this.#waiting.size === 0
    for (const lane of [...this.#lanes.values()]) {
      const { wire } = lane
      lane.leaving ||= ending || now - lane.openedAt > maxHoldMs
      if (wire.inFlight === 0 && (lane.leaving || now - lane.usedAt > lingerMs)) this.#leave(lane)
      // While the lane's ping is under way (running is null), what takes long may be the way.
      const slow = wire.running !== null && wire.inFlight > 1 && wire.busyMs(now) > sweepMs
      if (slow && !late && !this.#ended) this.#sendElsewhere(lane)
    }
    for (const call of this.#waiting) {
      if (this.#options.waitMs === 0 || now - call.since < this.#options.waitMs) break
      this.#waiting.delete(call)
      call.fail(() => this.#options.timedOut(call))
    }
    this.#open()
    if (this.#lanes.size === 0 && this.#waiting.size === 0 && this.#timer !== null) {
      clearInterval(this.#timer)
      this.#timer = null
    }
  }

  /** Rule 3. The promise takes the first answer; the other one is read and dropped. */
  #sendElsewhere(lane: Lane): void {
    for (const call of lane.wire.behindFirst()) {
      // Rule 1 says so already; a write that ran twice would be too bad to rest on that alone.
      if (call.query?.readOnly !== true || call.moved) continue
      const again = new Call(call.query, call.params, call.resolve)
      const full = this.#lanes.size + this.#opening >= this.#options.max
      if (full && this.#choose(again) === null) return
      call.moved = true
      call.twin = again
      again.twin = call
      again.moved = true
      this.#place(again)
    }
  }
}
