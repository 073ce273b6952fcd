// What PostgreSQL does with documents of type jsonb, on pg-mem's: JavaScript's values, but for JSON's null.

import { UnsupportedInMemoryError } from './unsupported.ts'

/** JSON's null is a symbol, so that SQL's is another. */
export type Json = string | number | boolean | symbol | null | readonly Json[] | { readonly [key: string]: Json }

/** Keys by their length, then by their bytes. */
export function jsonbText(value: Json | undefined): string {
  if (value === null || value === undefined || typeof value === 'symbol') return 'null'
  if (Array.isArray(value)) return `[${value.map(jsonbText).join(', ')}]`
  if (typeof value === 'object') {
    const pairs = Object.entries(value).map(([key, member]) => ({ key: Buffer.from(key), member }))
    pairs.sort((a, b) => a.key.length - b.key.length || Buffer.compare(a.key, b.key))
    return `{${pairs.map(({ key, member }) => `${JSON.stringify(key.toString())}: ${jsonbText(member)}`).join(', ')}}`
  }
  const text = JSON.stringify(value)
  if (typeof value === 'number' && text.includes('e'))
    throw new UnsupportedInMemoryError(null, 'numbers like 1e30 in JSON')
  return text
}

/** `->`; null if there is none. A scalar is an array of one, but only to indexes. */
export function jsonbMember(document: Json, at: string | number): Json {
  if (typeof at === 'number') {
    const list = Array.isArray(document)
      ? (document as readonly Json[])
      : typeof document === 'object'
        ? []
        : [document]
    return list.at(at) ?? null
  }
  const isObject = typeof document === 'object' && document !== null && !Array.isArray(document)
  return isObject && Object.hasOwn(document, at) ? ((document as Record<string, Json>)[at] ?? null) : null
}

/** `@>`. Source: PostgreSQL's "jsonb Containment and Existence". */
export function jsonbContains(document: Json, part: Json): boolean {
  const [isList, isPartList] = [Array.isArray(document), Array.isArray(part)]
  if (isList && !isPartList && typeof part !== 'object') return contains(document, [part])
  return contains(document, part)
}

function contains(document: Json, part: Json): boolean {
  if (Array.isArray(document) && Array.isArray(part)) {
    return part.every((wanted) => document.some((item) => contains(item, wanted)))
  }
  if (isObject(document) && isObject(part)) {
    return Object.keys(part).every((key) => Object.hasOwn(document, key) && contains(document[key]!, part[key]!))
  }
  return jsonbText(document) === jsonbText(part)
}

function isObject(value: Json): value is { readonly [key: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
