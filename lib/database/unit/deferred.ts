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

/** The calls of one function. An `:exec` function's `Batch` is one number for all of them. */
interface Group<Params, Row, Result, Batch> {
  readonly run: QueryFunction<Params, Row, Result, Batch>
  readonly calls: { params: Params; resolve(result: Result): void; reject(error: unknown): void }[]
}

/** The calls that wait, per function, in the order in which the functions were first added. */
export class DeferredWrites {
  // The groups differ in their types, and each is only ever used with its own function.
  #groups = new Map<unknown, Group<never, never, never, never>>()

  get size(): number {
    return this.#groups.size
  }

  /** @param wanted called when the result is asked for, while the call still waits */
  add<Params, Row, Result, Batch>(
    run: QueryFunction<Params, Row, Result, Batch>,
    params: Params,
    wanted: () => void,
  ): Deferred<Result> {
    const known = this.#groups.get(run) as unknown as Group<Params, Row, Result, Batch> | undefined
    const group = known ?? { run, calls: [] }
    if (known === undefined) this.#groups.set(run, group as unknown as Group<never, never, never, never>)
    const result = new Promise<Result>((resolve, reject) => group.calls.push({ params, resolve, reject }))
    result.catch(() => {})
    const waits = (): boolean => (this.#groups.get(run) as unknown) === group
    return {
      get result() {
        if (waits()) wanted()
        return result
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
function oneByOne<Params, Row, Result, Batch>(
  executor: Executor,
  { run, calls }: Group<Params, Row, Result, Batch>,
): Promise<void>[] {
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
async function together<Params, Row, Result, Batch>(
  executor: Executor,
  { run, calls }: Group<Params, Row, Result, Batch>,
): Promise<void> {
  const rows = calls.map(({ params }) => params)
  try {
    const results: unknown = await run.batch(executor, rows)
    calls.forEach(({ resolve }, index) => {
      resolve((Array.isArray(results) ? results[index] : results) as Result)
    })
  } catch (error) {
    for (const { reject } of calls) reject(error)
    throw error
  }
}
