// What a typed function is made of, and the one interface it runs on. A generated file holds `Query` data;
// a database, a unit of work, a batching scope and a test database are all `Executor`s and interchangeable.

import type { QueryIdentity } from '../errors.ts'
import type { ParamWriter } from './params.ts'
import type { RowReader } from './row.ts'

/** How many rows a query promises: the word behind `-- name: x :` in its `.sql` file. */
export type Kind = 'one' | 'opt' | 'many' | 'value' | 'values' | 'exec'

/** The part of a query that the generator writes: the SQL and how to get values in and rows out. */
export interface QuerySource<Params, Row> {
  /** The function's name, as in the header of the query. */
  readonly name: string
  /** Where the query stands: `sql/users.sql:3`, relative to the project. */
  readonly source: string
  /** The prepared statement's name: unique for this text, at most 63 bytes (NAMEDATALEN − 1). */
  readonly statement: string
  /** The statement as PostgreSQL gets it, with `$1`, `$2`, … */
  readonly sql: string
  /** The parameters' names in the order of their numbers; absent if there are none. */
  readonly params?: readonly string[]
  /** Writes every parameter, in order. Absent if there are none. */
  readonly write?: (w: ParamWriter, p: Params) => void
  /** What the columns were called that `read` reads by their numbers, if a `*` stands for them; see `misfit` in `row.ts`. */
  readonly columns?: readonly string[]
  /** Reads one row. Absent if the statement returns none. */
  readonly read?: (r: RowReader) => Row
  /** It only reads: it writes nothing, locks no rows and calls no volatile function. So it may be asked twice, or once
   * for several callers. */
  readonly readOnly?: true
  /** How it runs for many inputs in one statement. Absent if there is no such form: each input is a statement then. */
  readonly batch?: BatchSource
}

/**
 * The form of a query that runs it for many inputs: derived by the generator and checked by PostgreSQL. It takes one
 * array per parameter, with a value of each input.
 *
 * Which rows belong to which input, `key` or `ordinal` reads from the row. An INSERT has neither: it returns one row
 * per input, in their order. Without RETURNING there is but the number of all affected rows.
 */
export interface BatchSource {
  /** As in `QuerySource`. */
  readonly statement: string
  readonly sql: string
  /** As in `QuerySource`, if there are more of them. */
  readonly columns?: readonly string[]
  /** The value of the query's only parameter that a row was found by. Its text is that of the parameter. */
  readonly key?: (r: RowReader) => string | number | bigint
  /** The position of a row's input among the inputs; the first is 1. */
  readonly ordinal?: (r: RowReader) => number
  /**
   * Of an UPDATE, a DELETE or an upsert: the numbers, from 0, of the parameters that say which row is meant. Inputs that
   * mean the same row go in statements one after the other, so that the last one wins, as in calls one after the other.
   */
  readonly apart?: readonly number[]
  /**
   * Of a write: columns of the row that it writes or deletes which are a parameter as it is, and that parameter's number,
   * from 0. By them an error that quotes the row is traced to its input.
   */
  readonly row?: { readonly table: string; readonly columns: Readonly<Record<string, number>> }
}

/** A query with its promise: what an executor is handed. */
export interface Query<Params, Row, Result> extends QuerySource<Params, Row> {
  readonly kind: Kind
  /**
   * Turns what came back into what the kind promises.
   * @param rows the decoded rows
   * @param affected the count in the command tag: rows returned, inserted, updated or deleted
   * @throws NoRowsError, TooManyRowsError
   */
  readonly finish: (rows: Row[], affected: number) => Result
  /**
   * Set if this is the batch form of another query: that query. `params` is an array of its inputs then. An executor that
   * cannot run such SQL runs the other query for each of them instead.
   */
  readonly single?: Query<never, never, unknown>
  /** Set if it is one of several statements of a batch. */
  readonly ofBatch?: true
}

/**
 * Anything a typed function can run on. One `execute` is one round trip unless the executor says otherwise.
 *
 * @throws QueryError if PostgreSQL refuses the statement; ConnectionError if the connection is lost;
 *   ParameterError if a value does not fit its parameter; DecodeError if a row is not what the types say; NoRowsError,
 *   TooManyRowsError by the query's kind. A database: AcquireTimeoutError, PoolOverloadedError, DatabaseClosedError,
 *   DatabaseInsideUnitError. A unit of work: StatementSkippedError, UnitOfWorkClosedError, SavepointOpenError. With a limit
 *   of time or a signal: TimeoutError, CancelledError
 */
export interface Executor {
  execute<Params, Row, Result>(query: Query<Params, Row, Result>, params: Params): Promise<Result>
  /**
   * Runs `work` in a transaction: what a batch of writes needs that takes more than one statement. Absent where there is
   * a transaction already.
   */
  unitOfWork?<T>(work: (uow: Executor) => Promise<T>): Promise<T>
  /**
   * What a call that is made here and now runs on, for those who put calls off: where they are sent from, the unit of work
   * around them may be another one. Absent where it is always this executor.
   * @throws what such a call is refused with: DatabaseInsideUnitError, SavepointOpenError
   */
  here?(query: QueryIdentity): Executor
}
