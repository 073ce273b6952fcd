// Connections that were just given back, kept for a moment for the next caller: pg-pool takes two timers, a tick and four
// events to hand one over, which is more than a statement costs, and under load the next caller is here already.
// In: seats that are as good as new. Out: the one that came last; the others go to pg-pool.

import type { Seat } from './seat.ts'

const keptMs = 100

export class AtHand {
  /** The last one last. */
  #seats: Seat[] = []
  #sweep: NodeJS.Timeout | null = null

  get count(): number {
    return this.#seats.length
  }

  put(seat: Seat): void {
    this.#seats.push(seat)
    this.#sweep ??= setInterval(() => this.putAway(performance.now() - keptMs), keptMs).unref()
  }

  /** The one that was given back last, if it is trusted; pg-pool has the others looked at by whoever gets them. */
  take(isTrusted: (seat: Seat) => boolean | null): Seat | null {
    for (let seat = this.#seats.pop(); seat !== undefined; seat = this.#seats.pop()) {
      if (isTrusted(seat)) return seat
      seat.putAway()
    }
    return null
  }

  /** Gives pg-pool what nobody has asked for since; by default all there is. */
  putAway(since: number = Number.POSITIVE_INFINITY): void {
    // Those that have been there longest are first.
    const kept = this.#seats.findIndex((seat) => seat.idleSince > since)
    for (const seat of this.#seats.splice(0, kept < 0 ? this.#seats.length : kept)) seat.putAway()
    if (this.#seats.length > 0 || this.#sweep === null) return
    clearInterval(this.#sweep)
    this.#sweep = null
  }
}
