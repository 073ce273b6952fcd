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
import { chooseLane, depthFor, Lane } from './lane.ts'
import { Paces, slowMs } from './paces.ts'

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
  /** Called when a call has failed that waited for a lane. */
  gaveUp(): void
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
  /** Whether lanes go back as soon as nothing waits. */
  #draining = false
  #ended = false

  constructor(options: LaneOptions) {
    this.#options = options
  }

  /** Calls that wait for a lane. */
  get waiting(): number {
    return this.#waiting.size
  }

  get stats(): { lanes: number; inFlight: number; waiting: number } {
    return { lanes: this.#lanes.size, inFlight: this.#calls, waiting: this.#waiting.size }
  }

  /** Runs a statement as a transaction of its own. One round trip. */
  execute<Params, Row, Result>(query: Query<Params, Row, Result>, params: Params): Promise<Result> {
    return new Promise((resolve) => {
      this.#place(new Call(query as AnyQuery, params, resolve as never))
    })
  }

  /**
   * For every caller who waits for a connection to himself a lane goes back to the pool as soon as it is empty: idle ones
   * first. Those whose statement is slow do not count as given. They are lanes again when their turn has come.
   */
  yieldToOthers(): void {
    const now = performance.now()
    let wanted = this.#options.wanted()
    for (const { leaving, wire } of this.#lanes.values()) if (leaving && wire.busyMs(now) <= slowMs) wanted--
    if (wanted <= 0) return
    const staying = [...this.#lanes.values()].filter((lane) => !lane.leaving)
    staying.sort((one, other) => one.burden(now) - other.burden(now))
    for (const lane of staying.slice(0, wanted)) this.#leave(lane)
  }

  /** From now on every lane goes back to the pool as soon as everything that was called is answered. */
  drain(): void {
    this.#draining = true
    if (this.#isEnding) for (const lane of [...this.#lanes.values()]) this.#leave(lane)
  }

  /** What waits fails, and what is lost from now on is not run elsewhere. */
  end(): void {
    this.#ended = true
    for (const call of this.#waiting) this.#giveUp(call, () => new DatabaseClosedError(call.query))
  }

  settled(wire: Wire, calls: readonly Call[], ms: number): void {
    const lane = this.#lanes.get(wire)!
    for (const call of calls) {
      if (call.query === null) continue
      this.#paces.note(call.query, ms / calls.length)
      this.#count(lane, -1, -call.expectedMs)
    }
    if (lane.calls === 0) {
      lane.taken = false
      lane.expectedMs = 0
      if (lane.leaving || this.#isEnding) this.#leave(lane)
    }
    if (this.#waiting.size > 0) this.#fill()
  }

  gone(wire: Wire): void {
    const lane = this.#lanes.get(wire)!
    this.#count(lane, -lane.calls, 0)
    this.#lanes.delete(wire)
    lane.lease.release(false)
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
    const { query } = call
    call.expectedMs = this.#paces.expectedMs(query as AnyQuery)
    call.shares = query?.readOnly === true && call.expectedMs < slowMs
    const depth = depthFor(this.#calls)
    const lane = chooseLane(this.#lanes.values(), call, depth, this.#isFull)
    const wantsMore = lane !== null && call.shares && !lane.hasRoom(depth)
    // A connection that nobody waits for.
    if (wantsMore && this.#opening === 0 && this.#options.spare()) this.#openOne(call)
    return lane
  }

  #submit(lane: Lane, call: Call): void {
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

  get #isFull(): boolean {
    return this.#lanes.size + this.#opening >= this.#options.max
  }

  /** Another lane for those who wait, as long as the pool has connections. */
  #open(): void {
    if (this.#opening >= this.#waiting.size || this.#isFull) {
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
        connection.owner = this
        this.#lanes.set(connection, new Lane(lease, connection))
        // Ahead of the first statement, in the same write: how long the way is, which is not the statements' fault.
        connection.ping(this.#options.pingMs).catch(() => {})
        this.#watch()
        this.#fill()
      },
      (error: Error) => {
        this.#opening--
        // The next sweep tries again, not this turn: the next error might come as quickly.
        this.#failed(error)
      },
    )
  }

  /**
   * There are no lanes: everybody who waits for one gets a connection to himself, before this one goes back, lest a pool
   * that is closing thinks that nobody wants it.
   */
  #scatter(lease: Lease): void {
    for (const { query, params, resolve } of this.#waiting) resolve(this.#options.alone(query as AnyQuery, params))
    this.#waiting.clear()
    lease.release(true)
  }

  /** A connection could not be had. While there are lanes they will serve those who wait; otherwise nothing will. */
  #failed(error: Error): void {
    // A wait that was too long was that of whoever it was begun for: the sweep tells each when his own is.
    if (this.#lanes.size > 0 || error instanceof AcquireTimeoutError) return
    for (const call of this.#waiting) {
      this.#giveUp(call, () =>
        error instanceof ConnectionError ? new ConnectionError(call.query, error.cause as Error, 'not sent') : error,
      )
    }
  }

  #giveUp(call: Call, makeError: () => Error): void {
    this.#waiting.delete(call)
    call.fail(makeError)
    this.#options.gaveUp()
  }

  #leave(lane: Lane): void {
    lane.leaving = true
    if (lane.wire.inFlight > 0 || !this.#lanes.delete(lane.wire)) return
    lane.wire.owner = null
    lane.lease.release(true)
  }

  get #isEnding(): boolean {
    return this.#draining && this.#waiting.size === 0
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
    for (const lane of [...this.#lanes.values()]) {
      const { wire } = lane
      lane.leaving ||= this.#isEnding || now - lane.openedAt > maxHoldMs
      if (wire.inFlight === 0 && (lane.leaving || now - lane.usedAt > lingerMs)) this.#leave(lane)
      // While the lane's ping is under way (running is null), what takes long may be the way.
      const slow = wire.running !== null && wire.inFlight > 1 && wire.busyMs(now) > sweepMs
      if (slow && !late && !this.#ended) this.#sendElsewhere(lane)
    }
    for (const call of this.#waiting) {
      if (this.#options.waitMs === 0 || now - call.since < this.#options.waitMs) break
      this.#giveUp(call, () => this.#options.timedOut(call))
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
      if (this.#isFull && this.#choose(again) === null) return
      call.moved = true
      call.twin = again
      again.twin = call
      again.moved = true
      this.#place(again)
    }
  }
}
