// PostgreSQL types → TypeScript types and how generated code reads and writes them. In: a type's oid, the catalog and
// the settings. Out: a `ValueType`, the one place that both a type's text and its decoder come from.

import type { Catalog, CatalogType } from './catalog.ts'
import type { Config } from './config.ts'
import type { Origin } from './model.ts'
import { camelCase, isIdentifier, pascalCase, propertyKey, stringLiteral } from './naming.ts'

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
}

export interface Import {
  readonly name: string
  /** As in the settings: relative to the project's folder, or a package. */
  readonly from: string
}

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

const textType = scalar('text', 'string')

/** Makes the types of one compilation; the same oid always gives the same type. */
export class TypeMapper {
  readonly #catalog: Catalog
  readonly #config: Config
  readonly #byOid: Map<number, ValueType> = new Map()
  readonly #ambiguous: Set<string> = new Set()

  constructor(catalog: Catalog, config: Config) {
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
    const configured = origin === null ? undefined : this.#configuredColumn(origin)
    return configured === undefined ? type : assertedAs(type, configured)
  }

  #configuredColumn({ schema, table, column }: Origin): string | undefined {
    const { columns } = this.#config
    return columns[`${schema}.${table}.${column}`] ?? columns[`${table}.${column}`]
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
    const made = this.#unconfigured(type)
    const { types } = this.#config
    const configured = types[`${type.schema}.${type.name}`] ?? types[type.name]
    return configured === undefined ? made : assertedAs(made, configured)
  }

  #unconfigured(type: CatalogType): ValueType {
    if (type.element !== 0) return this.#array(type)
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
        return { ...scalar('json', 'JsonValue', 'unknown'), codec: 'codec.json<JsonValue>()' }
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
    const name = pascalCase(type.name)
    if (type.schema === 'public' || !this.#ambiguous.has(name)) return name
    return pascalCase(`${type.schema}_${type.name}`)
  }

  /** Elements may be NULL: no constraint short of a CHECK can rule that out. */
  #array(type: CatalogType): ValueType {
    const element = this.#ofOid(type.element)
    // Of the built-in types only box separates elements with something else than a comma.
    const isBox = this.#catalog.types.get(type.element)?.name === 'box'
    const name = `${isBox ? 'box' : constantName(element.codec)}Array`
    const delimiter = isBox ? ", 1, ';'" : ''
    const item = element.param.includes(' ') ? `(${element.param})` : element.param
    return {
      ...element,
      row: `(${element.row} | null)[]`,
      param: `readonly ${item}[]`,
      read: 'value',
      write: 'value',
      codec: name,
      declarations: [
        ...element.declarations,
        { name, text: `const ${name} = codec.array(codec.nullable(${element.codec})${delimiter})` },
      ],
    }
  }

  /** Attributes of a composite type have no NOT NULL; those of a table's row type have. */
  #composite(type: CatalogType): ValueType {
    const row = this.#nameOf(type)
    const name = constantName(row)
    const columns = this.#catalog.relations.get(type.relation)?.columns ?? []
    const fields = columns.map((column) => {
      const key = propertyKey(this.#config.casing === 'camel' ? camelCase(column.name) : column.name)
      return { key, nullable: !column.provenNotNull, type: this.#ofOid(column.type) }
    })
    const properties = fields.map(({ key, nullable, type }) => `  ${key}: ${type.row}${nullable ? ' | null' : ''}\n`)
    const codecs = fields.map(
      ({ key, nullable, type }) => `  ${key}: ${nullable ? `codec.nullable(${type.codec})` : type.codec},\n`,
    )
    return {
      ...scalar('value', row),
      codec: name,
      declarations: [
        ...fields.flatMap((field) => field.type.declarations),
        { name: row, text: `export interface ${row} {\n${properties.join('')}}` },
        { name, text: `const ${name} = codec.composite({\n${codecs.join('')}})` },
      ],
      imports: fields.flatMap((field) => field.type.imports),
    }
  }
}

function isSystemSchema(name: string): boolean {
  return name === 'information_schema' || name.startsWith('pg_')
}

function range(maker: 'range' | 'multirange', bound: ValueType): ValueType {
  const name = `${constantName(bound.codec)}${pascalCase(maker)}`
  const multi = maker === 'multirange'
  const row = `codec.${multi ? 'NonEmptyRange' : 'Range'}<${bound.row}>`
  return {
    ...bound,
    row: multi ? `${row}[]` : row,
    param: multi ? `readonly ${row}[]` : row,
    read: 'value',
    write: 'value',
    codec: name,
    declarations: [...bound.declarations, { name, text: `const ${name} = codec.${maker}(${bound.codec})` }],
  }
}

function scalar(method: string, row: string, param: string = row): ValueType {
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
function assertedAs(type: ValueType, configured: string): ValueType {
  const [, name, from] = /^(\S+) from '([^']+)'$/.exec(configured) ?? []
  const row = name ?? configured
  return {
    ...type,
    row,
    param: row,
    imports: name === undefined || from === undefined ? [] : [{ name, from }],
    asserted: true,
  }
}

/** `codec.int4` → `int4`, `codec.json<JsonValue>()` → `json`, `order status` → `orderStatus`. */
function constantName(name: string): string {
  const bare = name.replace(/^codec\./, '').replace(/[<(].*$/s, '')
  const camel = camelCase(bare.replace(/[^\p{ID_Continue}$]+/gu, '_'))
  const lowered = camel.replace(/^./u, (first) => first.toLowerCase())
  return isIdentifier(lowered) ? lowered : `_${lowered}`
}
