// The values of parameters, checked and ready to be sent: as JavaScript's own where an array can carry them in binary form,
// else as PostgreSQL's text. What a batch holds of its inputs, and what a wire writes arrays from.

import type { Codec } from './codecs.ts'
import type { QuerySource } from './executor.ts'
import { assertParams, encodeParam, type ParamWriter } from './params.ts'
import { addScalarMethods } from './scalarMethods.ts'
import { quote } from './scanner.ts'
import { timestamptz } from './time.ts'

/** A string is PostgreSQL's text of any type; a Date is a timestamptz; a number is of an integer type or a float8. */
export type Cell = string | number | boolean | Date | null

/** As PostgreSQL reads it. */
export function cellText(cell: Cell): string | null {
  if (cell === null || typeof cell === 'string') return cell
  if (typeof cell === 'number') return Object.is(cell, -0) ? '-0' : String(cell)
  if (typeof cell === 'boolean') return cell ? 't' : 'f'
  return timestamptz.encode(cell)
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
 * Encodes the parameters of many calls.
 * @returns a function that throws ParameterError
 */
export function cellsEncoder<Params>(query: QuerySource<Params, unknown>): (params: Params) => Cell[] {
  const { write } = query
  if (write === undefined) return () => []
  const count = query.params?.length ?? 0
  const target: Target = { query, cells: [], index: 0 }
  const writer = Object.assign(new Half(target, false), { nullable: new Half(target, true) }) as unknown as ParamWriter
  return (params) => {
    assertParams(query, params)
    // Of its size at once: an array that is pushed to starts with room for 17, and a batch has ten thousand of them.
    target.cells = new Array<Cell>(count)
    target.index = 0
    write(writer, params)
    return target.cells
  }
}

interface Target {
  readonly query: QuerySource<never, unknown>
  cells: Cell[]
  index: number
}

/** A writer, or its `nullable` half. */
class Half {
  readonly #target: Target
  readonly #allowsNull: boolean

  constructor(target: Target, allowsNull: boolean) {
    this.#target = target
    this.#allowsNull = allowsNull
  }

  value<T>(item: T | null, codec: Codec<unknown, T>): void {
    const target = this.#target
    const cell = item === null ? undefined : codec.cell?.(item)
    target.cells[target.index] = cell ?? encodeParam(target.query, target.index, item, codec, this.#allowsNull)
    target.index++
  }
}

addScalarMethods(Half.prototype)
