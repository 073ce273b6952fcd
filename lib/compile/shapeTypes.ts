// Shapes → TypeScript types and the codecs that read them. In: what is in a value (`shapes/model.ts`) and a name for it.
// Out: a `ValueType` whose declarations are the interfaces and codec constants of its parts.

import type { Config } from './config.ts'
import { camelCase, freeName, pascalCase, propertyKey, stringLiteral } from './naming.ts'
import { oids } from './shapes/expressionType.ts'
import type { Field, Member, Shape } from './shapes/model.ts'
import { jsonType, type TypeMapper, textType } from './types.ts'
import { arrayText, assertedAs, interfaceText, lowered, orNull, typedCodec, type ValueType } from './valueTypes.ts'

/** What a value is called: `whole` for its own type, `item` for the type of its elements. */
export interface ShapeName {
  readonly whole: string
  readonly item: string
}

/** `ListUsersRow` and `posts` → `ListUsersRowPosts`, of `ListUsersRowPost`s. */
export function shapeName(prefix: string, key: string): ShapeName {
  const word = singular(key)
  return { whole: prefix + pascalCase(key), item: prefix + pascalCase(word === key ? `${key}_item` : word) }
}

/** Turns the shapes of one query into types; each name is given once. */
export class ShapeTypes {
  readonly #types: TypeMapper
  readonly #config: Config
  readonly #taken: ReadonlySet<string>
  readonly #given: Set<string> = new Set()

  /** @param taken names of types that the generated files declare otherwise */
  constructor(types: TypeMapper, config: Config, taken: ReadonlySet<string>) {
    this.#types = types
    this.#config = config
    this.#taken = taken
  }

  /** The type of a value as PostgreSQL sends it. @param oid its type, for shapes that say no more */
  of(shape: Shape, name: ShapeName, oid: number): ValueType {
    switch (shape.kind) {
      case 'json':
        return this.#hoisted(this.#document(shape.content, name), name)
      case 'array':
        return this.#array(shape, name)
      case 'object':
        return this.#row(shape.fields, name)
      case 'type':
        return this.#types.of(shape.oid || oid, shape.origin)
      default:
        return this.#types.of(oid)
    }
  }

  /** A whole document, which starts with its text. */
  #document(content: Shape, name: ShapeName): ValueType {
    const made = this.#inDocument(content, name)
    const isDocument = made.codec.startsWith('codec.json') || made.declarations.at(-1)?.isOwn
    return isDocument ? made : { ...made, read: 'value', codec: `codec.jsonOf(${typedCodec(made)})`, asserted: false }
  }

  #array(shape: Shape & { kind: 'array' }, name: ShapeName): ValueType {
    let dimensions = 1
    let { element } = shape
    for (; element.shape.kind === 'array'; dimensions++) element = element.shape.element
    const oid = element.shape.kind === 'type' ? element.shape.oid : 0
    const inner = this.of(element.shape, itemsOf(name), oid)
    const made = this.#types.arrayOf(inner, oid, element.nullability.nullable, dimensions)
    const configured = this.#types.configuredColumn(shape.origin)
    return configured === null ? made : assertedAs(made, configured)
  }

  /** A row: on the wire its fields have places and no names. */
  #row(fields: readonly Field[], name: ShapeName): ValueType {
    // JavaScript puts keys that are whole numbers first, whatever their place.
    if (fields.some((field) => /^\d+$/.test(field.name))) return textType
    return this.#object('composite', fields, name, ({ shape }, inner) =>
      this.of(shape, inner, shape.kind === 'type' ? shape.oid : 0),
    )
  }

  /** The type of a value inside of a JSON document. */
  #inDocument(shape: Shape, name: ShapeName): ValueType {
    switch (shape.kind) {
      case 'type':
      case 'array': {
        const made = shape.kind === 'type' ? this.#typeInDocument(shape.oid, name) : this.#list(shape.element, name)
        const type = shape.kind === 'type' ? this.#types.catalogType(shape.oid) : undefined
        const configured =
          this.#types.configuredColumn(shape.origin) ?? (type ? this.#types.configuredType(type) : null)
        return configured === null ? made : assertedAs(made, configured)
      }
      case 'json':
        return this.#inDocument(shape.content, name)
      case 'null':
        return documentOf('null')
      case 'empty array':
        return documentOf('never[]')
      case 'tuple': {
        const members = shape.elements.map((element, index) =>
          this.#member(element, { whole: `${name.whole}${index + 1}`, item: `${name.whole}${index + 1}Item` }),
        )
        return container('codec.jsonTuple', members, (rows) => `[${rows.join(', ')}]`)
      }
      case 'record':
        return container(
          'codec.jsonRecord',
          [this.#member(shape.element, itemsOf(name))],
          ([row]) => `Record<string, ${row}>`,
        )
      case 'object':
        if (shape.fields.length === 0) return documentOf('Record<string, never>')
        return this.#object('jsonObject', lastOfEach(shape.fields), name, (member, inner) =>
          this.#inDocument(member.shape, inner),
        )
    }
  }

  #list(element: Member, name: ShapeName): ValueType {
    return container('codec.jsonArray', [this.#member(element, itemsOf(name))], ([row]) => arrayText(row ?? ''))
  }

  /** What JSON makes of a type (`json_categorize_type` in jsonfuncs.c). */
  #typeInDocument(oid: number, name: ShapeName): ValueType {
    const type = this.#types.catalogType(oid)
    if (!type) return jsonType
    if (type.kind === 'domain') return this.#inDocument({ kind: 'type', oid: type.base, origin: null }, name)
    if (type.element !== 0) return this.#list(anyOf(type.element), name)
    if (type.kind === 'composite') {
      const fields = this.#types.columnsOf(type).map((column) => ({ name: column.name, ...anyOf(column.type) }))
      return this.#inDocument({ kind: 'object', fields }, name)
    }
    if (type.extension === 'hstore') return this.#inDocument({ kind: 'record', element: anyOf(oids.text) }, name)
    // A base type from elsewhere may have a cast to json (PostGIS's geometry has), and then it is not there as its text.
    const isText = type.kind !== 'base' || type.schema === 'pg_catalog' || type.extension === 'citext'
    if (!isText || type.kind === 'pseudo') return jsonType
    const plain = this.#types.unconfigured(type)
    // int8 as a string is read as text, which in JSON would come too late: the number has lost its digits by then.
    return oid === oids.int8 && this.#config.int8 === 'string' ? { ...plain, codec: 'codec.numeric' } : plain
  }

  #object(
    maker: 'composite' | 'jsonObject',
    fields: readonly Field[],
    name: ShapeName,
    typeOf: (member: Member, name: ShapeName) => ValueType,
  ): ValueType {
    const row = this.#free(name.whole)
    const constant = lowered(row)
    const keys = new Set<string>()
    const parts = fields.map((field) => {
      const key = freeName(this.#config.casing === 'camel' ? camelCase(field.name) : field.name, keys)
      const type = typeOf(field, shapeName(row, key))
      const codec = nullableCodec(type, field)
      const isRenamed = maker === 'jsonObject' && key !== field.name
      return {
        key: propertyKey(key),
        type,
        nullability: field.nullability,
        codec: isRenamed ? `codec.jsonKey(${stringLiteral(field.name)}, ${codec})` : codec,
      }
    })
    const codecs = parts.map(({ key, codec }) => (key === codec ? `  ${key},\n` : `  ${key}: ${codec},\n`))
    return {
      row,
      param: row,
      read: 'value',
      write: 'value',
      codec: constant,
      declarations: [
        ...parts.flatMap((part) => part.type.declarations),
        { name: row, text: interfaceText(row, parts), isOwn: true },
        { name: constant, text: `const ${constant} = codec.${maker}({\n${codecs.join('')}})`, isOwn: true },
      ],
      imports: parts.flatMap((part) => part.type.imports),
      asserted: false,
    }
  }

  /** A codec that a call makes becomes a constant, so that it is made once. */
  #hoisted(type: ValueType, name: ShapeName): ValueType {
    if (!type.codec.includes('(') || type.read === 'json') return type
    const constant = lowered(this.#free(name.whole))
    return {
      ...type,
      codec: constant,
      declarations: [...type.declarations, { name: constant, text: `const ${constant} = ${type.codec}`, isOwn: true }],
    }
  }

  #free(wanted: string): string {
    return freeName(wanted, this.#given, this.#taken)
  }

  /** A part without a name of its own, with null in its type and its codec. */
  #member(member: Member, name: ShapeName): ValueType {
    const type = this.#inDocument(member.shape, name)
    return {
      ...type,
      row: orNull(type.row, member.nullability.nullable),
      codec: nullableCodec(type, member),
      asserted: false,
    }
  }
}

/** A value of which only the type is known: it may be NULL. */
function anyOf(oid: number): Member {
  return { shape: { kind: 'type', oid, origin: null }, nullability: { nullable: true, reason: '' } }
}

/** Of keys that are there twice the last one counts: to JavaScript's JSON.parse and to jsonb. */
function lastOfEach(fields: readonly Field[]): Field[] {
  return [...new Map(fields.map((field) => [field.name, field])).values()]
}

function itemsOf(name: ShapeName): ShapeName {
  return { whole: name.item, item: `${name.item}Item` }
}

function documentOf(row: string): ValueType {
  return { ...jsonType, row, codec: `codec.json<${row}>()` }
}

function nullableCodec(type: ValueType, { nullability }: Member): string {
  return nullability.nullable && type.row !== 'null' ? `codec.nullable(${typedCodec(type)})` : typedCodec(type)
}

function container(maker: string, parts: readonly ValueType[], rowOf: (rows: readonly string[]) => string): ValueType {
  const row = rowOf(parts.map((part) => part.row))
  return {
    row,
    param: row,
    read: 'value',
    write: 'value',
    codec: `${maker}(${parts.map((part) => part.codec).join(', ')})`,
    declarations: parts.flatMap((part) => part.declarations),
    imports: parts.flatMap((part) => part.imports),
    asserted: false,
  }
}

/** `categories` → `category`, `addresses` → `address`, `posts` → `post`; `status` stays. */
function singular(word: string): string {
  if (/[^aeiou]ies$/i.test(word)) return word.replace(/ies$/i, 'y')
  if (/(ss|[^ao]us|x|z|ch|sh)es$/i.test(word)) return word.slice(0, -2)
  return /[^sui]s$/i.test(word) ? word.slice(0, -1) : word
}
