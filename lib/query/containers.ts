// Codecs of the types that are made of others: arrays, composites, hstore. Ranges stand in ranges.ts.
// In: the codecs of the parts. Out: a codec of the whole, over PostgreSQL's text format.
// Sources: array_in and array_out (arrayfuncs.c), record_in and record_out (rowtypes.c), hstore_io.c in contrib.

import type { Cell } from './cells.ts'
import { describe, notAsPrinted } from './describe.ts'
import { decodeMember, encodeMember, inside, named, nullMember } from './members.ts'
import { type Codec, text } from './scalars.ts'
import { quote, Scanner } from './scanner.ts'

/** NULL as a member of an array or a composite: elsewhere a NULL inside them is an error. */
export function nullable<Out, In>(codec: Codec<Out, In>): Codec<Out | null, In | null> {
  return { ...codec, allowsNull: true, encode: (value) => codec.encode(value as In) }
}

/** `T[]`, `T[][]`, … by the number of dimensions. */
export type Nested<T, Dimensions extends number, Depth extends 0[] = [0]> = Depth['length'] extends Dimensions
  ? T[]
  : Nested<T[], Dimensions, [...Depth, 0]>

/** The same, as parameters take it. */
export type ReadonlyNested<T, Dimensions extends number, Depth extends 0[] = [0]> = Depth['length'] extends Dimensions
  ? readonly T[]
  : ReadonlyNested<readonly T[], Dimensions, [...Depth, 0]>

/**
 * An array. PostgreSQL does not enforce a number of dimensions, so a value with another one is a RangeError; an empty
 * array has none, and fits all. Lower bounds other than 1 (`[0:2]={…}`) are read past: the first element is at 0.
 *
 * @param dimensions 1 by default, at most 6 (MAXDIM in PostgreSQL's array.h)
 * @param delimiter the element type's `typdelim`: a comma for every built-in type but `box`, which has `;`
 */
export function array<Out, In, Dimensions extends number = 1>(
  codec: Codec<Out, In>,
  dimensions: Dimensions = 1 as Dimensions,
  delimiter = ',',
): Codec<Nested<Out, Dimensions>, ReadonlyNested<In, Dimensions>> {
  const type = codec.type + '[]'.repeat(dimensions)

  function decode(text: string): unknown[] {
    if (text === '{}') return []
    // Without bounds, quotes and inner braces there is nothing to unescape.
    if (dimensions === 1 && text.startsWith('{') && text.charAt(1) !== '{' && !text.includes('"')) {
      return readPlain(text)
    }
    const scanner = new Scanner(text, type)
    if (text.startsWith('[')) scanner.position = text.indexOf('=') + 1
    let depth = 0
    while (text.charAt(scanner.position + depth) === '{') depth++
    if (depth > 0 && depth !== dimensions) {
      throw new RangeError(`is ${codec.type}${'[]'.repeat(depth)}, where its type says ${type}`)
    }
    const elements = read(scanner, 1)
    scanner.finish()
    return elements
  }

  function readPlain(text: string): unknown[] {
    const elements: unknown[] = []
    const last = text.length - 1
    if (text.charCodeAt(last) !== 125 /* } */) throw notAsPrinted(type)
    try {
      for (let start = 1, end = 0; end < last; start = end + 1) {
        end = text.indexOf(delimiter, start)
        if (end < 0) end = last
        const part = text.slice(start, end)
        elements.push(part === 'NULL' ? nullMember(codec) : codec.decode(part))
      }
    } catch (error) {
      throw named(elements.length, error)
    }
    return elements
  }

  function read(scanner: Scanner, depth: number): unknown[] {
    const elements: unknown[] = []
    scanner.expect('{')
    do {
      if (depth < dimensions) elements.push(read(scanner, depth + 1))
      else elements.push(decodeMember(codec, scanner.token(`${delimiter}}`, 'NULL'), elements.length))
    } while (scanner.take(delimiter))
    scanner.expect('}')
    return elements
  }

  function encode(value: unknown, depth: number): string {
    if (!Array.isArray(value)) throw new TypeError(`must be an array, got ${describe(value)}`)
    // PostgreSQL refuses inner arrays of different lengths, and would store `{{},{}}` as `{}`.
    if (depth < dimensions && value.some((inner) => inner?.length === 0 || inner?.length !== value[0].length)) {
      throw new RangeError('must hold arrays of one length, and none that is empty')
    }
    const parts: string[] = []
    for (let index = 0; index < value.length; index++) {
      if (depth === dimensions) parts.push(encodeMember(codec, value[index], index) ?? 'NULL')
      else parts.push(inside(index, () => encode(value[index], depth + 1)))
    }
    return `{${parts.join(delimiter)}}`
  }

  function cells(value: unknown): readonly Cell[] | undefined {
    if (!Array.isArray(value)) return undefined
    const found: Cell[] = []
    for (const item of value) {
      if (item === null && !codec.allowsNull) return undefined
      const cell = item === null ? null : codec.cell?.(item)
      if (cell === undefined) return undefined
      found.push(cell)
    }
    return found
  }

  return {
    type,
    decode: (text) => decode(text) as Nested<Out, Dimensions>,
    encode: (value) => encode(value, 1),
    ...(dimensions === 1 && codec.cell && { cells }),
  }
}

type Fields = Readonly<Record<string, Codec<unknown, never>>>
type FieldsOut<F extends Fields> = { [K in keyof F]: F[K] extends Codec<infer Out, never> ? Out : never }
type FieldsIn<F extends Fields> = { readonly [K in keyof F]: F[K] extends Codec<unknown, infer In> ? In : never }

/**
 * A composite type, or the row type of a table, as an object.
 *
 * @param fields all fields in the order of the type; their names are the object's keys
 * @throws TypeError if a name is a whole number, which JavaScript would put first
 */
export function composite<F extends Fields>(fields: F): Codec<FieldsOut<F>, FieldsIn<F>> {
  const entries = Object.entries(fields as Readonly<Record<string, Codec<unknown, unknown>>>)
  if (entries.some(([name]) => /^\d+$/.test(name))) {
    throw new TypeError('a composite with a number for a field name cannot be an object: read it as text')
  }
  return {
    type: 'record',
    decode(text) {
      const scanner = new Scanner(text, 'a record of these fields')
      scanner.expect('(')
      const row = entries.map(([name, codec], index): [string, unknown] => {
        if (index > 0) scanner.expect(',')
        return [name, decodeMember(codec, scanner.token(',)', ''), name)]
      })
      scanner.expect(')')
      scanner.finish()
      // Not by assignment, which would take a field called "__proto__" for the prototype.
      return Object.fromEntries(row) as FieldsOut<F>
    },
    encode(value) {
      if (value === null || typeof value !== 'object') throw new TypeError(`must be an object, got ${describe(value)}`)
      return `(${entries.map(([name, codec]) => encodeMember(codec, value[name], name) ?? '').join(',')})`
    },
  }
}

/** The type of the hstore extension. Its keys are a set: their order is PostgreSQL's. */
export const hstore: Codec<Record<string, string | null>, Readonly<Record<string, string | null>>> = {
  type: 'hstore',
  decode(source) {
    const entries: [string, string | null][] = []
    const scanner = new Scanner(source, 'hstore')
    while (!scanner.done) {
      if (entries.length > 0) scanner.expect(', ')
      const key = scanner.token('=', '') ?? ''
      scanner.expect('=>')
      entries.push([key, scanner.token(',', 'NULL')])
    }
    return Object.fromEntries(entries)
  },
  encode(value) {
    if (value === null || typeof value !== 'object') throw new TypeError(`must be an object, got ${describe(value)}`)
    const pairs = Object.entries(value).map(([key, item]) => {
      return `${quote(text.encode(key))}=>${item === null ? 'NULL' : quote(text.encode(item))}`
    })
    return pairs.join(', ')
  },
}
