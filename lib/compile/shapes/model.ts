// The shape of a value: what is in it as far as the query tells, where its type alone would not (`json`, `record`,
// arrays). Shapes are made by `shapeOf` and become TypeScript types and decoders in `shapeTypes.ts`.

import type { Nullability, Origin } from '../model.ts'

export type Shape =
  /** No more than its type says. Inside a document: what JSON makes of that type. */
  | { readonly kind: 'type'; readonly oid: number; readonly origin: Origin | null }
  /** NULL, and nothing else: a branch that does not count. */
  | { readonly kind: 'null' }
  /** A value of type json or jsonb that holds this. */
  | { readonly kind: 'json'; readonly content: Shape }
  /** An SQL array, or a JSON array of any length. `origin`: the column whose unchanged value it is. */
  | { readonly kind: 'array'; readonly element: Member; readonly origin: Origin | null }
  /** `'[]'`. */
  | { readonly kind: 'empty array' }
  /** A row, or a JSON object with these keys and no others. */
  | { readonly kind: 'object'; readonly fields: readonly Field[] }
  /** A JSON array of this length. */
  | { readonly kind: 'tuple'; readonly elements: readonly Member[] }
  /** A JSON object whose keys are data. */
  | { readonly kind: 'record'; readonly element: Member }

export interface Member {
  readonly shape: Shape
  /** In a document: whether it can be JSON's null. */
  readonly nullability: Nullability
}

export interface Field extends Member {
  /** As in SQL, and as JSON's key. */
  readonly name: string
}

/** What both shapes have in common, or null if that is no more than their type. */
export function merge(a: Shape, b: Shape): Shape | null {
  if (a.kind === 'null') return b
  if (b.kind === 'null') return a
  if (a.kind === 'empty array') return b.kind === 'array' || b.kind === 'empty array' ? b : null
  if (b.kind === 'empty array') return a.kind === 'array' ? a : null
  if (isEmptyObject(a) && b.kind === 'record') return b
  if (a.kind === 'record' && isEmptyObject(b)) return a
  if (a.kind === 'type' && b.kind === 'type')
    return a.oid === b.oid ? { ...a, origin: sameOrigin(a.origin, b.origin) } : null
  if (a.kind === 'json' && b.kind === 'json') {
    const content = merge(a.content, b.content)
    return content && { kind: 'json', content }
  }
  if (a.kind === 'array' && b.kind === 'array') {
    const element = mergeMember(a.element, b.element)
    return element && { kind: 'array', element, origin: sameOrigin(a.origin, b.origin) }
  }
  if (a.kind === 'record' && b.kind === 'record') {
    const element = mergeMember(a.element, b.element)
    return element && { kind: 'record', element }
  }
  if (a.kind === 'tuple' && b.kind === 'tuple' && a.elements.length === b.elements.length) {
    const elements = a.elements.map((element, index) => mergeMember(element, b.elements[index]!))
    return elements.every((element) => element !== null) ? { kind: 'tuple', elements } : null
  }
  if (a.kind === 'object' && b.kind === 'object' && a.fields.length === b.fields.length) {
    const fields = a.fields.map((field, index) => mergeField(field, [b.fields[index]!, ...b.fields]))
    return fields.every((field) => field !== null) ? { kind: 'object', fields } : null
  }
  return null
}

/** What all shapes have in common; `fallback` if that is nothing. */
export function mergeAll(shapes: Iterable<Shape>, fallback: Shape): Shape {
  let merged: Shape = { kind: 'null' }
  for (const shape of shapes) {
    const next = merge(merged, shape)
    if (!next) return fallback
    merged = next
  }
  return merged.kind === 'null' ? fallback : merged
}

function mergeMember(a: Member, b: Member): Member | null {
  const shape = merge(a.shape, b.shape)
  return shape && { shape, nullability: b.nullability.nullable ? b.nullability : a.nullability }
}

function mergeField(field: Field, others: readonly Field[]): Field | null {
  const other = others.find((candidate) => candidate.name === field.name)
  const member = other ? mergeMember(field, other) : null
  return member && { ...member, name: field.name }
}

function isEmptyObject(shape: Shape): boolean {
  return shape.kind === 'object' && shape.fields.length === 0
}

function sameOrigin(a: Origin | null, b: Origin | null): Origin | null {
  return a?.schema === b?.schema && a?.table === b?.table && a?.column === b?.column ? a : null
}
