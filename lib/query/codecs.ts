// A codec turns one PostgreSQL type into one JavaScript type and back, over the text format. Scalars are constants,
// the types made of others (arrays, composites, ranges) are functions of their parts' codecs.
// Sources: PostgreSQL's array_in/array_out (arrayfuncs.c), record_out (rowtypes.c), range_out (rangetypes.c).

import { formatTimestamp, formatTimestamptz, parseTimestamp, parseTimestamptz } from './time.ts'

/**
 * One type, both ways: `Out` is what rows hold, `In` what parameters accept.
 * Both directions throw RangeError or TypeError; the row or the writer adds the query and the column.
 */
export interface Codec<Out, In = Out> {
  /** The type's name in PostgreSQL, for errors. */
  readonly type: string
  /** Inside an array or a composite: whether NULL is a value (see `nullable`). */
  readonly allowsNull?: true
  decode(text: string): Out
  encode(value: In): string
}

/** Infinity, NaN and −0 included, the way PostgreSQL spells them. */
const float = (type: string): Codec<number> => ({ type, decode: Number, encode: (value) => String(number(value)) })

const integer = (type: string, min: number, max: number): Codec<number> => ({
  type,
  decode: Number,
  encode(value) {
    if (!Number.isInteger(value)) throw new TypeError(`must be an integer, got ${describe(value)}`)
    if (value < min || value > max) throw new RangeError(`must be between ${min} and ${max} to be ${type}`)
    return String(value)
  },
})

export const int2: Codec<number> = integer('int2', -32768, 32767)
export const int4: Codec<number> = integer('int4', -2147483648, 2147483647)
export const oid: Codec<number> = integer('oid', 0, 4294967295)
export const float4: Codec<number> = float('float4')
export const float8: Codec<number> = float('float8')

/** int8 as a number: a RangeError beyond ±(2^53 − 1) instead of a wrong number. */
export const int8: Codec<number, number | bigint> = {
  type: 'int8',
  decode(text) {
    const value = Number(text)
    if (!Number.isSafeInteger(value)) {
      throw new RangeError('is beyond ±(2^53 − 1), which a number cannot hold: set "int8" to "bigint" or "string"')
    }
    return value
  },
  encode(value) {
    if (typeof value === 'bigint') return String(value)
    if (!Number.isInteger(value)) throw new TypeError(`must be an integer, got ${describe(value)}`)
    if (!Number.isSafeInteger(value)) throw new RangeError('is beyond ±(2^53 − 1): pass a bigint')
    return String(value)
  },
}

export const bigint: Codec<bigint, number | bigint> = { type: 'int8', decode: BigInt, encode: int8.encode }

/** numeric as a string, which keeps every digit. */
export const numeric: Codec<string, string | number | bigint> = {
  type: 'numeric',
  decode: (text) => text,
  encode(value) {
    if (typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint') return String(value)
    throw new TypeError(`must be a string, a number or a bigint, got ${describe(value)}`)
  },
}

export const bool: Codec<boolean> = {
  type: 'bool',
  decode: (text) => text === 't',
  encode(value) {
    if (typeof value !== 'boolean') throw new TypeError(`must be a boolean, got ${describe(value)}`)
    return value ? 't' : 'f'
  },
}

/** Any type as PostgreSQL prints and reads it. */
export const text: Codec<string> = {
  type: 'text',
  decode: (value) => value,
  encode(value) {
    if (typeof value !== 'string') throw new TypeError(`must be a string, got ${describe(value)}`)
    return value
  },
}

export const timestamptz: Codec<Date> = { type: 'timestamptz', decode: parseTimestamptz, encode: formatTimestamptz }
export const timestamp: Codec<Date> = { type: 'timestamp', decode: parseTimestamp, encode: formatTimestamp }

export const bytea: Codec<Uint8Array> = {
  type: 'bytea',
  decode(value) {
    if (!value.startsWith('\\x')) throw new TypeError("arrived in the escape format: set bytea_output to 'hex'")
    return Buffer.from(value.slice(2), 'hex')
  },
  encode(value) {
    if (!(value instanceof Uint8Array)) throw new TypeError(`must be a Uint8Array, got ${describe(value)}`)
    return `\\x${Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('hex')}`
  },
}

/** json and jsonb. `T` is what the generator or the author says the document is; it is not verified. */
export function json<T>(): Codec<T> {
  return {
    type: 'json',
    decode: (value) => JSON.parse(value) as T,
    encode(value) {
      const encoded = JSON.stringify(value) as string | undefined
      if (encoded === undefined) throw new TypeError(`must be a JSON value, got ${describe(value)}`)
      return encoded
    },
  }
}

/** An enum as the union of its labels. A label that was added after `generate` is an error, not a lie. */
export function oneOf<const Label extends string>(type: string, ...labels: readonly Label[]): Codec<Label> {
  const known: ReadonlySet<string> = new Set(labels)
  const check = (value: string): Label => {
    if (known.has(value)) return value as Label
    throw new RangeError(`must be one of the labels of ${type}: ${labels.join(', ')}`)
  }
  return { type, decode: check, encode: check }
}

function number(value: number): number {
  if (typeof value !== 'number') throw new TypeError(`must be a number, got ${describe(value)}`)
  return value
}

/** What arrived, without its value. */
export function describe(value: unknown): string {
  if (value === null || value === undefined) return String(value)
  if (typeof value === 'number') return Number.isInteger(value) ? 'a number' : 'a number that is not an integer'
  if (typeof value !== 'object') return `a ${typeof value}`
  return `an object of class ${value.constructor?.name ?? 'null'}`
}
