// Codecs of ranges and multiranges, by their subtype's codec, over PostgreSQL's text format.
// Sources: range_in and range_out (rangetypes.c), multirange_out (multirangetypes.c).

import { describe } from './describe.ts'
import { decodeMember, encodeMember, inside } from './members.ts'
import type { Codec } from './scalars.ts'
import { Scanner } from './scanner.ts'

/** Which bounds belong to the range: the third argument of PostgreSQL's range constructors. */
export type Bounds = '[)' | '[]' | '(]' | '()'

/** A range that holds something. A null bound is infinite, and never inclusive in what PostgreSQL returns. */
export interface NonEmptyRange<T> {
  lower: T | null
  upper: T | null
  bounds: Bounds
}

/** A range. Those of int4, int8 and date always return with `[)` bounds, whatever went in. */
export type Range<T> = NonEmptyRange<T> | 'empty'

/** A range as a parameter. `bounds` is `[)` by default, as in PostgreSQL's constructors. */
export type RangeInput<T> = { readonly lower: T | null; readonly upper: T | null; readonly bounds?: Bounds } | 'empty'

/** A range type, by its subtype's codec. */
export function range<Out, In>(codec: Codec<Out, In>): Codec<Range<Out>, RangeInput<In>> {
  const type = `range of ${codec.type}`
  return {
    type,
    decode(text) {
      if (text === 'empty') return text
      const scanner = new Scanner(text, type)
      const decoded = readRange(scanner, codec)
      scanner.finish()
      return decoded
    },
    encode: (value) => encodeRange(codec, value),
  }
}

/** A multirange type, by its ranges' subtype's codec: disjoint ranges in ascending order, as PostgreSQL merges them. */
export function multirange<Out, In>(codec: Codec<Out, In>): Codec<NonEmptyRange<Out>[], readonly RangeInput<In>[]> {
  const type = `multirange of ${codec.type}`
  return {
    type,
    decode(text) {
      const ranges: NonEmptyRange<Out>[] = []
      if (text === '{}') return ranges
      const scanner = new Scanner(text, type)
      scanner.expect('{')
      do ranges.push(readRange(scanner, codec))
      while (scanner.take(','))
      scanner.expect('}')
      scanner.finish()
      return ranges
    },
    encode(value) {
      if (!Array.isArray(value)) throw new TypeError(`must be an array of ranges, got ${describe(value)}`)
      return `{${value.map((item, index) => inside(index, () => encodeRange(codec, item))).join(',')}}`
    },
  }
}

function readRange<Out>(scanner: Scanner, codec: Codec<Out, never>): NonEmptyRange<Out> {
  const open = scanner.oneOf('[(')
  const lower = scanner.token(',', '')
  scanner.expect(',')
  const upper = scanner.token(')]', '')
  const bounds = (open + scanner.oneOf(')]')) as Bounds
  return {
    lower: lower === null ? null : decodeMember(codec, lower, 'lower'),
    upper: upper === null ? null : decodeMember(codec, upper, 'upper'),
    bounds,
  }
}

function encodeRange<In>(codec: Codec<unknown, In>, value: RangeInput<In>): string {
  if (value === 'empty') return value
  if (value === null || typeof value !== 'object') throw new TypeError(`must be a range, got ${describe(value)}`)
  const { lower, upper, bounds = '[)' } = value
  if (!/^[[(][\])]$/.test(bounds)) throw new TypeError('must have bounds of "[)", "[]", "(]" or "()"')
  const from = lower === null ? '' : encodeMember(codec, lower, 'lower')
  const to = upper === null ? '' : encodeMember(codec, upper, 'upper')
  return `${bounds[0]}${from},${to}${bounds[1]}`
}
