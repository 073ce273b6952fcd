// Codecs of JSON: a document as it is, and one that a query builds (`json_agg`, `to_jsonb`, …), where they undo what JSON did
// to the values inside it.
// In: the document, and for each of its parts the codec of the type that it had in SQL. Out: Dates are Dates again, and
// so on. PostgreSQL writes numbers and booleans bare and everything else as a string of its text form
// (datum_to_json in json.c), which is what the codecs of those types read.

import { describe, notAsPrinted } from './describe.ts'
import { named, nullMember } from './members.ts'
import { bool, type Codec, float4, float8, int2, int4, oid, text } from './scalars.ts'

/** json and jsonb. `T` is what the generator or the author says the document is; it is not verified. */
export function json<T>(): Codec<T> {
  return anyJson as Codec<T>
}

const anyJson: Codec<unknown> = {
  type: 'json',
  decode: parseJson,
  encode(value) {
    let encoded: string | undefined
    try {
      encoded = JSON.stringify(value)
    } catch (error) {
      // A bigint or a cycle, usually.
      throw new TypeError(`cannot be written as JSON: ${error instanceof Error ? error.message : error}`)
    }
    if (encoded === undefined) throw new TypeError(`must be a JSON value, got ${describe(value)}`)
    return encoded
  },
  revive: plainJson,
}

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
    // Not by `revive`: of numbers that would be three hundredths of the time.
    let index = 0
    try {
      for (; index < value.length; index++) value[index] = revived(element, value[index])
    } catch (error) {
      throw named(index, error)
    }
    return value
  })
}

/** An array of a known length, each element of a type of its own, as `json_build_array` makes it. */
export function jsonTuple<const Out extends readonly unknown[]>(
  ...elements: { readonly [K in keyof Out]: Codec<Out[K], never> }
): JsonCodec<{ -readonly [K in keyof Out]: Out[K] }> {
  const parts: readonly Codec<unknown, never>[] = elements
  return jsonCodec('a JSON array', anyDigits(parts), (value) => {
    if (!Array.isArray(value) || value.length !== parts.length) throw unexpected(`an array of ${parts.length}`, value)
    parts.forEach((part, index) => {
      value[index] = revive(part, value[index], index)
    })
    return value as unknown as { -readonly [K in keyof Out]: Out[K] }
  })
}

type Parts = Readonly<Record<string, Codec<unknown, never>>>

/** An object with these keys and no others, as `to_json(row)` and `json_build_object` make it. */
export function jsonObject<F extends Parts>(
  fields: F,
): JsonCodec<{ [K in keyof F]: F[K] extends Codec<infer Out, never> ? Out : never }> {
  type Out = { [K in keyof F]: F[K] extends Codec<infer Part, never> ? Part : never }
  const parts = Object.entries(fields).map(([name, codec]) => ({
    name,
    codec,
    key: (codec as Partial<KeyedCodec<unknown>>).key ?? name,
    isPlain: plain.get(codec.decode),
  }))
  // Keys that objects have without being asked would be found where they are missing, and set what they must not.
  const inPlace = parts.every(({ name, key }) => name === key && !(name in Object.prototype))
  return jsonCodec('a JSON object', anyDigits(Object.values(fields)), (value) => {
    const source = asObject(value)
    if (!inPlace || Object.keys(source).length !== parts.length) {
      const entries = parts.map(({ name, codec, key }) => [name, revive(codec, own(source, key), name)])
      return Object.fromEntries(entries) as Out
    }
    for (const { name, codec, isPlain } of parts) {
      const item = source[name]
      if (isPlain?.(item) !== true) source[name] = revive(codec, item, name)
    }
    return source as Out
  })
}

/** What `JSON.parse` makes of a value is the value already, for codecs of types that are written bare, and of text. */
const plain: ReadonlyMap<unknown, (value: unknown) => boolean> = new Map<unknown, (value: unknown) => boolean>([
  ...[int2, int4, oid].map(({ decode }) => [decode, Number.isInteger] as const),
  ...[float4, float8].map(({ decode }) => [decode, (value: unknown) => typeof value === 'number'] as const),
  [bool.decode, (value) => typeof value === 'boolean'],
  [text.decode, (value) => typeof value === 'string'],
])

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
  try {
    return revived(codec, value)
  } catch (error) {
    throw named(place, error)
  }
}

function revived<Out>(codec: Codec<Out, never>, value: unknown): Out {
  if (value === undefined) throw new TypeError('is missing: run `plainsql generate`')
  if (value === null && codec.allowsNull) return null as Out
  if (codec.revive) return codec.revive(value)
  if (value === null) return nullMember(codec)
  if (typeof value === 'boolean') return codec.decode(value ? 't' : 'f')
  if (typeof value === 'object' && !(value instanceof Digits)) throw unexpected(codec.type, value)
  return codec.decode(Object.is(value, -0) ? '-0' : String(value))
}

/** A document's own object, which nobody else has: it may be changed. */
function asObject(value: unknown): Record<string, unknown> {
  if (value === null || typeof value !== 'object' || Array.isArray(value) || value instanceof Digits) {
    throw unexpected('an object', value)
  }
  return value as Record<string, unknown>
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

/** A number as it was written: `numeric` and int8 have digits that a JavaScript number would lose. */
class Digits {
  readonly #text: string

  constructor(text: string) {
    this.#text = text
  }

  toString(): string {
    return this.#text
  }
}

const tokens = /"[^"\\]*(?:\\.[^"\\]*)*"|\[\s*\]|\[|-?\d[\d.eE+-]*/g

/**
 * `JSON.parse` with numbers as `Digits`, which go through the parser as `["n","1.50"]`, and arrays as
 * `[0,…]`, which tells them apart.
 */
function parseExactly(text: string): unknown {
  const tagged = text.replace(tokens, (token) => {
    if (token.startsWith('"')) return token
    if (token.startsWith('[')) return token === '[' ? '[0,' : '[0]'
    return `["n","${token}"]`
  })
  return parseJson(tagged, (_key, value: unknown) => {
    if (!Array.isArray(value)) return value
    return value[0] === 'n' ? new Digits(String(value[1])) : value.slice(1)
  })
}

function parseJson(text: string, reviver?: (key: string, value: unknown) => unknown): unknown {
  try {
    return JSON.parse(text, reviver)
  } catch {
    // JSON.parse's own message quotes the value.
    throw notAsPrinted('JSON')
  }
}

/** A document inside of another one: as `JSON.parse` gives it. */
function plainJson(value: unknown): unknown {
  if (value instanceof Digits) return Number(String(value))
  if (Array.isArray(value)) return value.map(plainJson)
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plainJson(item)]))
}
