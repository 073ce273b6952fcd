// What a typed function is made of, and the one interface it runs on. A generated file holds `Query` data;
// a database, a unit of work, a batching scope and a test database are all `Executor`s and interchangeable.

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
  /** Reads one row. Absent if the statement returns none. */
  readonly read?: (r: RowReader) => Row
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
}

/**
 * Anything a typed function can run on. One `execute` is one round trip unless the executor says otherwise.
 *
 * @throws QueryError if PostgreSQL refuses the statement; ConnectionError if the connection is lost;
 *   ParameterError if a value does not fit its parameter; DecodeError if a row is not what the types say
 */
export interface Executor {
  execute<Params, Row, Result>(query: Query<Params, Row, Result>, params: Params): Promise<Result>
}
