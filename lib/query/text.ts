// Rows and parameters in PostgreSQL's text format: what any plain client can send and return.

import { cellsEncoder, cellText } from './cells.ts'
import type { Codec } from './codecs.ts'
import type { QuerySource } from './executor.ts'
import { decodeColumn, type RowMethods, type RowReader } from './row.ts'
import { scalarMethods } from './scalarMethods.ts'

/** A parameter on its way to the server. */
export type TextValue = string | null

/**
 * Encodes a call's parameters.
 * @throws ParameterError
 */
export function encodeParams<Params>(query: QuerySource<Params, unknown>, params: Params): TextValue[] {
  return cellsEncoder(query)(params).map(cellText)
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
    return { ...scalarMethods((codec) => (column: number) => value(column, codec)), value } as RowMethods<null>
  }
  const reader: RowReader = { ...(half(false) as RowMethods<never>), nullable: half(true) }
  return rows.map((next) => {
    row = next
    return read(reader)
  })
}
