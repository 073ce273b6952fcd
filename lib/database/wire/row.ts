// Rows on their way out of the server: reads the bytes of a DataRow message, in the binary form where that is faster
// and the generated decoder asks for the very type that the server sends.
// Source: PostgreSQL's protocol, "Message Formats"; the …send functions of each type for the binary forms.

import type { QueryIdentity } from '../../errors.ts'
import type { Codec } from '../../query/codecs.ts'
import * as codecs from '../../query/codecs.ts'
import { decodeColumn, type RowMethods, type RowReader } from '../../query/row.ts'
import { pgEpoch } from './outgoing.ts'

/** A column as the server describes it, with its type (pg_type.oid). */
export interface Column {
  readonly name: string
  readonly type: number
}

/** How the columns of a result come. */
export interface Columns {
  /** By number; empty until the server has described them. */
  readonly names: readonly string[]
  /** 1 for a column in binary form. */
  readonly binary: Uint8Array
}

/** Not described yet: everything comes as text. */
export const unknownColumns: Columns = { names: [], binary: new Uint8Array(0) }

/** The methods whose type has a binary form that we read faster than its text, by the type's oid. */
const binaryMethods: Readonly<Record<number, readonly string[]>> = {
  17: ['bytea'],
  20: ['int8', 'bigint'],
  21: ['int2'],
  23: ['int4'],
  26: ['oid'],
  701: ['float8'],
  1114: ['timestamp'],
  1184: ['timestamptz'],
}

/**
 * Decides the form of every column: binary where `read` asks for it by the method of exactly its type.
 * @param described names and types from the server's RowDescription
 */
export function planColumns(read: ((r: RowReader) => unknown) | undefined, described: readonly Column[]): Columns {
  const asked = read === undefined ? [] : methodsOf(read)
  return {
    names: described.map((column) => column.name),
    binary: Uint8Array.from(described, ({ type }, column) => {
      return binaryMethods[type]?.includes(asked[column] ?? '') ? 1 : 0
    }),
  }
}

/** Which method a decoder reads each column by, found out by handing it a row that takes notes. */
function methodsOf(read: (r: RowReader) => unknown): (string | undefined)[] {
  const methods: (string | undefined)[] = []
  const notes: RowReader = new Proxy({} as RowReader, {
    get: (_target, method) => {
      if (method === 'nullable') return notes
      return (column: number) => {
        // A column that is read in two ways stays text, which all methods can read.
        methods[column] = methods[column] === undefined || methods[column] === method ? String(method) : 'text'
        return null
      }
    },
  })
  try {
    read(notes)
  } catch {
    // A hand-written decoder that does more than read: the columns that it did not come to stay text.
  }
  return methods
}

/** The row at hand. Both halves of the reader look at this one. */
interface Frame {
  bytes: Buffer
  query: QueryIdentity
  columns: Columns
  count: number
  /** Where each column begins; −1 is NULL, −2 that there is no such column. */
  starts: Int32Array
  ends: Int32Array
}

const noBytes = Buffer.alloc(0)
const nobodys: QueryIdentity = { name: '', source: '' }
const isNull = -1
const isAbsent = -2

/** One per connection: every row of every result is looked at through it. */
export class WireRow {
  readonly reader: RowReader
  readonly #frame: Frame = {
    bytes: noBytes,
    query: nobodys,
    columns: unknownColumns,
    count: 0,
    starts: new Int32Array(16).fill(isAbsent),
    ends: new Int32Array(16),
  }

  constructor() {
    const half = new WireRowMethods(this.#frame, false) as RowMethods<never>
    this.reader = Object.assign(half, { nullable: new WireRowMethods(this.#frame, true) })
  }

  /**
   * Turns to the DataRow whose body, `bytes[at…end)`, is the number of columns, then each with its length.
   * @throws RangeError if they do not end where it ends: what stands behind it is another message's
   */
  turnTo(query: QueryIdentity, columns: Columns, bytes: Buffer, at: number, end: number): void {
    const frame = this.#frame
    const count = ((bytes[at] as number) << 8) | (bytes[at + 1] as number)
    if (count > frame.starts.length) {
      frame.starts = new Int32Array(2 * count).fill(isAbsent)
      frame.ends = new Int32Array(2 * count)
    } else if (count < frame.count) frame.starts.fill(isAbsent, count)
    frame.bytes = bytes
    frame.query = query
    frame.columns = columns
    frame.count = count
    const { starts, ends } = frame
    let position = at + 2
    for (let column = 0; column < count; column++) {
      const length = int32(bytes, position)
      position += 4
      starts[column] = length < 0 ? isNull : position
      if (length > 0) position += length
      ends[column] = position
    }
    if (position !== end) throw new RangeError('a row of the server is not as long as it says')
  }

  /** Lets go of the last row: its query may hold thousands of inputs. */
  turnAway(): void {
    this.#frame.bytes = noBytes
    this.#frame.query = nobodys
  }
}

class WireRowMethods implements RowMethods<null> {
  readonly #frame: Frame
  readonly #allowsNull: boolean

  constructor(frame: Frame, allowsNull: boolean) {
    this.#frame = frame
    this.#allowsNull = allowsNull
  }

  value<T>(column: number, codec: Codec<T, never>): T | null {
    const { bytes, starts, ends, columns, query } = this.#frame
    const start = starts[column] ?? isAbsent
    const text = start === isNull ? null : start < 0 ? undefined : utf8.call(bytes, start, ends[column] as number)
    // Only a hand-written decoder that looks at one column in two ways, depending on the row, can come here.
    const readable = columns.binary[column] !== 1 || start < 0 ? codec : readInTwoWays
    return decodeColumn<T>(query, columns.names, column, text, readable, this.#allowsNull)
  }

  text(column: number): string | null {
    const { bytes, starts, ends, columns } = this.#frame
    const start = starts[column] as number
    if (!(start >= 0) || columns.binary[column] === 1) return this.value(column, codecs.text)
    return utf8.call(bytes, start, ends[column] as number)
  }
  int2(column: number): number | null {
    const at = this.#binary(column)
    return at < 0 ? this.value(column, codecs.int2) : this.#frame.bytes.readInt16BE(at)
  }
  int4(column: number): number | null {
    const at = this.#binary(column)
    return at < 0 ? this.value(column, codecs.int4) : int32(this.#frame.bytes, at)
  }
  oid(column: number): number | null {
    const at = this.#binary(column)
    return at < 0 ? this.value(column, codecs.oid) : int32(this.#frame.bytes, at) >>> 0
  }
  int8(column: number): number | null {
    const at = this.#binary(column)
    if (at < 0) return this.value(column, codecs.int8)
    const { bytes } = this.#frame
    const value = int32(bytes, at) * 2 ** 32 + (int32(bytes, at + 4) >>> 0)
    return Number.isSafeInteger(value) ? value : this.#decode(column, codecs.int8, String(bytes.readBigInt64BE(at)))
  }
  bigint(column: number): bigint | null {
    const at = this.#binary(column)
    return at < 0 ? this.value(column, codecs.bigint) : this.#frame.bytes.readBigInt64BE(at)
  }
  float8(column: number): number | null {
    const at = this.#binary(column)
    return at < 0 ? this.value(column, codecs.float8) : this.#frame.bytes.readDoubleBE(at)
  }
  /** As text: the four bytes of 0.1 are the number 0.10000000149011612. */
  float4(column: number): number | null {
    return this.value(column, codecs.float4)
  }
  bool(column: number): boolean | null {
    const { bytes, starts, ends } = this.#frame
    const start = starts[column] as number
    if (start >= 0 && (ends[column] as number) - start === 1) {
      if (bytes[start] === 116) return true
      if (bytes[start] === 102) return false
    }
    return this.value(column, codecs.bool)
  }
  timestamptz(column: number): Date | null {
    return this.#date(column, codecs.timestamptz)
  }
  timestamp(column: number): Date | null {
    return this.#date(column, codecs.timestamp)
  }
  bytea(column: number): Uint8Array | null {
    const at = this.#binary(column)
    if (at < 0) return this.value(column, codecs.bytea)
    // A copy: what came in is written over by what comes next.
    const { bytes, ends } = this.#frame
    const end = ends[column] as number
    const copy = Buffer.allocUnsafe(end - at)
    bytes.copy(copy, 0, at, end)
    return copy
  }
  json<T>(column: number): T | null {
    return this.value(column, anyJson as Codec<T, never>)
  }

  /** Where the column begins if it is there, not NULL, and binary; a negative number otherwise. */
  #binary(column: number): number {
    return this.#frame.columns.binary[column] === 1 ? (this.#frame.starts[column] as number) : isAbsent
  }

  #date(column: number, codec: Codec<Date, never>): Date | null {
    const at = this.#binary(column)
    if (at < 0) return this.value(column, codec)
    const { bytes } = this.#frame
    const high = int32(bytes, at)
    // Microseconds within a number's exact range; the years beyond are rare enough for a bigint.
    if (high >= -(2 ** 20) && high < 2 ** 20) {
      return new Date(Math.floor((high * 2 ** 32 + (int32(bytes, at + 4) >>> 0)) / 1000) + pgEpoch)
    }
    const microseconds = bytes.readBigInt64BE(at)
    return farDate(microseconds) ?? this.#decode(column, codec, textBeyondDates(microseconds, codec.type))
  }

  /** The same error as on the way of texts, for a value that the JavaScript type cannot hold. */
  #decode<T>(column: number, codec: Codec<T, never>, text: string): T | null {
    return decodeColumn(this.#frame.query, this.#frame.columns.names, column, text, codec, this.#allowsNull)
  }
}

const infinity = 2n ** 63n - 1n

/** Undefined for infinity, and for what is later than a Date can be. */
function farDate(microseconds: bigint): Date | undefined {
  const milliseconds = microseconds / 1000n - (microseconds < 0n && microseconds % 1000n !== 0n ? 1n : 0n)
  const date = new Date(Number(milliseconds) + pgEpoch)
  return Number.isNaN(date.getTime()) ? undefined : date
}

/** As PostgreSQL would print it, or at least as far away. */
function textBeyondDates(microseconds: bigint, type: string): string {
  if (microseconds === infinity) return 'infinity'
  if (microseconds === -infinity - 1n) return '-infinity'
  return `294276-12-31 23:59:59${type === 'timestamptz' ? '+00' : ''}`
}

const anyJson = codecs.json<unknown>()

const readInTwoWays: Codec<never> = {
  type: 'any',
  decode() {
    throw new TypeError('is read by different methods in different rows: read it by one, and convert what it answers')
  },
  encode: String,
}

type Utf8 = (this: Buffer, start: number, end: number) => string

/** What `toString` ends up calling, without a tenth of a row's time that it spends around it; where there is such. */
const utf8: Utf8 =
  (Buffer.prototype as { utf8Slice?: Utf8 }).utf8Slice ??
  function (this: Buffer, start, end) {
    return this.toString('utf8', start, end)
  }

function int32(bytes: Uint8Array, at: number): number {
  return (
    ((bytes[at] as number) << 24) |
    ((bytes[at + 1] as number) << 16) |
    ((bytes[at + 2] as number) << 8) |
    (bytes[at + 3] as number)
  )
}
