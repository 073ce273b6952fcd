// What generated code knows of a type: its name in TypeScript and how its values are read and written. Both come from
// one place, so that they agree. Here stand the forms; `types.ts` chooses one for each PostgreSQL type.

import { importOf } from './config.ts'
import type { Nullability } from './model.ts'
import { camelCase, isIdentifier, isReserved, pascalCase } from './naming.ts'

/** How generated code names a type, and moves its values. */
export interface ValueType {
  /** What rows hold: `number`, `Mood`. */
  readonly row: string
  /** What parameters accept: `number | bigint`, `readonly number[]`. */
  readonly param: string
  /** The method of the row reader; `value` needs the codec. */
  readonly read: string
  /** The method of the parameter writer. */
  readonly write: string
  /** The codec as an expression, for `value` and for containers: `codec.int4`, `mood`. */
  readonly codec: string
  /** What the file must declare before it can say the above, in order. */
  readonly declarations: readonly Declaration[]
  /** What the file must import for it. */
  readonly imports: readonly Import[]
  /** Whether the author named the TypeScript type, so that the row's value must be asserted to be of it. */
  readonly asserted: boolean
}

/** A type alias, an interface or a codec constant at the top of a generated file. */
export interface Declaration {
  readonly name: string
  readonly text: string
  /** Whether it belongs to one query and stands with it; the others stand at the top of the file. */
  readonly isOwn?: true
}

export interface Import {
  readonly name: string
  /** As in the settings: relative to the project's folder, or a package. */
  readonly from: string
}

/** A member of an interface. */
export interface TypedField {
  /** As it stands in the interface: quoted if it must be. */
  readonly key: string
  readonly type: ValueType
  readonly nullability: Nullability
}

/** The interface of a row or of an object in it; a field that may be null says why. */
export function interfaceText(name: string, fields: readonly TypedField[]): string {
  const lines = fields.map(({ key, type, nullability }) => {
    const docs =
      nullability.nullable && nullability.reason !== '' ? `  /** Null if ${docText(nullability.reason)}. */\n` : ''
    return `${docs}  ${key}: ${orNull(type.row, nullability.nullable)}\n`
  })
  return `export interface ${name} {\n${lines.join('')}}`
}

/** Text inside a TSDoc comment must not end it. */
export function docText(text: string): string {
  return text.replaceAll('*/', '*\\/')
}

/** `T | null` */
export function orNull(row: string, isNullable: boolean): string {
  return isNullable && row !== 'null' ? `${row} | null` : row
}

/** `T[]`, `(A | B)[]` */
export function arrayText(row: string): string {
  return /^[\w.$]+(<[^|&]*>)?(\[\])*$|^\[[^[\]]*\]$|^\([^()]*\)(\[\])+$/u.test(row) ? `${row}[]` : `(${row})[]`
}

/** The codec as one of the type that the author named, if one did. */
export function typedCodec(type: ValueType): string {
  if (!type.asserted) return type.codec
  return type.read === 'json' ? `codec.json<${type.row}>()` : `${type.codec} as codec.Codec<${type.row}>`
}

/** What distinguishes arrays of one type. */
export interface ArrayForm {
  /** Whether an element may be NULL. */
  readonly nullable: boolean
  readonly dimensions: number
  /** Of the built-in types only box separates elements with something else than a comma. */
  readonly isBox: boolean
}

/** `textArray`, `nullableInt4Array2`: a constant that says what is in it. */
export function arrayOf(element: ValueType, { nullable, dimensions, isBox }: ArrayForm): ValueType {
  const base = isBox ? 'box' : constantName(element.asserted ? element.row : element.codec)
  const name = (nullable ? `nullable${capitalised(base)}` : base) + (dimensions > 1 ? `Array${dimensions}` : 'Array')
  const codec = typedCodec(element)
  const args = [nullable ? `codec.nullable(${codec})` : codec]
  if (dimensions > 1 || isBox) args.push(String(dimensions))
  if (isBox) args.push("';'")
  // An array of one query's own objects is its own too.
  const own = element.declarations.at(-1)?.isOwn && { isOwn: true as const }
  let param = `readonly ${arrayText(orNull(element.param, nullable))}`
  for (let depth = 1; depth < dimensions; depth++) param = `readonly (${param})[]`
  return {
    ...element,
    row: arrayText(orNull(element.row, nullable)) + '[]'.repeat(dimensions - 1),
    param,
    read: 'value',
    write: 'value',
    codec: name,
    declarations: [...element.declarations, { name, text: `const ${name} = codec.array(${args.join(', ')})`, ...own }],
    asserted: false,
  }
}

export function capitalised(word: string): string {
  return word.replace(/^./u, (first) => first.toUpperCase())
}

export function lowered(word: string): string {
  return word.replace(/^./u, (first) => first.toLowerCase())
}

export function range(maker: 'range' | 'multirange', bound: ValueType): ValueType {
  const name = `${constantName(bound.codec)}${pascalCase(maker)}`
  const multi = maker === 'multirange'
  const input = `codec.RangeInput<${bound.param}>`
  const row = `codec.${multi ? 'NonEmptyRange' : 'Range'}<${bound.row}>`
  return {
    ...bound,
    row: multi ? `${row}[]` : row,
    param: multi ? `readonly ${input}[]` : input,
    read: 'value',
    write: 'value',
    codec: name,
    declarations: [...bound.declarations, { name, text: `const ${name} = codec.${maker}(${bound.codec})` }],
  }
}

export function scalar(method: string, row: string, param: string = row): ValueType {
  return {
    row,
    param,
    read: method,
    write: method,
    codec: `codec.${method}`,
    declarations: [],
    imports: [],
    asserted: false,
  }
}

/** `Settings from './settings.ts'`, or any TypeScript type that needs no import. */
export function assertedAs(type: ValueType, configured: string): ValueType {
  const found = importOf(configured)
  const row = found?.name ?? configured
  return {
    ...type,
    row,
    param: row,
    imports: found === null ? [] : [found],
    asserted: true,
  }
}

/** `codec.int4` → `int4`, `codec.json<JsonValue>()` → `json`, `order status` → `orderStatus`. */
export function constantName(name: string): string {
  const bare = name.replace(/^codec\./, '').replace(/[<(].*$/s, '')
  const camel = camelCase(bare.replace(/[^\p{ID_Continue}$]+/gu, '_'))
  const constant = lowered(camel)
  return isIdentifier(constant) && !isReserved(constant) && !local.has(constant) ? constant : `_${constant}`
}

/** What generated code means by these names: the run time's codecs, and what `read` and `write` are called with. */
const local: ReadonlySet<string> = new Set(['codec', 'r', 'w', 'p'])
