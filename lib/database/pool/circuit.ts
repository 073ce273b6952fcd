// While no connection can be made, callers are told so at once instead of each finding out for itself; and when it
// is back, one of them tries first instead of all at the same moment.

import { ConnectionError, type QueryIdentity } from '../../errors.ts'

/** After the first failure, and at most. Each wait is between half of it and all of it, by chance. */
const firstPauseMs = 50
const maxPauseMs = 5_000

export class Circuit {
  readonly #changed: (failure: Error | null) => void
  #failure: Error | null = null
  #failedAt = 0
  #pauseMs = 0
  #retryAt = 0
  #trying = false

  /** @param changed called with the error when it opens, and with null when it closes */
  constructor(changed: (failure: Error | null) => void) {
    this.#changed = changed
  }

  /** Whether the last attempt to connect failed. */
  get open(): boolean {
    return this.#failure !== null
  }

  /**
   * Asks whether to try to connect.
   * @returns whether the caller is the one who tries for all the others
   * @throws ConnectionError while it is known to be in vain
   */
  enter(query: QueryIdentity | null): boolean {
    const failure = this.#failure as (Error & { code?: string }) | null
    if (failure === null) return false
    const now = performance.now()
    if (now < this.#retryAt || this.#trying) {
      const ago = Math.round(now - this.#failedAt)
      const text = `no connection could be made ${ago} ms ago (${failure.message}), and none is tried again yet`
      throw new ConnectionError(query, Object.assign(new Error(text), { code: failure.code }), 'not sent')
    }
    this.#trying = true
    return true
  }

  /** A connection was made. */
  succeeded(): void {
    if (this.#failure !== null) this.#changed(null)
    this.#failure = null
    this.#pauseMs = 0
    this.#trying = false
  }

  /** @param tries what `enter` answered */
  failed(error: Error, tries: boolean): void {
    const now = performance.now()
    // Attempts that were under way together are one failure.
    if (this.#failure === null || tries) {
      this.#pauseMs = Math.min(this.#pauseMs === 0 ? firstPauseMs : 2 * this.#pauseMs, maxPauseMs)
      this.#retryAt = now + this.#pauseMs * (0.5 + Math.random() / 2)
    }
    if (this.#failure === null) this.#changed(error)
    this.#failure = error
    this.#failedAt = now
    this.gaveUp(tries)
  }

  /** The attempt ended without an answer to the question, such as by a wait that was too long. */
  gaveUp(tries: boolean): void {
    if (tries) this.#trying = false
  }
}
