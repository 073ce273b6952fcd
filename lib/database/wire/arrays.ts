// Arrays of common types in binary form: ten thousand numbers, texts or times cost client and server a fraction of what
// PostgreSQL's text of them costs. In: cells, and the type that the server has described. Out: bytes behind their length.
// Source: array_recv in arrayfuncs.c; the …recv function of each element type.

import type { Cell } from '../../query/cells.ts'
import type { Outgoing } from './outgoing.ts'

/** Writes one cell with its length. False for a cell that the type cannot have. */
type PutCell = (out: Outgoing, cell: Cell) => boolean

interface Element {
  /** pg_type.oid */
  readonly oid: number
  readonly put: PutCell
}

/** By the oid of the array type. What is not here goes as text. */
const elements: Readonly<Record<number, Element>> = {
  1000: { oid: 16, put: putBool },
  1005: { oid: 21, put: putInt2 },
  1007: { oid: 23, put: putInt4 },
  1016: { oid: 20, put: putInt8 },
  1022: { oid: 701, put: putFloat8 },
  1009: { oid: 25, put: putText },
  1015: { oid: 1043, put: putText },
  1185: { oid: 1184, put: putTimestamptz },
  199: { oid: 114, put: putText },
  3807: { oid: 3802, put: putJsonb },
}

/** Whether arrays of the type have a binary form here. */
export function isBinaryArray(oid: number | undefined): oid is number {
  return oid !== undefined && elements[oid] !== undefined
}

/**
 * Writes a one-dimensional array.
 * @param type its oid
 * @returns false if a cell does not fit; what was written must be thrown away then
 */
export function putArray(out: Outgoing, type: number, cells: readonly Cell[]): boolean {
  const { oid, put } = elements[type] as Element
  // Counted from `start`: a growing block moves everything.
  const from = out.end - out.start
  out.putInt32(0)
  // The number of dimensions, of which an empty array has none; whether there are NULLs.
  out.putInt32(cells.length === 0 ? 0 : 1)
  out.putInt32(cells.includes(null) ? 1 : 0)
  out.putInt32(oid)
  if (cells.length > 0) {
    out.putInt32(cells.length)
    out.putInt32(1)
  }
  for (const cell of cells) {
    if (cell === null) out.putInt32(-1)
    else if (!put(out, cell)) return false
  }
  out.bytes.writeInt32BE(out.end - out.start - from - 4, out.start + from)
  return true
}

function putBool(out: Outgoing, cell: Cell): boolean {
  if (typeof cell !== 'boolean') return false
  out.putInt32(1)
  out.reserve(1)
  out.bytes[out.end++] = cell ? 1 : 0
  return true
}

function putInt2(out: Outgoing, cell: Cell): boolean {
  if (typeof cell !== 'number' || (cell << 16) >> 16 !== cell) return false
  out.putInt32(2)
  out.reserve(2)
  out.end = out.bytes.writeInt16BE(cell, out.end)
  return true
}

function putInt4(out: Outgoing, cell: Cell): boolean {
  if (typeof cell !== 'number' || (cell | 0) !== cell) return false
  out.reserve(8)
  const { bytes, end } = out
  bytes[end] = 0
  bytes[end + 1] = 0
  bytes[end + 2] = 0
  bytes[end + 3] = 4
  bytes[end + 4] = cell >> 24
  bytes[end + 5] = cell >> 16
  bytes[end + 6] = cell >> 8
  bytes[end + 7] = cell
  out.end = end + 8
  return true
}

/** A bigint comes as its digits. */
function putInt8(out: Outgoing, cell: Cell): boolean {
  if (typeof cell === 'string' && /^-?\d{1,19}$/.test(cell)) {
    const value = BigInt(cell)
    if (BigInt.asIntN(64, value) !== value) return false
    out.putInt32(8)
    out.reserve(8)
    out.end = out.bytes.writeBigInt64BE(value, out.end)
    return true
  }
  if (!Number.isSafeInteger(cell)) return false
  out.putInt64(cell as number)
  return true
}

function putFloat8(out: Outgoing, cell: Cell): boolean {
  if (typeof cell !== 'number') return false
  out.putInt32(8)
  out.reserve(8)
  out.end = out.bytes.writeDoubleBE(cell, out.end)
  return true
}

function putText(out: Outgoing, cell: Cell): boolean {
  if (typeof cell !== 'string') return false
  out.putSized(cell)
  return true
}

/** A version, which is 1, and JSON's text. */
function putJsonb(out: Outgoing, cell: Cell): boolean {
  return typeof cell === 'string' && putText(out, `\u0001${cell}`)
}

function putTimestamptz(out: Outgoing, cell: Cell): boolean {
  return cell instanceof Date && out.putMicroseconds(cell)
}
