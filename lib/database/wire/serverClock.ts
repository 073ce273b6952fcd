// For how long the server is busy with each call: lanes choose by it who is sent behind whom. Without the way there and
// back, which a ping measures, and without the time for which answers lay in the socket because we were busy.

/** By how much the way may be thought too long: so much a statement is late before anybody acts on it. */
const tolerableMs = 10

export class ServerClock {
  /** When the answer to the first call in flight could have come, had it taken no time. */
  #since = 0
  #roundTripMs = 0
  /** When the chunk at hand came. */
  #now = 0

  /** Calls leave, and nothing was in flight: the first of these has all of the way to the server before it. */
  started(): void {
    this.#since = performance.now() + this.#roundTripMs
  }

  /** A chunk of answers came. */
  arrived(): void {
    this.#now = performance.now()
  }

  /** For how long it has been at the first call in flight. */
  busyMs(now: number): number {
    return now - this.#since
  }

  /**
   * The first call in flight was answered, and the next one is its turn.
   * @param measures whether it is a ping that nothing was ahead of
   * @returns for how long the server was at it
   */
  answered(measures: boolean): number {
    const ms = this.#now - this.#since
    this.#since = this.#now
    if (measures) this.#roundTripMs += ms
    // Its answer may have lain in the socket while we were busy. One that took less than half as long says so; what does
    // not matter, and what is but the network's fickleness, stays until the next ping.
    else if (ms < -Math.max(tolerableMs, this.#roundTripMs / 2)) this.#roundTripMs /= 2
    return Math.max(ms, 0)
  }
}
