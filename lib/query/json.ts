// Codecs of JSON that a query builds (`json_agg`, `to_jsonb`, …): they undo what JSON did to the values inside it.
// In: the document, and for each of its parts the codec of the type that it had in SQL. Out: Dates are Dates again, and
// so on. PostgreSQL writes numbers and booleans bare and everything else as a string of its text form
// (datum_to_json in json.c), which is what the codecs of those types read.

import { describe } from './describe.ts'
import { Digits, parseExactly, parseJson } from './digits.ts'
import { inside } from './members.ts'
import type { Codec } from './scalars.ts'

/** A codec of a part of a document. It only reads: `never` as its input keeps it out of parameters. */
export interface JsonCodec<Out> extends Codec<Out, never> {
  revive(value: unknown): Out
}

/** A part whose key in the document is not its name in TypeScript. */
export interface KeyedCodec<Out> extends Codec<Out, never> {
  readonly key: string
}

/** A document that is a single value, as `to_json(now())` makes it. */
export function jsonOf<Out>(value: Codec<Out, never>): JsonCodec<Out> {
  return jsonCodec(value.type, value.digits, (parsed) => revived(value, parsed))
}

/** An array of any length, as `json_agg` and `to_json(array)` make it. */
export function jsonArray<Out>(element: Codec<Out, never>): JsonCodec<Out[]> {
  return jsonCodec('a JSON array', element.digits, (value) => {
    if (!Array.isArray(value)) throw unexpected('an array', value)
    return value.map((item: unknown, index) => revive(element, item, index))
  })
}

/** An array of a known length, each element of a type of its own, as `json_build_array` makes it. */
export function jsonTuple<const Out extends readonly unknown[]>(
  ...elements: { readonly [K in keyof Out]: Codec<Out[K], never> }
): JsonCodec<{ -readonly [K in keyof Out]: Out[K] }> {
  const parts: readonly Codec<unknown, never>[] = elements
  return jsonCodec('a JSON array', anyDigits(parts), (value) => {
    if (!Array.isArray(value) || value.length !== parts.length) throw unexpected(`an array of ${parts.length}`, value)
    return parts.map((part, index) => revive(part, value[index], index)) as { -readonly [K in keyof Out]: Out[K] }
  })
}

type Parts = Readonly<Record<string, Codec<unknown, never>>>

/** An object with these keys and no others, as `to_json(row)` and `json_build_object` make it. */
export function jsonObject<F extends Parts>(
  fields: F,
): JsonCodec<{ [K in keyof F]: F[K] extends Codec<infer Out, never> ? Out : never }> {
  const parts = Object.entries(fields).map(([name, codec]) => ({
    name,
    codec,
    key: (codec as Partial<KeyedCodec<unknown>>).key ?? name,
  }))
  return jsonCodec('a JSON object', anyDigits(Object.values(fields)), (value) => {
    const source = asObject(value)
    // Not by assignment, which would take a field called "__proto__" for the prototype.
    return Object.fromEntries(parts.map(({ name, codec, key }) => [name, revive(codec, own(source, key), name)])) as {
      [K in keyof F]: F[K] extends Codec<infer Out, never> ? Out : never
    }
  })
}

/** A field of `jsonObject` that is called `key` in the document. */
export function jsonKey<Out>(key: string, codec: Codec<Out, never>): KeyedCodec<Out> {
  return { ...codec, key }
}

/** An object whose keys are data, as `json_object_agg` makes it. */
export function jsonRecord<Out>(element: Codec<Out, never>): JsonCodec<Record<string, Out>> {
  return jsonCodec('a JSON object', element.digits, (value) =>
    Object.fromEntries(Object.entries(asObject(value)).map(([key, item]) => [key, revive(element, item, key)])),
  )
}

function jsonCodec<Out>(type: string, digits: true | undefined, read: (value: unknown) => Out): JsonCodec<Out> {
  return {
    type,
    ...(digits && { digits }),
    decode: (text) => read(digits ? parseExactly(text) : parseJson(text)),
    encode: onlyRead,
    revive: read,
  }
}

function revive<Out>(codec: Codec<Out, never>, value: unknown, place: number | string): Out {
  return inside(place, () => revived(codec, value))
}

function revived<Out>(codec: Codec<Out, never>, value: unknown): Out {
  if (value === undefined) throw new TypeError('is missing: run `plainsql generate`')
  if (value === null && codec.allowsNull) return null as Out
  if (codec.revive) return codec.revive(value)
  if (value === null) throw new RangeError('is NULL, which its type rules out')
  if (typeof value === 'boolean') return codec.decode(value ? 't' : 'f')
  if (typeof value === 'object' && !(value instanceof Digits)) throw unexpected(codec.type, value)
  return codec.decode(Object.is(value, -0) ? '-0' : String(value))
}

function asObject(value: unknown): Readonly<Record<string, unknown>> {
  if (value === null || typeof value !== 'object' || Array.isArray(value) || value instanceof Digits) {
    throw unexpected('an object', value)
  }
  return value as Readonly<Record<string, unknown>>
}

function own(source: Readonly<Record<string, unknown>>, key: string): unknown {
  return Object.hasOwn(source, key) ? source[key] : undefined
}

function anyDigits(codecs: readonly Codec<unknown, never>[]): true | undefined {
  return codecs.some((codec) => codec.digits) || undefined
}

function unexpected(expected: string, value: unknown): TypeError {
  return new TypeError(`must be ${expected}, got ${describe(value)}: run \`plainsql generate\``)
}

function onlyRead(): never {
  throw new TypeError('JSON that a query builds can only be read')
}
