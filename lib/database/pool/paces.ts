// How long each statement takes: what decides whether others are sent behind it.

import type { Query } from '../../query/executor.ts'

type AnyQuery = Query<unknown, unknown, unknown>

/** A statement whose runs take longer on average is slow. */
export const slowMs = 2

/** Moving averages in ms by statement, without the way to the server and back. */
export class Paces {
  readonly #averages: Map<string, { ms: number }> = new Map()

  /** After a run. */
  note({ statement }: AnyQuery, ms: number): void {
    const average = this.#averages.get(statement)
    // The first run also parses and plans: it says little, if it was slow.
    if (average === undefined) this.#averages.set(statement, { ms: Math.min(ms, slowMs) })
    else average.ms += (ms - average.ms) / 4
  }

  /** Nothing is known of a statement before its first run; then it counts as slow. */
  expectedMs({ statement }: AnyQuery): number {
    return this.#averages.get(statement)?.ms ?? slowMs
  }
}
