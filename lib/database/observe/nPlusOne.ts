// The N+1 detector, for development: warns where one place asks the same question again and again, each time for
// another row, and names what asks once for all of them. In: an executor. Out: the same executor, watched.

import type { Executor, Query } from '../../query/executor.ts'
import { CallSite, findsCallers } from './callSite.ts'

/** What is watched for in development. */
export interface NPlusOneOptions {
  /**
   * Warn (`process.emitWarning`, once per place) when a query runs more often than this from one place in the code
   * within one tick or one unit of work; `true` is 10. Every call then notes its stack: for development and tests,
   * whose databases take it too. Default false.
   */
  readonly detectNPlusOne?: boolean | number | undefined
}

/** Of the stack: `include` and `batch` have some fifteen calls of their own before one. */
const depth = 30

/** The executor itself if the detector is off. */
export function watched<Watched extends Executor>(executor: Watched, { detectNPlusOne }: NPlusOneOptions): Watched {
  if (!detectNPlusOne) return executor
  if (!findsCallers()) {
    process.emitWarning(
      'detectNPlusOne finds no callers in a bundle without its source map: run node with --enable-source-maps',
      { type: 'NPlusOneWarning', code: 'PLAINSQL_N_PLUS_ONE' },
    )
  }
  return watch(executor, new Detector(detectNPlusOne === true ? 10 : detectNPlusOne), new Tick())
}

/** How often each query ran from each place: `getUser src/users.ts:12:9` → 3. */
interface Period {
  readonly name: string
  readonly counts: Map<string, number>
}

/** A period that starts anew when the event loop turns. */
class Tick implements Period {
  readonly name = 'tick'
  readonly #counts = new Map<string, number>()

  get counts(): Map<string, number> {
    if (this.#counts.size === 0) setImmediate(() => this.#counts.clear())
    return this.#counts
  }
}

class Detector {
  readonly #limit: number
  readonly #warned = new Set<string>()

  constructor(limit: number) {
    this.#limit = limit
  }

  count(period: Period, query: Query<never, never, unknown>, place: string | null): void {
    // A batch is the remedy, unless it is of one input.
    if (query.single !== undefined || query.ofBatch || place === null) return
    const key = `${query.name} ${place}`
    const { counts } = period
    const count = (counts.get(key) ?? 0) + 1
    counts.set(key, count)
    if (count <= this.#limit || this.#warned.has(key)) return
    this.#warned.add(key)
    process.emitWarning(
      `${query.name} (${query.source}) ran more than ${this.#limit} times in one ${period.name}, called at ${place}: ` +
        `ask once for all, by ${query.name}.batch(db, inputs), include(db, rows, …) or on batching(db)`,
      { type: 'NPlusOneWarning', code: 'PLAINSQL_N_PLUS_ONE' },
    )
  }
}

type Inner = (work: (on: Executor) => unknown, options?: unknown) => unknown

const unitPeriod = (): Period => ({ name: 'unit of work', counts: new Map() })

/** A proxy, because units of work are objects with private parts. */
function watch<Watched extends Executor>(executor: Watched, detector: Detector, period: Period): Watched {
  function execute<Params, Row, Result>(query: Query<Params, Row, Result>, params: Params): Promise<Result> {
    detector.count(period, query as unknown as Query<never, never, unknown>, new CallSite(execute, depth).place)
    return executor.execute(query, params)
  }
  /** `unitOfWork(work, options)` and `savepoint(work)`: what `work` gets is watched too. */
  const inner = (run: Inner, periodOf: () => Period) => (work: (on: Executor) => unknown, options?: unknown) => {
    const own = periodOf()
    return run.call(executor, (on) => work(watch(on, detector, own)), options)
  }
  return new Proxy(executor, {
    get(target, name) {
      if (name === 'execute') return execute
      const value: unknown = Reflect.get(target, name)
      if (typeof value !== 'function') return value
      if (name === 'unitOfWork') return inner(value as Inner, unitPeriod)
      if (name === 'savepoint') return inner(value as Inner, () => period)
      if (name === 'with') return (options: unknown) => watch(value.call(target, options), detector, period)
      return value.bind(target)
    },
  })
}
