// The values of parameters, checked and ready to be sent: as JavaScript's own where an array can carry them in binary form,
// else as PostgreSQL's text. What a batch holds of its inputs, and what a wire writes arrays from.

import type { Codec } from './codecs.ts'
import type { QuerySource } from './executor.ts'
import { assertParams, encodeParam, type ParamMethods, type ParamWriter } from './params.ts'
import { scalarMethods } from './scalarMethods.ts'
import { quote } from './scanner.ts'
import { formatTimestamptz } from './time.ts'

/** A string is PostgreSQL's text of any type; a Date is a timestamptz; a number is of an integer type or a float8. */
export type Cell = string | number | boolean | Date | null

/** As PostgreSQL reads it. */
export function cellText(cell: Cell): string | null {
  if (cell === null || typeof cell === 'string') return cell
  if (typeof cell === 'number') return Object.is(cell, -0) ? '-0' : String(cell)
  if (typeof cell === 'boolean') return cell ? 't' : 'f'
  return formatTimestamptz(cell)
}

/** A column of cells as one parameter: an array. */
export const cellArray: Codec<never, readonly Cell[]> = {
  type: 'array',
  decode() {
    throw new TypeError('is never read')
  },
  encode(cells) {
    const parts = cells.map((cell) => (cell === null ? 'NULL' : quote(cellText(cell) ?? '')))
    return `{${parts.join(',')}}`
  },
  cells: (cells) => cells,
}

/**
 * Encodes the parameters of many calls: what it takes to do so is made once for a query.
 * @returns a function that throws ParameterError
 */
export function cellsEncoder<Params>(query: QuerySource<Params, unknown>): (params: Params) => Cell[] {
  const known = encoders.get(query) as ((params: Params) => Cell[]) | undefined
  if (known !== undefined) return known
  const encoder = makeEncoder(query)
  encoders.set(query, encoder)
  return encoder
}

const encoders = new WeakMap<object, (params: never) => Cell[]>()

function makeEncoder<Params>(query: QuerySource<Params, unknown>): (params: Params) => Cell[] {
  const { write } = query
  if (write === undefined) return () => []
  const count = query.params?.length ?? 0
  // Of its size at once: an array that is pushed to starts with room for 17, and a batch has ten thousand of them.
  let cells = new Array<Cell>(count)
  let index = 0
  const half = (allowsNull: boolean): ParamMethods<null> => {
    const value = <T>(item: T | null, codec: Codec<unknown, T>): void => {
      const cell = item === null ? undefined : codec.cell?.(item)
      cells[index] = cell ?? encodeParam(query, index, item, codec, allowsNull)
      index++
    }
    return { ...scalarMethods((codec) => (item: never) => value(item, codec)), value } as ParamMethods<null>
  }
  const writer: ParamWriter = { ...half(false), nullable: half(true) }
  return (params) => {
    assertParams(query, params)
    cells = new Array<Cell>(count)
    index = 0
    write(writer, params)
    return cells
  }
}
