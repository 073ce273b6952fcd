// PostgreSQL types → TypeScript types and how generated code reads and writes them. In: a type's oid, the catalog and
// the settings. Out: a `ValueType`, the one place that both a type's text and its decoder come from.

import type { Catalog, CatalogType, Column } from './catalog.ts'
import { isVector } from './catalogTypes.ts'
import { runtimeTypes } from './collisions.ts'
import type { Config } from './config.ts'
import type { Origin } from './model.ts'
import { camelCase, freeName, pascalCase, propertyKey, stringLiteral } from './naming.ts'
import {
  type ArrayForm,
  arrayOf,
  assertedAs,
  constantName,
  interfaceText,
  range,
  scalar,
  typedCodec,
  type ValueType,
} from './valueTypes.ts'

export type { Declaration, Import, ValueType } from './valueTypes.ts'

/** Everything that is scalar and built in. Types that are not here are read and written as text. */
const scalars: Readonly<Record<string, { method: string; row: string; param?: string; codec?: string }>> = {
  bool: { method: 'bool', row: 'boolean' },
  int2: { method: 'int2', row: 'number' },
  int4: { method: 'int4', row: 'number' },
  oid: { method: 'oid', row: 'number' },
  float4: { method: 'float4', row: 'number' },
  float8: { method: 'float8', row: 'number' },
  timestamptz: { method: 'timestamptz', row: 'Date' },
  timestamp: { method: 'timestamp', row: 'Date' },
  bytea: { method: 'bytea', row: 'Uint8Array' },
}

/** Any type as PostgreSQL prints it. */
export const textType: ValueType = scalar('text', 'string')
/** Any document. */
export const jsonType: ValueType = { ...scalar('json', 'JsonValue', 'unknown'), codec: 'codec.json<JsonValue>()' }

/** What a parameter is for. */
export interface ParamUse {
  /** The column that it is written to or compared with. */
  readonly column: Origin | null
  /** The column that its elements are compared with, as in `id = any(:ids)`. */
  readonly elements: Origin | null
  /** Whether that is all that is done with it. */
  readonly isOnlyThere: boolean
}

/** Makes the types of one compilation; the same oid always gives the same type. */
export class TypeMapper {
  readonly #catalog: Catalog
  readonly #config: Config
  readonly #byOid: Map<number, ValueType> = new Map()
  readonly #ambiguous: Set<string> = new Set()
  readonly #taken: ReadonlySet<string>

  /** @param taken names of types that the generated files declare otherwise */
  constructor(catalog: Catalog, config: Config, taken: Iterable<string> = []) {
    this.#taken = new Set([...taken, ...globalTypes, ...runtimeTypes, ...namedTypes(config)])
    this.#catalog = catalog
    this.#config = config
    const named = [...catalog.types.values()].filter((type) => type.kind === 'enum' || type.kind === 'composite')
    const seen = new Set<string>()
    for (const name of named.filter((type) => !isSystemSchema(type.schema)).map((type) => pascalCase(type.name))) {
      if (seen.has(name)) this.#ambiguous.add(name)
      seen.add(name)
    }
  }

  /**
   * The type of a value.
   * @param origin the column that it comes from or goes to, if it is one: the settings may have a type for it
   */
  of(oid: number, origin: Origin | null = null): ValueType {
    const type = this.#ofOid(oid)
    const configured = this.configuredColumn(origin)
    return configured === null ? type : assertedAs(type, configured)
  }

  /** The type of a parameter. An array's elements are not NULL, unless it goes into a column as a whole. */
  ofParam(oid: number, { column, elements, isOnlyThere }: ParamUse): ValueType {
    const type = this.catalogType(oid)
    if (!type || type.element === 0 || isVector(type) || this.configuredColumn(column) !== null)
      return this.of(oid, column)
    const nullable = column !== null && isOnlyThere
    return this.arrayOf(this.of(type.element, elements), type.element, nullable, this.dimensionsOf(column))
  }

  /** An array type. @param elementOid of the elements, or 0 */
  arrayOf(element: ValueType, elementOid: number, nullable: boolean, dimensions: number): ValueType {
    const form: ArrayForm = { nullable, dimensions, isBox: this.catalogType(elementOid)?.name === 'box' }
    return arrayOf(element, form)
  }

  /** How the settings call the column's type; null if they do not. */
  configuredColumn(origin: Origin | null): string | null {
    if (origin === null) return null
    const { schema, table, column } = origin
    const { columns } = this.#config
    return columns[`${schema}.${table}.${column}`] ?? columns[`${table}.${column}`] ?? null
  }

  /** How the settings call the type; null if they do not. */
  configuredType({ schema, name }: CatalogType): string | null {
    const { types } = this.#config
    // A type may be called "constructor", which every object has.
    return types[`${schema}.${name}`] ?? (Object.hasOwn(types, name) ? (types[name] ?? null) : null)
  }

  catalogType(oid: number): CatalogType | undefined {
    return this.#catalog.types.get(oid)
  }

  /** The columns of a composite type. */
  columnsOf(type: CatalogType): readonly Column[] {
    return this.#catalog.relations.get(type.relation)?.columns ?? []
  }

  /** As the column was declared: `int[][]` has 2. PostgreSQL does not enforce it; the codec does. */
  dimensionsOf(origin: Origin | null): number {
    const relation = origin && this.#catalog.relationByName(origin.table, origin.schema)
    const column = relation?.columns.find((candidate) => candidate.name === origin?.column)
    return Math.max(1, column?.dimensions ?? 1)
  }

  #ofOid(oid: number): ValueType {
    const known = this.#byOid.get(oid)
    if (known !== undefined) return known
    const type = this.#make(this.#catalog.types.get(oid))
    this.#byOid.set(oid, type)
    return type
  }

  #make(type: CatalogType | undefined): ValueType {
    if (type === undefined) return textType
    const made = this.unconfigured(type)
    const configured = this.configuredType(type)
    return configured === null ? made : assertedAs(made, configured)
  }

  /** As if the settings said nothing. */
  unconfigured(type: CatalogType): ValueType {
    if (isVector(type)) return textType
    // No constraint short of a CHECK rules NULL out as an element.
    if (type.element !== 0) return this.arrayOf(this.#ofOid(type.element), type.element, true, 1)
    if (type.kind === 'domain') return this.#ofOid(type.base)
    if (type.kind === 'enum') return this.#enum(type)
    if (type.kind === 'composite') return this.#composite(type)
    if (type.kind === 'range') return range('range', this.#ofOid(type.rangeOf))
    if (type.kind === 'multirange')
      return range('multirange', this.#ofOid(this.#catalog.types.get(type.rangeOf)?.rangeOf ?? 0))
    return type.schema === 'pg_catalog' || type.extension !== null ? this.#builtIn(type) : textType
  }

  #builtIn(type: CatalogType): ValueType {
    const found = scalars[type.name]
    if (found !== undefined) return scalar(found.method, found.row, found.param)
    switch (type.name) {
      case 'int8':
        if (this.#config.int8 === 'string') return { ...textType, param: 'string | number | bigint', write: 'numeric' }
        if (this.#config.int8 === 'number') return scalar('int8', 'number')
        return { ...scalar('bigint', 'bigint', 'bigint | number'), write: 'int8' }
      case 'numeric':
        return { ...textType, param: 'string | number | bigint', write: 'numeric', codec: 'codec.numeric' }
      case 'json':
      case 'jsonb':
        return jsonType
      case 'hstore':
        return { ...scalar('value', 'Record<string, string | null>'), codec: 'codec.hstore' }
      default:
        return textType
    }
  }

  #enum(type: CatalogType): ValueType {
    const row = this.#nameOf(type)
    const name = constantName(row)
    const labels = type.labels.map(stringLiteral)
    return {
      ...scalar('value', row),
      codec: name,
      declarations: [
        { name: row, text: `export type ${row} = ${labels.length === 0 ? 'never' : labels.join(' | ')}` },
        { name, text: `const ${name} = codec.oneOf(${[stringLiteral(type.name), ...labels].join(', ')})` },
      ],
    }
  }

  /** The type's name in TypeScript. Of several types with one name, those outside of `public` carry their schema's. */
  #nameOf(type: CatalogType): string {
    const plain = pascalCase(type.name)
    const isPlain = type.schema === 'public' || !this.#ambiguous.has(plain)
    const name = isPlain ? plain : pascalCase(`${type.schema}_${type.name}`)
    return this.#taken.has(name) ? `${name}Type` : name
  }

  /** Any attribute may be NULL: the constraints of a table are those of its rows, not of values of their type. */
  #composite(type: CatalogType): ValueType {
    const row = this.#nameOf(type)
    const name = constantName(row)
    const columns = this.columnsOf(type)
    // JavaScript puts keys that are whole numbers first, whatever their place.
    if (columns.some((column) => /^\d+$/.test(column.name))) return textType
    const nullability = { nullable: true, reason: '' }
    const keys = new Set<string>()
    const fields = columns.map((column) => {
      const key = propertyKey(freeName(this.#config.casing === 'camel' ? camelCase(column.name) : column.name, keys))
      return { key, nullability, type: this.#ofOid(column.type) }
    })
    const codecs = fields.map(({ key, type }) => `  ${key}: codec.nullable(${typedCodec(type)}),\n`)
    return {
      ...scalar('value', row),
      codec: name,
      declarations: [
        ...fields.flatMap((field) => field.type.declarations),
        { name: row, text: interfaceText(row, fields) },
        { name, text: `const ${name} = codec.composite({\n${codecs.join('')}})` },
      ],
      imports: fields.flatMap((field) => field.type.imports),
    }
  }
}

/** What generated code means by these names must not be a type of the database. */
const globalTypes = ['Date', 'Uint8Array', 'Record']

/** The names that the settings import into generated files. */
function namedTypes({ types, columns }: Config): string[] {
  return [...Object.values(types), ...Object.values(columns)].map((text) => assertedAs(textType, text).row)
}

function isSystemSchema(name: string): boolean {
  return name === 'information_schema' || name.startsWith('pg_')
}
