// Rows and parameters in PostgreSQL's text format: what any plain client can send and return.

import { DecodeError, ParameterError, type QueryIdentity } from '../errors.ts'
import type { Codec } from './codecs.ts'
import * as codecs from './codecs.ts'
import { describe } from './describe.ts'
import type { QuerySource } from './executor.ts'
import type { ParamMethods, ParamWriter } from './params.ts'
import { type NullAwareRow, NullableRow, type RowMethods, type RowReader } from './row.ts'

/** A parameter on its way to the server. */
export type TextValue = string | null

/**
 * Encodes a call's parameters.
 * @throws ParameterError
 */
export function encodeParams<Params>(query: QuerySource<Params, unknown>, params: Params): TextValue[] {
  if (query.write === undefined) return []
  if (params === null || typeof params !== 'object') {
    throw new ParameterError(query, query.params?.join(', ') ?? '', `must come in an object, got ${describe(params)}`)
  }
  const writer = new TextParams(query)
  query.write(writer, params)
  return writer.values
}

/**
 * Decodes all rows of a result.
 * @param rows each an array of PostgreSQL's texts, in column order
 * @throws DecodeError
 */
export function decodeRows<Row>(
  query: QuerySource<never, Row>,
  columns: readonly string[],
  rows: readonly (readonly TextValue[])[],
): Row[] {
  const { read } = query
  if (read === undefined) return []
  const reader = new TextRow(query, columns)
  return rows.map((row) => {
    reader.row = row
    return read(reader)
  })
}

class TextRow implements RowReader, NullAwareRow {
  row: readonly TextValue[] = []
  readonly nullable: RowMethods<null> = new NullableRow(this)
  readonly #query: QueryIdentity
  readonly #columns: readonly string[]

  constructor(query: QueryIdentity, columns: readonly string[]) {
    this.#query = query
    this.#columns = columns
  }

  isNull(column: number): boolean {
    return this.row[column] === null
  }

  text(column: number): string {
    const text = this.row[column]
    if (typeof text === 'string') return text
    throw this.#error(
      column,
      text === null
        ? 'is NULL, but its type says that it cannot be: run `plainsql generate`, or mark the column "name?"'
        : 'did not arrive: the query was generated for another schema; run `plainsql generate`',
    )
  }

  value<T>(column: number, codec: Codec<T, never>): T {
    const text = this.text(column)
    try {
      return codec.decode(text)
    } catch (error) {
      throw this.#error(column, error instanceof Error ? error.message : String(error))
    }
  }

  int2(column: number): number {
    return this.value(column, codecs.int2)
  }
  int4(column: number): number {
    return this.value(column, codecs.int4)
  }
  oid(column: number): number {
    return this.value(column, codecs.oid)
  }
  float4(column: number): number {
    return this.value(column, codecs.float4)
  }
  float8(column: number): number {
    return this.value(column, codecs.float8)
  }
  int8(column: number): number {
    return this.value(column, codecs.int8)
  }
  bigint(column: number): bigint {
    return this.value(column, codecs.bigint)
  }
  bool(column: number): boolean {
    return this.value(column, codecs.bool)
  }
  timestamptz(column: number): Date {
    return this.value(column, codecs.timestamptz)
  }
  timestamp(column: number): Date {
    return this.value(column, codecs.timestamp)
  }
  bytea(column: number): Uint8Array {
    return this.value(column, codecs.bytea)
  }
  json<T>(column: number): T {
    return this.value(column, codecs.json<T>())
  }

  #error(column: number, problem: string): DecodeError {
    return new DecodeError(this.#query, this.#columns[column] ?? String(column), problem)
  }
}

/** Writes by codec; `allowsNull` is the difference between a writer and its `nullable` half. */
class TextParamMethods implements ParamMethods<null> {
  readonly values: TextValue[]
  readonly #query: QuerySource<never, unknown>
  readonly #allowsNull: boolean

  constructor(query: QuerySource<never, unknown>, values: TextValue[], allowsNull: boolean) {
    this.#query = query
    this.values = values
    this.#allowsNull = allowsNull
  }

  value<T>(value: T | null, codec: Codec<unknown, T>): void {
    if (value === null && this.#allowsNull) {
      this.values.push(null)
      return
    }
    try {
      this.values.push(codec.encode(value as T))
    } catch (error) {
      const problem = error instanceof Error ? error.message : String(error)
      const hint = value === undefined && this.#allowsNull ? ' (pass null for NULL)' : ''
      throw new ParameterError(this.#query, this.#query.params?.[this.values.length] ?? '?', problem + hint)
    }
  }

  int2(value: number | null): void {
    this.value(value, codecs.int2)
  }
  int4(value: number | null): void {
    this.value(value, codecs.int4)
  }
  oid(value: number | null): void {
    this.value(value, codecs.oid)
  }
  int8(value: number | bigint | null): void {
    this.value(value, codecs.int8)
  }
  float4(value: number | null): void {
    this.value(value, codecs.float4)
  }
  float8(value: number | null): void {
    this.value(value, codecs.float8)
  }
  numeric(value: string | number | bigint | null): void {
    this.value(value, codecs.numeric)
  }
  bool(value: boolean | null): void {
    this.value(value, codecs.bool)
  }
  text(value: string | null): void {
    this.value(value, codecs.text)
  }
  timestamptz(value: Date | null): void {
    this.value(value, codecs.timestamptz)
  }
  timestamp(value: Date | null): void {
    this.value(value, codecs.timestamp)
  }
  bytea(value: Uint8Array | null): void {
    this.value(value, codecs.bytea)
  }
  json(value: unknown): void {
    this.value(value, codecs.json<unknown>())
  }
}

class TextParams extends TextParamMethods implements ParamWriter {
  readonly nullable: ParamMethods<null>

  constructor(query: QuerySource<never, unknown>) {
    const values: TextValue[] = []
    super(query, values, false)
    this.nullable = new TextParamMethods(query, values, true)
  }
}
