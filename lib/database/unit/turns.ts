// The order of calls on a unit or a savepoint: each starts when those before it have been started, and waits while
// something has the scope to itself, which is an open savepoint or a flush of deferred writes.

import type { QueryIdentity } from '../../errors.ts'
import type { Cancellation } from '../cancellation.ts'

interface Call {
  start(): void
  readonly flushes: boolean
}

export class Turns {
  /** Whether something has to be flushed before the next call. */
  readonly #due: () => boolean
  readonly #flush: () => Promise<void>
  readonly #calls: Call[] = []
  #occupied = false

  constructor(due: () => boolean, flush: () => Promise<void>) {
    this.#due = due
    this.#flush = flush
  }

  /** Whether nothing waits for its turn, and nothing has the scope to itself. */
  get idle(): boolean {
    return !this.#occupied && this.#calls.length === 0
  }

  /**
   * Starts a call in its turn: at once, if nothing has to come first.
   * @param own ends the wait for the turn
   * @param flushes whether the call is the flush itself
   */
  take<T>(query: QueryIdentity | null, own: Cancellation | null, call: () => Promise<T>, flushes = false): Promise<T> {
    if (this.idle && (flushes || !this.#due())) return call()
    return new Promise((resolve, reject) => {
      let waits = true
      own?.fired.then(() => waits && reject(own.error(query, 'not sent')))
      const start = (): void => {
        waits = false
        call().then(resolve, reject)
      }
      this.#calls.push({ start, flushes })
      this.#next()
    })
  }

  /** Runs something that nothing else may come between, in a turn of its own. */
  async alone<T>(run: () => Promise<T>): Promise<T> {
    this.#occupied = true
    try {
      return await run()
    } finally {
      this.#occupied = false
      this.#next()
    }
  }

  #next(): void {
    for (let call = this.#calls[0]; call !== undefined && !this.#occupied; call = this.#calls[0]) {
      if (this.#due() && !call.flushes) {
        // It never rejects: its error breaks the scope, and whoever waits for it will be told so.
        void this.#flush()
      } else {
        this.#calls.shift()
        call.start()
      }
    }
  }
}
