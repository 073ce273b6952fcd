// How generated code reads a row: one method per wire type, by column number. Implementations read the
// bytes of the wire (`wire/row.ts`) or text (`text.ts`); the generated decoder and its types are the same on both.

import { DecodeError, type QueryIdentity } from '../errors.ts'
import type { Codec } from './codecs.ts'
import type { QuerySource } from './executor.ts'

/** Any JSON document. */
export type JsonValue = null | boolean | number | string | JsonValue[] | { [key: string]: JsonValue }

/** The methods of a row; `N` is what a NULL becomes: `never` (an error) or `null`. */
export interface RowMethods<N> {
  int2(column: number): number | N
  int4(column: number): number | N
  oid(column: number): number | N
  /** @throws DecodeError beyond ±(2^53 − 1): use `bigint` or `text` there (the option `int8`). */
  int8(column: number): number | N
  bigint(column: number): bigint | N
  float4(column: number): number | N
  float8(column: number): number | N
  bool(column: number): boolean | N
  /** Any type as PostgreSQL prints it. */
  text(column: number): string | N
  /** @throws DecodeError for `infinity` and for years that a Date cannot hold */
  timestamptz(column: number): Date | N
  /** Read as UTC, whatever the machine's zone. @throws DecodeError as `timestamptz` */
  timestamp(column: number): Date | N
  bytea(column: number): Uint8Array | N
  json<T>(column: number): T | N
  /** Every other type, by its codec. */
  value<T>(column: number, codec: Codec<T, never>): T | N
}

/** A row on its way out of the database. Its own methods refuse NULL: the types said that it cannot come. */
export interface RowReader extends RowMethods<never> {
  readonly nullable: RowMethods<null>
}

/**
 * Decodes one value as the reader's method for its type does.
 * @param text as PostgreSQL prints it; null for NULL, undefined if there is no such column
 * @param allowsNull the difference between a reader and its `nullable` half
 * @param columns names by number, as far as they are known
 * @throws DecodeError
 */
export function decodeColumn<T>(
  query: QueryIdentity,
  columns: readonly string[],
  column: number,
  text: string | null | undefined,
  codec: Codec<T, never>,
  allowsNull: boolean,
): T | null {
  if (text === null && allowsNull) return null
  try {
    if (typeof text === 'string') return codec.decode(text)
    throw new TypeError(text === null ? nullProblem : absentProblem)
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error)
    throw new DecodeError(query, columns[column] ?? String(column), problem)
  }
}

/**
 * The error of a result whose columns are not those that the generated code reads by their numbers; null if they are.
 * More of them behind those are fine, unless one is called like one of those, which may be the one that has moved there.
 */
export function misfit(query: QuerySource<never, unknown>, names: readonly string[]): DecodeError | null {
  const { columns } = query
  if (columns === undefined) return null
  const at = names.findIndex((name, index) =>
    index < columns.length ? name !== columns[index] : columns.includes(name),
  )
  if (at < 0 && names.length >= columns.length) return null
  const column = (at < 0 ? columns[names.length] : names[at]) as string
  const problem = `is not the one that the code was generated for: the statement gives ${names.join(', ')} instead of `
  return new DecodeError(query, column, `${problem}${columns.join(', ')}; run \`plainsql generate\` and deploy`)
}

const nullProblem = 'is NULL, but its type says that it cannot be: run `plainsql generate`, or mark the column "name?"'
const absentProblem = 'did not arrive: the query was generated for another schema; run `plainsql generate`'
