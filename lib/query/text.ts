// Rows and parameters in PostgreSQL's text format: what any plain client can send and return.

import type { QueryIdentity } from '../errors.ts'
import { cellsEncoder, cellText } from './cells.ts'
import type { Codec } from './codecs.ts'
import type { QuerySource } from './executor.ts'
import { decodeColumn, misfit, type RowReader } from './row.ts'
import { addScalarMethods } from './scalarMethods.ts'

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
  const error = misfit(query, columns)
  if (error !== null) throw error
  const source: Source = { query, columns, row: [] }
  const reader = Object.assign(new Half(source, false), { nullable: new Half(source, true) }) as unknown as RowReader
  return rows.map((row) => {
    source.row = row
    return read(reader)
  })
}

interface Source {
  readonly query: QueryIdentity
  readonly columns: readonly string[]
  row: readonly TextValue[]
}

/** A reader, or its `nullable` half. Has the method of each type from its prototype: most calls have a few rows only. */
class Half {
  readonly #source: Source
  readonly #allowsNull: boolean

  constructor(source: Source, allowsNull: boolean) {
    this.#source = source
    this.#allowsNull = allowsNull
  }

  value<T>(column: number, codec: Codec<T, never>): T | null {
    const { query, columns, row } = this.#source
    return decodeColumn(query, columns, column, row[column], codec, this.#allowsNull)
  }
}

addScalarMethods(Half.prototype)
