// The kinds of typed functions: each turns a generated query into a function `(executor, params) => promise`
// that keeps one promise about the number of rows. The function knows nothing of what it runs on.

import { NoRowsError, type QueryIdentity, TooManyRowsError } from '../errors.ts'
import { runBatch, runBulk } from './batch.ts'
import type { Executor, Kind, Query, QuerySource } from './executor.ts'

/** A typed function. `Params` is `void` for a query without parameters. */
export interface QueryFunction<Params, Row, Result, Batch = Result[]> {
  (executor: Executor, params: Params): Promise<Result>
  readonly query: Query<Params, Row, Result>
  /**
   * Runs it for many inputs, in one round trip if its generated code has a `batch` form: one per 2,000 inputs of a read,
   * four at a time, and per 10,000 of a write. Without one each input is a statement. No inputs, no round trip. Reads ask
   * equal inputs once. Writes are all or nothing.
   *
   * @returns one result per input, in their order; for `:exec` the number of all affected rows
   * @throws as one call; `error.input` says which input it is about, where that is known
   */
  batch(executor: Executor, inputs: readonly Params[]): Promise<Batch>
}

/** Exactly one row. @throws NoRowsError, TooManyRowsError */
export type One<Params, Row> = QueryFunction<Params, Row, Row>
/** One row, or null. @throws TooManyRowsError */
export type Opt<Params, Row> = QueryFunction<Params, Row, Row | null>
/** Any number of rows, in the statement's order. */
export type Many<Params, Row> = QueryFunction<Params, Row, Row[]>
/** The only column of exactly one row. @throws NoRowsError, TooManyRowsError */
export type Value<Params, T> = QueryFunction<Params, T, T>
/** The only column of any number of rows. */
export type Values<Params, T> = QueryFunction<Params, T, T[]>
/** The number of rows inserted, updated or deleted; of a SELECT, returned. */
export type Exec<Params> = QueryFunction<Params, never, number, number>

/** Makes the function of an `:one` query, as generated files do: exactly one row. */
export function one<Params, Row>(source: QuerySource<Params, Row>): One<Params, Row> {
  return rowsFunction('one', source, (rows) => single(source, rows))
}

/** The same for `:opt`: one row, or null. */
export function opt<Params, Row>(source: QuerySource<Params, Row>): Opt<Params, Row> {
  return rowsFunction('opt', source, (rows) => (rows.length === 0 ? null : single(source, rows)))
}

/** The same for `:many`: an array of rows. */
export function many<Params, Row>(source: QuerySource<Params, Row>): Many<Params, Row> {
  return rowsFunction('many', source, (rows) => rows)
}

/** The same for `:value`: what `read` reads of exactly one row, which has one column. */
export function value<Params, T>(source: QuerySource<Params, T>): Value<Params, T> {
  return rowsFunction('value', source, (rows) => single(source, rows))
}

/** The same for `:values`: what `read` reads of each row. */
export function values<Params, T>(source: QuerySource<Params, T>): Values<Params, T> {
  return rowsFunction('values', source, (rows) => rows)
}

/** The same for `:exec`: the number of affected rows. */
export function exec<Params>(source: QuerySource<Params, never>): Exec<Params> {
  const query: Query<Params, never, number> = { ...source, kind: 'exec', finish: (_rows, affected) => affected }
  return queryFunction(query, (executor, inputs) => runBulk(executor, query, inputs))
}

function rowsFunction<Params, Row, Result>(
  kind: Kind,
  source: QuerySource<Params, Row>,
  finish: (rows: Row[]) => Result,
): QueryFunction<Params, Row, Result> {
  const query: Query<Params, Row, Result> = { ...source, kind, finish }
  return queryFunction(query, (executor, inputs) => runBatch(executor, query, inputs))
}

function queryFunction<Params, Row, Result, Batch>(
  query: Query<Params, Row, Result>,
  batch: (executor: Executor, inputs: readonly Params[]) => Promise<Batch>,
): QueryFunction<Params, Row, Result, Batch> {
  const run = (executor: Executor, params: Params): Promise<Result> =>
    misuse(query, executor) ?? executor.execute(query, params)
  const runMany = (executor: Executor, inputs: readonly Params[]): Promise<Batch> =>
    misuse(query, executor, inputs) ?? batch(executor, inputs)
  return Object.assign(run, { query, batch: runMany })
}

/** Arguments that tsc rules out; a caller in plain JavaScript gets here. */
function misuse({ name, source }: QueryIdentity, executor: Executor, inputs: unknown = []): Promise<never> | null {
  let problem = ''
  if (typeof executor?.execute !== 'function') problem = 'needs a database or a unit of work as its first argument'
  else if (!Array.isArray(inputs)) problem = 'needs an array of inputs as the second argument of batch'
  return problem === '' ? null : Promise.reject(new TypeError(`${name} (${source}) ${problem}`))
}

function single<Row>(source: QuerySource<never, Row>, rows: Row[]): Row {
  if (rows.length > 1) throw new TooManyRowsError(source, rows.length)
  if (rows.length === 0) throw new NoRowsError(source)
  return rows[0] as Row
}
