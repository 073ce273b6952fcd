// A call's parameters as nodes of the statement's tree: PostgreSQL's text of each, with the type that it was written as.

import { array, nullable, text } from '../query/codecs.ts'
import type { QuerySource } from '../query/executor.ts'
import type { ParamWriter } from '../query/params.ts'
import { encodeParams, type TextValue } from '../query/text.ts'
import type { Node } from './pgMem.ts'

/** A parameter's text and the name of its type, as codecs have it: `int4`, `uuid[]`. */
export interface MemoryParam {
  readonly text: TextValue
  readonly type: string
}

/** @throws ParameterError, the same as on PostgreSQL */
export function memoryParams<Params>(query: QuerySource<Params, unknown>, params: Params): MemoryParam[] {
  const texts = encodeParams(query, params)
  const types = paramTypes(query, params)
  return texts.map((value, index) => ({ text: value, type: types[index] ?? 'text' }))
}

/** The names of the methods that the query calls on its writer are the names of its parameters' types. */
function paramTypes<Params>(query: QuerySource<Params, unknown>, params: Params): string[] {
  const types: string[] = []
  const writer: object = new Proxy(
    {},
    {
      get(_, method: string) {
        if (method === 'nullable') return writer
        return (_value: unknown, codec?: { type: string }) => types.push(codec?.type ?? method)
      },
    },
  )
  query.write?.(writer as ParamWriter, params)
  return types
}

/** The elements of an array parameter, each a parameter of its own; null for NULL, undefined if it is not an array. */
export function elementsOf(param: MemoryParam): MemoryParam[] | null | undefined {
  if (!param.type.endsWith('[]')) return undefined
  if (param.text === null) return null
  const type = param.type.slice(0, -2)
  return textElements.decode(param.text).map((element) => ({ text: element, type }))
}

const textElements = array(nullable(text))

/**
 * A value as a constant of the tree. Its text never passes a lexer, which is what backslashes break in pg-mem.
 * @param enums the names of the schema's enums
 * @param refuse throws, for a value that pg-mem would change
 */
export function constant(param: MemoryParam, enums: ReadonlySet<string>, refuse: (feature: string) => never): Node {
  if (param.text === null) return { type: 'null' }
  const elements = elementsOf(param)
  if (elements) {
    const expressions = elements.map((element) => constant(element, enums, refuse))
    const to = typeName(elements[0]?.type ?? param.type.slice(0, -2), enums)
    if (to === undefined) refuse(`parameters of type ${param.type}`)
    return { type: 'cast', operand: { type: 'array', expressions }, to: { kind: 'array', arrayOf: { name: to } } }
  }
  switch (param.type) {
    case 'int2':
    case 'int4':
    case 'oid':
    case 'int8': {
      const value = Number(param.text)
      if (!Number.isSafeInteger(value)) refuse('integers beyond ±(2^53 − 1)')
      return { type: 'integer', value }
    }
    case 'float8': {
      const value = Number(param.text)
      if (!Number.isFinite(value)) refuse('NaN and Infinity')
      return { type: 'numeric', value }
    }
    case 'bool':
      return { type: 'boolean', value: param.text === 't' }
    case 'text':
      return { type: 'string', value: param.text }
    case 'json':
      if (param.text === 'null') refuse("JSON's null, which pg-mem takes for SQL's NULL")
  }
  const to = typeName(param.type, enums)
  if (to === undefined) return refuse(`parameters of type ${param.type}`)
  return { type: 'cast', operand: { type: 'string', value: param.text }, to: { name: to } }
}

/** What pg-mem calls a type whose values it keeps as they are; undefined if there is none. */
function typeName(type: string, enums: ReadonlySet<string>): string | undefined {
  if (enums.has(type)) return type
  return faithful[type]
}

const faithful: Readonly<Record<string, string>> = {
  int2: 'int4',
  int4: 'int4',
  int8: 'int8',
  float8: 'double precision',
  bool: 'bool',
  text: 'text',
  uuid: 'uuid',
  json: 'jsonb',
  date: 'date',
  timestamp: 'timestamp',
  timestamptz: 'timestamptz',
}
