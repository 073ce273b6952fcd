// The order of statements on a connection that a unit of work has to itself: sent as they are called, without waiting
// for the answers of those before, except where one must be alone.

import type { QueryIdentity } from '../../errors.ts'
import type { Cancellation } from '../cancellation.ts'

/** A statement that cannot be sent yet. */
interface Job {
  readonly alone: boolean
  send(): void
}

export class Pipeline {
  /** Whether the next statement carries others that it would be wrong to overtake. */
  readonly #carries: () => boolean
  readonly #jobs: Job[] = []
  #running = 0
  #alone = false
  #starting = false
  #onDrained: (() => void)[] = []

  constructor(carries: () => boolean) {
    this.#carries = carries
  }

  get idle(): boolean {
    return this.#running === 0
  }

  /**
   * Sends a statement in its turn. Whoever does calls `answered` when it is over.
   * @param own ends the wait for the turn. A statement that has one goes when nothing is under way, and nothing goes
   *   behind it before it is answered: a CancelRequest then hits it or nothing
   */
  run<T>(query: QueryIdentity, own: Cancellation | null, send: () => Promise<T>): Promise<T> {
    const alone = own !== null
    if (this.#jobs.length === 0 && this.#admits(alone)) return this.#send(alone, send)
    return new Promise((resolve, reject) => {
      let waits = true
      own?.fired.then(() => waits && reject(own.error(query, 'not sent')))
      const start = (): void => {
        waits = false
        this.#send(alone, send).then(resolve, reject)
      }
      this.#jobs.push({ alone, send: start })
    })
  }

  /** Resolves when all that was called has been answered. */
  async drained(): Promise<void> {
    if (this.#running === 0) return
    await new Promise<void>((resolve) => this.#onDrained.push(resolve))
  }

  #admits(alone: boolean): boolean {
    return this.#running === 0 || !(this.#alone || alone || this.#carries())
  }

  #send<T>(alone: boolean, send: () => Promise<T>): Promise<T> {
    this.#running++
    this.#alone = alone || this.#carries()
    return send()
  }

  /** One of the statements that were sent is over. Not by a `then` on its promise, which costs every call a promise. */
  answered(): void {
    this.#running--
    this.#alone = false
    // What is refused at once is over before its `send` returns. The loop goes on then: thousands within each other would
    // not fit on the stack.
    if (this.#starting) return
    this.#starting = true
    for (let job = this.#jobs[0]; job !== undefined && this.#admits(job.alone); job = this.#jobs[0]) {
      this.#jobs.shift()
      job.send()
    }
    this.#starting = false
    if (this.#running > 0) return
    for (const resolve of this.#onDrained.splice(0)) resolve()
  }
}
