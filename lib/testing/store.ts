// The committed data, and who may change it. Readers never wait and see only what is committed; writers run one after
// the other, as if every write locked the whole database until its transaction's end.

import { AsyncLocalStorage } from 'node:async_hooks'
import type { QueryIdentity } from '../errors.ts'
import type { State } from './engine.ts'
import { UnsupportedInMemoryError } from './unsupported.ts'

/** Whoever writes: a unit of work, or a statement of its own. */
export type Writer = object

/** The units of work that the running code is inside of, outermost first. */
export const openUnits: AsyncLocalStorage<readonly Writer[]> = new AsyncLocalStorage()

export class Store {
  committed: State
  #writer: Writer | null = null
  readonly #waiting: { writer: Writer; go: () => void }[] = []
  readonly #lockTimeoutMs: number

  /** @param lockTimeoutMs how long a writer waits for another */
  constructor(committed: State, lockTimeoutMs: number) {
    this.committed = committed
    this.#lockTimeoutMs = lockTimeoutMs
  }

  get isWritten(): boolean {
    return this.#writer !== null
  }

  /**
   * Waits until `writer` is the only one.
   * @throws UnsupportedInMemoryError if that can never be, or was not in time
   */
  async lock(writer: Writer, query: QueryIdentity | null): Promise<void> {
    if (this.#writer === writer) return
    if (this.#writer === null) {
      this.#writer = writer
      return
    }
    if (openUnits.getStore()?.includes(this.#writer)) {
      throw new UnsupportedInMemoryError(
        query,
        'a write by another connection inside a unit of work that has written (in memory it would wait for the unit, and the unit for it; pass the unit instead of the database)',
      )
    }
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.splice(this.#waiting.indexOf(entry), 1)
        const feature = `units of work that write at the same time and wait for each other (this one waited for ${this.#lockTimeoutMs} ms)`
        reject(new UnsupportedInMemoryError(query, feature))
      }, this.#lockTimeoutMs)
      const entry = {
        writer,
        go: () => {
          clearTimeout(timer)
          resolve()
        },
      }
      this.#waiting.push(entry)
    })
  }

  /** Lets the next writer in. Does nothing if `writer` is not the one that writes. */
  unlock(writer: Writer): void {
    if (this.#writer !== writer) return
    const next = this.#waiting.shift()
    this.#writer = next?.writer ?? null
    next?.go()
  }
}
