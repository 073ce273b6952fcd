// The connections that are held: by whom, for how long, and whether their server still answers.
// In: leases as they are given and given back. Out: the holders, for errors; and an end for connections that lead nowhere.

import type { Holder } from '../../errors.ts'
import { settlesWithin } from '../cancellation.ts'
import type { Lease } from '../connection.ts'
import type { CallSite } from '../observe/callSite.ts'
import { cancelledWithinMs } from './options.ts'
import type { Seat } from './seat.ts'

interface Held {
  readonly seat: Seat
  readonly since: number
  readonly use: Holder['use']
  readonly site: CallSite | null
}

const watchMs = 1_000

export class Leases {
  readonly #held: Map<Lease, Held> = new Map()
  readonly #answerTimeoutMs: number
  #watch: NodeJS.Timeout | null = null
  #checkedAt = 0

  /** @param answerTimeoutMs how long a server may owe an answer; 0 for ever */
  constructor(answerTimeoutMs: number) {
    this.#answerTimeoutMs = answerTimeoutMs
  }

  get count(): number {
    return this.#held.size
  }

  /** Those who hold one, the longest first. */
  get holders(): Holder[] {
    const now = performance.now()
    return [...this.#held.values()]
      .sort((a, b) => a.since - b.since)
      .map(({ seat: { running }, since, use, site }) => ({ use, ms: now - since, running, place: site?.place ?? null }))
  }

  add(lease: Lease, held: Held): void {
    this.#held.set(lease, held)
    if (this.#watch !== null || this.#answerTimeoutMs === 0) return
    this.#checkedAt = held.since
    this.#watch = setInterval(() => this.#checkAnswers(), watchMs).unref()
  }

  /** Whether it was there; one that was taken away, by `end`, is not. */
  delete(lease: Lease): boolean {
    return this.#held.delete(lease)
  }

  /**
   * Cancels what runs, and gives up what the server cannot cancel within that time, or is idle in a unit.
   * @param quiet resolves when nothing is held any more
   */
  async end(quiet: Promise<unknown>, withinMs: number): Promise<void> {
    const cancelled = [...this.#held.values()].map(({ seat }) => seat.connection.cancel?.().catch(() => {}))
    await settlesWithin(Promise.all([quiet, ...cancelled]), withinMs)
    for (const [lease, { seat }] of this.#held) {
      seat.giveUp('the database was closed')
      lease.release(false)
    }
  }

  unwatch(): void {
    if (this.#watch !== null) clearInterval(this.#watch)
  }

  /** A server that should have cancelled a statement long ago, and says nothing, is not there any more. */
  #checkAnswers(): void {
    const now = performance.now()
    // If we were late ourselves (a debugger, a stopped process), answers may lie in the sockets.
    const late = now - this.#checkedAt > 3 * watchMs
    this.#checkedAt = now
    if (late) return
    for (const [lease, { seat }] of this.#held) {
      const ms = Math.round(seat.connection.busyMs?.(now) ?? 0)
      if (ms > this.#limitMs(lease)) seat.giveUp(`no answer for ${ms} ms (pool.answerTimeoutMs)`)
    }
  }

  /** How long an answer may take: `statement_timeout` may be the owner's own. */
  #limitMs({ statementTimeoutMs: own }: Lease): number {
    if (own === undefined) return this.#answerTimeoutMs
    return own === 0 ? Number.POSITIVE_INFINITY : Math.max(this.#answerTimeoutMs, own + cancelledWithinMs)
  }
}
