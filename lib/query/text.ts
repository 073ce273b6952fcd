// Rows and parameters in PostgreSQL's text format: what any plain client can send and return.

import type { Codec } from './codecs.ts'
import * as codecs from './codecs.ts'
import type { QuerySource } from './executor.ts'
import { assertParams, encodeParam, type ParamMethods, type ParamWriter } from './params.ts'
import { decodeColumn, type RowMethods, type RowReader } from './row.ts'

/** A parameter on its way to the server. */
export type TextValue = string | null

/** Readers and writers have a method for each of these; it does what `value` does with the codec. */
const scalars = {
  int2: codecs.int2,
  int4: codecs.int4,
  oid: codecs.oid,
  int8: codecs.int8,
  bigint: codecs.bigint,
  float4: codecs.float4,
  float8: codecs.float8,
  numeric: codecs.numeric,
  bool: codecs.bool,
  text: codecs.text,
  timestamptz: codecs.timestamptz,
  timestamp: codecs.timestamp,
  bytea: codecs.bytea,
  json: codecs.json<unknown>(),
}

/**
 * Encodes a call's parameters.
 * @throws ParameterError
 */
export function encodeParams<Params>(query: QuerySource<Params, unknown>, params: Params): TextValue[] {
  return paramsEncoder(query)(params)
}

/** Encodes the parameters of many calls: what it takes to do so is made once for a query. */
export function paramsEncoder<Params>(query: QuerySource<Params, unknown>): (params: Params) => TextValue[] {
  const known = encoders.get(query) as ((params: Params) => TextValue[]) | undefined
  if (known !== undefined) return known
  const encoder = makeEncoder(query)
  encoders.set(query, encoder)
  return encoder
}

const encoders = new WeakMap<object, (params: never) => TextValue[]>()

function makeEncoder<Params>(query: QuerySource<Params, unknown>): (params: Params) => TextValue[] {
  const { write } = query
  if (write === undefined) return () => []
  let texts: TextValue[] = []
  const half = (allowsNull: boolean): ParamMethods<null> => {
    const value = <T>(item: T | null, codec: Codec<unknown, T>): void => {
      texts.push(encodeParam(query, texts.length, item, codec, allowsNull))
    }
    return { ...methods((codec) => (item: never) => value(item, codec)), value } as ParamMethods<null>
  }
  const writer: ParamWriter = { ...half(false), nullable: half(true) }
  return (params) => {
    assertParams(query, params)
    texts = []
    write(writer, params)
    return texts
  }
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
  let row: readonly TextValue[] = []
  const half = (allowsNull: boolean): RowMethods<null> => {
    const value = <T>(column: number, codec: Codec<T, never>): T | null =>
      decodeColumn(query, columns, column, row[column], codec, allowsNull)
    return { ...methods((codec) => (column: number) => value(column, codec)), value } as RowMethods<null>
  }
  const reader: RowReader = { ...(half(false) as RowMethods<never>), nullable: half(true) }
  return rows.map((next) => {
    row = next
    return read(reader)
  })
}

function methods<Method>(method: (codec: Codec<unknown, never>) => Method): Record<string, Method> {
  return Object.fromEntries(Object.entries(scalars).map(([name, codec]) => [name, method(codec as never)]))
}
