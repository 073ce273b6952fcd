// A batching scope: an executor on which equal queries of one tick become one statement.
// In: an executor. Out: an executor that waits for the end of the tick, then runs each query's calls as a batch.

import { DecodeError, QueryError } from '../errors.ts'
import { askAtOnce, inputEncoder, inputKey } from './batch.ts'
import type { EncodedInput } from './batchForm.ts'
import type { Executor, Query } from './executor.ts'

/** What a batching scope does beyond putting calls together. */
export interface BatchingOptions {
  /**
   * Whether answers are kept for the life of the scope, so that a question is asked once. Default false: what is asked
   * in a later tick is asked again. A write or a unit of work through the scope drops them, when it is called and again
   * when it is over; writes elsewhere go unnoticed.
   */
  readonly cache?: boolean | undefined
}

/**
 * Puts together all calls of one tick: `await Promise.all(posts.map((p) => getUser(scope, { id: p.authorId })))` is one
 * round trip, and equal calls are asked once.
 *
 * A tick is over when no promise callback is left to run: calls behind any number of `await`s belong to it as long as
 * those wait for what is there already, and not for the network, a file or a timer. Only reads that have a `batch` form
 * are put together. A write is passed on at once, and the reads that were called before it are passed on ahead of it: a
 * unit of work runs them in that order, a database side by side.
 *
 * An error reaches the callers it concerns: a parameter that does not fit or a missing row of `:one` that call alone; an
 * error of PostgreSQL all calls of the statement, but outside of a transaction one that may lie in the data (division by
 * zero, `raise`) makes each of them run by itself.
 */
export function batching(executor: Executor, { cache = false }: BatchingOptions = {}): Executor {
  // By what they run on, and by the query.
  let waiting = new Map<Executor, Map<AnyQuery, Calls>>()
  const kept = new Map<Executor, Map<AnyQuery, Map<string | number, Promise<unknown>>>>()

  const dispatch = (): void => {
    const all = waiting
    waiting = new Map()
    for (const queues of all.values()) for (const calls of queues.values()) void calls.run()
  }

  const enqueue = (query: AnyQuery, params: unknown): Promise<unknown> => {
    let calls: Calls
    let input: EncodedInput<unknown>
    let on = executor
    try {
      // The batch is sent from wherever the first of its calls was made. Each runs where it would have run by itself.
      on = executor.here?.(query) ?? executor
      calls = waiting.get(on)?.get(query) ?? new Calls(on, query)
      input = calls.encode(params)
    } catch (error) {
      return Promise.reject(error)
    }
    // The calls of a tick settle before nextTick's callbacks run, with all calls that follow from them.
    if (waiting.size === 0) void Promise.resolve().then(() => process.nextTick(dispatch))
    inner(waiting, on).set(query, calls)
    if (!cache) return calls.add(input)
    const answers = inner(inner(kept, on), query)
    const key = inputKey(input)
    const known = answers.get(key)
    if (known !== undefined) return known
    const answer = calls.add(input)
    answers.set(key, answer)
    answer.catch(() => answers.delete(key))
    return answer
  }

  /** Passes on what may write: the reads before it go first, and what was known before it is over does not count. */
  const write = async <T>(run: () => Promise<T>): Promise<T> => {
    dispatch()
    kept.clear()
    try {
      return await run()
    } finally {
      kept.clear()
    }
  }

  return {
    execute<Params, Row, Result>(query: Query<Params, Row, Result>, params: Params): Promise<Result> {
      if (!query.readOnly) return write(() => executor.execute(query, params))
      // A batch form is put together already.
      if (query.single !== undefined) return executor.execute(query, params)
      return enqueue(query as unknown as AnyQuery, params) as Promise<Result>
    },
    ...(executor.unitOfWork && {
      unitOfWork: <T>(work: (uow: Executor) => Promise<T>) => write(() => executor.unitOfWork!(work)),
    }),
  }
}

/** The map under a key of a map of maps. */
function inner<Outer, Key, Value>(maps: Map<Outer, Map<Key, Value>>, key: Outer): Map<Key, Value> {
  const known = maps.get(key) ?? new Map<Key, Value>()
  maps.set(key, known)
  return known
}

/** A query whose types nobody knows any more: its calls are all of one function. */
type AnyQuery = Query<unknown, unknown, unknown>

interface Call {
  readonly input: EncodedInput<unknown>
  readonly resolve: (result: unknown) => void
  readonly reject: (error: unknown) => void
}

/** The calls of one query in one tick. */
class Calls {
  /** Throws ParameterError. */
  readonly encode: (params: unknown) => EncodedInput<unknown>
  readonly #calls: Call[] = []
  readonly #executor: Executor
  readonly #query: AnyQuery

  constructor(executor: Executor, query: AnyQuery) {
    this.#executor = executor
    this.#query = query
    const encode = inputEncoder(query)
    this.encode = (params) => encode(params, this.#calls.length)
  }

  add(input: EncodedInput<unknown>): Promise<unknown> {
    return new Promise((resolve, reject) => this.#calls.push({ input, resolve, reject }))
  }

  async run(): Promise<void> {
    const calls = this.#calls
    const [only] = calls
    if (calls.length <= 1) return only?.resolve(this.#executor.execute(this.#query, only.input.params))
    try {
      const { groups } = await askAtOnce(
        this.#executor,
        this.#query,
        calls.map((call) => call.input),
      )
      for (const { input, resolve, reject } of calls) {
        try {
          const rows = groups[input.index] ?? []
          resolve(this.#query.finish(rows, rows.length))
        } catch (error) {
          reject(error)
        }
      }
    } catch (error) {
      const alone = this.#executor.unitOfWork && isOfData(error)
      for (const { input, resolve, reject } of calls) {
        if (alone) resolve(this.#executor.execute(this.#query, input.params))
        else reject(error)
      }
    }
  }
}

/**
 * Whether an error may be of one call alone: not one of the connection, of rights, of the statement's text, of a conflict
 * between transactions, of the server's limits. Functions may raise any other class, and one of their own.
 */
function isOfData(error: unknown): boolean {
  if (error instanceof DecodeError) return true
  return error instanceof QueryError && !/^(?:08|0A|25|26|28|40|42|53|55|57|58|XX)/.test(error.sqlState)
}
