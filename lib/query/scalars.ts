// A codec turns one PostgreSQL type into one JavaScript type and back, over the text format. Scalars are constants;
// types made of others (containers.ts, ranges.ts) are functions of their parts' codecs.
// A text that the type cannot have printed means that the schema changed after `plainsql generate`: never a guess.

import { types } from 'node:util'
import type { Cell } from './cells.ts'
import { describe, notAsPrinted } from './describe.ts'

/**
 * One type, both ways: `Out` is what rows hold, `In` what parameters accept.
 * Both directions throw RangeError or TypeError, whose messages go on from the name of a column or a parameter and
 * never hold the value; the row or the writer adds the name and the query.
 */
export interface Codec<Out, In = Out> {
  /** The type's name in PostgreSQL, for errors. */
  readonly type: string
  /** Inside an array or a composite: whether NULL is a value (see `nullable`). */
  readonly allowsNull?: true
  /** Inside JSON: needs a number's digits as they are written, because a JavaScript number would lose some. */
  readonly digits?: true
  decode(text: string): Out
  encode(value: In): string
  /** The value as it is, if that is one that `encode` takes and that a binary array holds as it is. See cells.ts. */
  cell?(value: In): Cell | undefined
  /** Of an array: its elements, for the binary form; undefined if that is not possible, or they are not right. */
  cells?(value: In): readonly Cell[] | undefined
  /** Reads a parsed part of a JSON document; without it, `decode` reads the part's text. See json.ts. */
  revive?(value: unknown): Out
}

export const int2: Codec<number> = integer('int2', -32768, 32767)
export const int4: Codec<number> = integer('int4', -2147483648, 2147483647)
export const oid: Codec<number> = integer('oid', 0, 4294967295)
/** A number as PostgreSQL prints it: 0.1 is 0.1, not the 0.10000000149011612 that its four bytes hold. */
export const float4: Codec<number> = float('float4')
/** Every bit survives, −0 included. */
export const float8: Codec<number> = {
  ...float('float8'),
  cell: (value) => (typeof value === 'number' ? value : undefined),
}

/** int8 as a number: a RangeError beyond ±(2^53 − 1) instead of a wrong number. */
export const int8: Codec<number, number | bigint> = {
  type: 'int8',
  decode(text) {
    const value = integerOf(text, 'int8')
    if (Number.isSafeInteger(value)) return value
    throw new RangeError('is beyond ±(2^53 − 1), which a number cannot hold: set "int8" to "bigint" or "string"')
  },
  cell: safeInteger,
  encode(value) {
    if (typeof value === 'bigint') {
      if (BigInt.asIntN(64, value) !== value) throw new RangeError('must be between −2^63 and 2^63 − 1 to be int8')
      return String(value)
    }
    if (!Number.isInteger(value)) throw notInteger(value)
    if (!Number.isSafeInteger(value)) throw new RangeError('is beyond ±(2^53 − 1): pass a bigint')
    return String(value)
  },
}

/** All of int8. */
export const bigint: Codec<bigint, number | bigint> = {
  type: 'int8',
  digits: true,
  decode(text) {
    if (!printedInteger.test(text)) throw notAsPrinted('int8')
    return BigInt(text)
  },
  cell: safeInteger,
  encode: int8.encode,
}

/** numeric as a string, which keeps every digit and the scale. */
export const numeric: Codec<string, string | number | bigint> = {
  type: 'numeric',
  digits: true,
  decode: (text) => text,
  encode(value) {
    if (typeof value === 'number' || typeof value === 'bigint') return String(value)
    if (typeof value === 'string') return text.encode(value)
    throw new TypeError(`must be a string, a number or a bigint, got ${describe(value)}`)
  },
}

export const bool: Codec<boolean> = {
  type: 'bool',
  decode(text) {
    if (text !== 't' && text !== 'f') throw notAsPrinted('bool')
    return text === 't'
  },
  cell: (value) => (typeof value === 'boolean' ? value : undefined),
  encode(value) {
    if (typeof value !== 'boolean') throw new TypeError(`must be a boolean, got ${describe(value)}`)
    return value ? 't' : 'f'
  },
}

/**
 * Any type as PostgreSQL prints and reads it.
 * Refuses what UTF-8 or PostgreSQL cannot hold: the character U+0000, and halves of surrogate pairs (which a socket
 * would silently turn into U+FFFD).
 */
export const text: Codec<string> = {
  type: 'text',
  decode: (value) => value,
  cell: (value) => (isStorableText(value) ? value : undefined),
  encode(value) {
    if (isStorableText(value)) return value
    if (typeof value !== 'string') throw new TypeError(`must be a string, got ${describe(value)}`)
    if (value.includes('\0')) throw new TypeError('holds the character U+0000, which PostgreSQL cannot store')
    throw new TypeError('holds half of a surrogate pair')
  },
}

function isStorableText(value: unknown): boolean {
  return typeof value === 'string' && !value.includes('\0') && value.isWellFormed()
}

export const bytea: Codec<Uint8Array> = {
  type: 'bytea',
  decode(value) {
    if (!value.startsWith('\\x')) throw new TypeError("arrived in the escape format: set bytea_output to 'hex'")
    return Buffer.from(value.slice(2), 'hex')
  },
  encode(value) {
    // Not by instanceof: test runners that run each file in a realm of its own have a Uint8Array of their own.
    if (!types.isUint8Array(value)) throw new TypeError(`must be a Uint8Array, got ${describe(value)}`)
    return `\\x${Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('hex')}`
  },
}

/** An enum as the union of its labels. A label that was added after `generate` is an error, not a lie. */
export function oneOf<const Label extends string>(type: string, ...labels: readonly Label[]): Codec<Label> {
  const known: ReadonlySet<unknown> = new Set(labels)
  return {
    type,
    decode(value) {
      if (known.has(value)) return value as Label
      throw new RangeError(`is not a label of ${type} (${labels.join(', ')}): run \`plainsql generate\``)
    },
    encode(value) {
      if (known.has(value)) return value
      throw new RangeError(`must be a label of ${type}: ${labels.join(', ')}`)
    },
  }
}

/** Not all that `Number` takes: where a column has become text, '' is not 0, and '0042' is not 42. */
const printedInteger = /^(?:0|-?[1-9]\d*)$/
const printedFloat = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:e[-+]?\d+)?$/
const beyondNumbers = /^(?:NaN|-?Infinity)$/

function integerOf(text: string, type: string): number {
  if (!printedInteger.test(text)) throw notAsPrinted(type)
  return Number(text)
}

function integer(type: string, min: number, max: number): Codec<number> {
  return {
    type,
    decode: (text) => integerOf(text, type),
    // An integer's −0 is 0, as in its text.
    cell: (value) => (Number.isInteger(value) && value >= min && value <= max ? value + 0 : undefined),
    encode(value) {
      if (!Number.isInteger(value)) throw notInteger(value)
      if (value < min || value > max) throw new RangeError(`must be between ${min} and ${max} to be ${type}`)
      return String(value)
    },
  }
}

function float(type: string): Codec<number> {
  return {
    type,
    decode(text) {
      if (!printedFloat.test(text) && !beyondNumbers.test(text)) throw notAsPrinted(type)
      return Number(text)
    },
    encode(value) {
      if (typeof value !== 'number') throw new TypeError(`must be a number, got ${describe(value)}`)
      return Object.is(value, -0) ? '-0' : String(value)
    },
  }
}

function safeInteger(value: number | bigint): number | undefined {
  // 5n is the same cell as 5: inputs of one row must not look different.
  const number = typeof value === 'bigint' ? Number(value) : value
  return Number.isSafeInteger(number) ? number + 0 : undefined
}

function notInteger(value: unknown): TypeError {
  return new TypeError(`must be an integer, got ${typeof value === 'number' ? 'a fraction or NaN' : describe(value)}`)
}
