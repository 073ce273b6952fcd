// Deferred writes: calls that `add` put off, until a flush sends them together.
// In: functions with their parameters. Out: per call, the result that the function would have given.

import type { Executor } from '../../query/executor.ts'
import type { QueryFunction } from '../../query/kinds.ts'

/** A write that waits for a flush. */
export interface Deferred<Result> {
  /**
   * What the function returns; of an `:exec` function with a batch form, the number of rows that all its calls affected
   * together. To ask for it before the flush makes one at the end of the tick. To ignore it is safe: its error fails the
   * flush, and so the unit.
   */
  readonly result: Promise<Result>
}

/** The calls of one function, whose types nobody knows any more. */
interface Group {
  readonly run: QueryFunction<unknown, unknown, unknown, unknown>
  readonly calls: { params: unknown; resolve(result: unknown): void; reject(error: unknown): void }[]
}

/** The calls that wait, per function, in the order in which the functions were first added. */
export class DeferredWrites {
  #groups = new Map<unknown, Group>()

  get size(): number {
    return this.#groups.size
  }

  /** @param wanted called when the result is asked for, while the call still waits */
  add<Params, Row, Result, Batch>(
    run: QueryFunction<Params, Row, Result, Batch>,
    params: Params,
    wanted: () => void,
  ): Deferred<Result> {
    const group = this.#groups.get(run) ?? { run: run as unknown as Group['run'], calls: [] }
    this.#groups.set(run, group)
    const result = new Promise<unknown>((resolve, reject) => group.calls.push({ params, resolve, reject }))
    result.catch(() => {})
    const waits = (): boolean => this.#groups.get(run) === group
    return {
      get result() {
        if (waits()) wanted()
        return result as Promise<Result>
      },
    }
  }

  /** Sends everything that waits. @throws the first error */
  async flush(executor: Executor): Promise<void> {
    const groups = [...this.#groups.values()]
    this.#groups = new Map()
    const errors: unknown[] = []
    const note = (error: unknown): void => void errors.push(error)
    const sent: Promise<void>[] = []
    for (const group of groups) {
      // A batch may take several statements, and those of the next function may refer to its rows.
      if (group.run.query.batch !== undefined && group.calls.length > 1) await together(executor, group).catch(note)
      else sent.push(...oneByOne(executor, group).map((write) => write.catch(note)))
    }
    await Promise.all(sent)
    if (errors.length > 0) throw errors[0]
  }

  /** Gives up what still waits. */
  drop(error: unknown): void {
    for (const { calls } of this.#groups.values()) for (const { reject } of calls) reject(error)
    this.#groups = new Map()
  }
}

/** All at once, pipelined in the order in which they were added. */
function oneByOne(executor: Executor, { run, calls }: Group): Promise<void>[] {
  return calls.map(async ({ params, resolve, reject }) => {
    try {
      resolve(await run(executor, params))
    } catch (error) {
      reject(error)
      throw error
    }
  })
}

/** One statement for all rows, or as many as the function's batch form needs. */
async function together(executor: Executor, { run, calls }: Group): Promise<void> {
  const rows = calls.map(({ params }) => params)
  try {
    // An `:exec` function's is one number for all of them.
    const results = await run.batch(executor, rows)
    calls.forEach(({ resolve }, index) => {
      resolve(Array.isArray(results) ? results[index] : results)
    })
  } catch (error) {
    for (const { reject } of calls) reject(error)
    throw error
  }
}
