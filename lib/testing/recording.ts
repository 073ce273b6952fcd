// Which statements a piece of code runs, for tests that assert that a relationship costs one round trip, however many
// rows there are.

import type { QueryIdentity } from '../errors.ts'
import type { Executor, Query } from '../query/executor.ts'

/** A statement that was run: the function's name, and its parameters if it has any. */
export type RecordedStatement = readonly [name: string] | readonly [name: string, params: unknown]

export interface Recording extends Executor {
  /** In call order, those that failed included. */
  readonly statements: readonly RecordedStatement[]
  /** How many times the wrapped executor was asked: each is a round trip; COMMIT is not counted. */
  readonly roundTrips: number
  /** Forgets what was recorded. */
  clear(): void
}

/**
 * An executor that passes everything on and remembers it. Wrap what talks to the database: `recording(db)`.
 *
 *     const db = recording(await memoryDatabase())
 *     await listUsersWithPosts(db)
 *     assert.equal(db.roundTrips, 2)
 */
export function recording(executor: Executor): Recording {
  const statements: RecordedStatement[] = []
  return {
    ...recorder(executor, statements),
    statements,
    get roundTrips() {
      return statements.length
    },
    clear() {
      statements.length = 0
    },
  }
}

function recorder(executor: Executor, statements: RecordedStatement[]): Executor {
  // One for each executor, as `here` is asked for by those who tell them apart.
  const recorders = new WeakMap<Executor, Executor>()
  return {
    execute<Params, Row, Result>(query: Query<Params, Row, Result>, params: Params): Promise<Result> {
      statements.push(params === undefined ? [query.name] : [query.name, params])
      return executor.execute(query, params)
    },
    // What batches of writes run their statements in.
    ...(executor.unitOfWork && {
      unitOfWork: <T>(work: (uow: Executor) => Promise<T>) =>
        executor.unitOfWork!((uow) => work(recorder(uow, statements))),
    }),
    ...(executor.here && {
      here(query: QueryIdentity): Executor {
        const on = executor.here!(query)
        const known = recorders.get(on) ?? recorder(on, statements)
        recorders.set(on, known)
        return known
      },
    }),
  }
}
