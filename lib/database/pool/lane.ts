// One lane: a connection that callers share, with what is in flight on it; and which lane a statement is sent on.
// The rules, by number, are in lanes.ts.

import type { Lease } from '../connection.ts'
import type { Call } from '../wire/call.ts'
import type { Wire } from '../wire/wire.ts'
import { slowMs } from './paces.ts'

/** Bounds of how many calls a lane is filled with. */
const fewest = 3
const most = 24
/** The work that a lane is filled with: beyond it, others share what there is to do. */
const fillMs = 0.4
/** The wait that a statement accepts while there are connections left, and when there are none. */
const shortWaitMs = 1
const longWaitMs = 4
const maxDepth = 256

export class Lane {
  readonly lease: Lease
  readonly wire: Wire
  readonly openedAt: number = performance.now()
  usedAt: number = this.openedAt
  /** Calls in flight. */
  calls = 0
  /** What they are expected to take together, in ms. */
  expectedMs = 0
  /** Whether a statement has it to itself. */
  taken = false
  /** Whether it takes nothing more, and goes back when it is empty. */
  leaving = false

  constructor(lease: Lease, wire: Wire) {
    this.lease = lease
    this.wire = wire
  }

  /** Whether a quick read is sent on it without a look at the others. */
  hasRoom(depth: number): boolean {
    return this.calls < depth && this.expectedMs < fillMs
  }

  /** How far it is from being empty: last come those whose statement is slow, of which nobody knows when it ends. */
  burden(now: number): number {
    return this.taken || this.wire.busyMs(now) > slowMs ? maxDepth : this.wire.inFlight
  }
}

/**
 * How many calls lanes are filled with, one after the other, before another one is looked at. Few lanes that are full
 * cost far less CPU than many with little in each (system calls, wake-ups); with but one, client and server would wait
 * for each other by turns. So half of what is in flight at the moment, within these bounds. Measured: docs/performance.md
 */
export function depthFor(inFlight: number): number {
  return Math.min(Math.max(fewest, (inFlight + 1) >> 1), most)
}

/**
 * Rules 1 and 2.
 * @param depth how many calls each is filled with
 * @param full whether there can be no more lanes
 * @returns null if the call has to wait for one
 */
export function chooseLane(lanes: Iterable<Lane>, call: Call, depth: number, full: boolean): Lane | null {
  const waitMs = full ? longWaitMs : shortWaitMs
  let now = 0
  let best: Lane | null = null
  for (const lane of lanes) {
    if (lane.leaving || lane.taken) continue
    if (lane.calls > 0) {
      if (!call.shares || lane.expectedMs > waitMs || lane.calls >= maxDepth) continue
      now ||= performance.now()
      if (lane.wire.busyMs(now) > slowMs) continue
    }
    if (call.shares && lane.hasRoom(depth)) return lane
    if (best === null || lane.expectedMs < best.expectedMs) best = lane
  }
  return best
}
