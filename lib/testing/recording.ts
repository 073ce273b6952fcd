// Which statements a piece of code runs, for tests that assert that a relationship costs one round trip, however many
// rows there are.

import type { CallOptions } from '../database/database.ts'
import type { QueryIdentity } from '../errors.ts'
import type { Executor, Query } from '../query/executor.ts'
import type { QueryFunction } from '../query/kinds.ts'

/** A statement that was run: the function's name, and its parameters if it has any. */
export type RecordedStatement = readonly [name: string] | readonly [name: string, params: unknown]

/** What was recorded so far. */
export interface Recorded {
  /** In call order, those that failed included; of units of work and savepoints too. A write that `add` put off: when it is sent. */
  readonly statements: readonly RecordedStatement[]
  /** How many times the wrapped executor was asked: each is a round trip; COMMIT and ROLLBACK are not counted. */
  readonly roundTrips: number
  /** Forgets what was recorded. */
  clear(): void
}

/** What was wrapped, a `Database` for instance, and what it was asked for. */
export type Recording<Wrapped extends Executor = Executor> = Wrapped & Recorded

/**
 * The same database, or unit of work, which remembers every statement that passes. Wrap what talks to the database:
 * `recording(db)`. Goes wherever that goes.
 *
 *     const db = recording(await memoryDatabase())
 *     await listUsersWithPosts(db)
 *     assert.equal(db.roundTrips, 2)
 */
export function recording<Wrapped extends Executor>(executor: Wrapped): Recording<Wrapped> {
  const statements: RecordedStatement[] = []
  const recorded: Recorded = {
    statements,
    get roundTrips() {
      return statements.length
    },
    clear() {
      statements.length = 0
    },
  }
  return new Recorder(statements).around(executor, recorded)
}

type Work = (on: Executor) => unknown
type Deferrable = QueryFunction<unknown, unknown, unknown, unknown>

class Recorder {
  readonly #statements: RecordedStatement[]
  // One for each, as `here` is asked for executors, and `add` for functions, by those who tell them apart.
  readonly #executors = new WeakMap<Executor, Executor>()
  readonly #functions = new WeakMap<Deferrable, Deferrable>()

  constructor(statements: RecordedStatement[]) {
    this.#statements = statements
  }

  /**
   * A proxy, because units of work are objects with private parts.
   * @param own properties that it has besides
   */
  around<Wrapped extends Executor, Own extends object>(executor: Wrapped, own: Own): Wrapped & Own {
    const known = this.#executors.get(executor)
    if (known !== undefined) return known as Wrapped & Own
    const execute = <Params, Row, Result>(query: Query<Params, Row, Result>, params: Params): Promise<Result> => {
      this.#statements.push(params === undefined ? [query.name] : [query.name, params])
      return executor.execute(query, params)
    }
    const proxy = new Proxy(executor, {
      get: (target, name) => {
        if (name in own) return Reflect.get(own, name)
        const value: unknown = Reflect.get(target, name)
        if (typeof value !== 'function') return value
        if (name === 'execute') return execute
        const method = value.bind(target)
        if (name === 'unitOfWork' || name === 'savepoint') {
          return (work: Work, options?: unknown) => method((on: Executor) => work(this.#on(on)), options)
        }
        if (name === 'with') return (options: CallOptions) => this.#on(method(options))
        if (name === 'here') return (query: QueryIdentity) => this.#on(method(query))
        if (name === 'add') return (run: Deferrable, params: unknown) => method(this.#deferrable(run), params)
        return method
      },
    }) as Wrapped & Own
    this.#executors.set(executor, proxy)
    return proxy
  }

  #on(executor: Executor): Executor {
    return this.around(executor, {})
  }

  /** What a flush runs it on is not known before. */
  #deferrable(run: Deferrable): Deferrable {
    const known = this.#functions.get(run)
    if (known !== undefined) return known
    const recorded: Deferrable = Object.assign(
      (executor: Executor, params: unknown) => run(this.#on(executor), params),
      {
        query: run.query,
        batch: (executor: Executor, rows: readonly unknown[]) => run.batch(this.#on(executor), rows),
      },
    )
    this.#functions.set(run, recorded)
    return recorded
  }
}
