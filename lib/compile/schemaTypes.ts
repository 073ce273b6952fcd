// The catalog → the text of `schema.ts`: a type for the rows of every table and view, with the comments of the database
// as documentation. Pure and deterministic, like the other generated files. Views must have been loaded.

import type { Catalog, CatalogType, Column, Relation } from './catalog.ts'
import type { Config } from './config.ts'
import { generatedMark, importPath, schemaSource, typeImports } from './emit.ts'
import type { Nullability, TreeNode } from './model.ts'
import { camelCase, freeName, pascalCase, propertyKey, stringLiteral } from './naming.ts'
import { type Context, type Env, Scope } from './nullability/scope.ts'
import { emptyContext } from './nullability.ts'
import { memberOf } from './shapes/shapes.ts'
import { ShapeTypes, shapeName } from './shapeTypes.ts'
import { TypeMapper } from './types.ts'
import { docText, orNull, type ValueType } from './valueTypes.ts'

/** The relations that get a type: all but PostgreSQL's own, partitions, and node-pg-migrate's table. */
export function describedRelations(catalog: Catalog): Relation[] {
  const relations = [...catalog.relations.values()].filter(({ schema }) => !isSystemSchema(schema))
  const partitions = new Set(
    relations.filter(({ kind }) => kind === 'partitioned table').flatMap(({ descendants }) => descendants),
  )
  return relations.filter(
    ({ oid, kind, name }) => kind !== 'composite type' && !partitions.has(oid) && name !== 'pgmigrations',
  )
}

/** What has to be loaded for `emitSchemaTypes`: see `loadDefinitions`. */
export function mentionsOfSchema(catalog: Catalog): TreeNode[] {
  return describedRelations(catalog).map(({ oid }) => entryOf(oid))
}

/** The text of the file at `path`, which is relative to the project. */
export function emitSchemaTypes(catalog: Catalog, config: Config, path: string): string {
  const types = new TypeMapper(catalog, config)
  const relations = describedRelations(catalog)
  const named = [...catalog.types.values()].filter(
    (type) => !isSystemSchema(type.schema) && type.extension === null && isOwnType(type, catalog),
  )
  const taken = new Set(named.map((type) => types.of(type.oid).row))
  const names = rowNames(relations, taken)
  // One for all: views upon views are analyzed once.
  const context = emptyContext(catalog)
  const made = [
    ...named.map((type) => ({ docs: type.comment, type: types.of(type.oid), text: null })),
    ...relations.map((relation) => describeRelation(relation, names.get(relation)!, types, context, config)),
  ]
  const texts = new Map<string, string>()
  for (const { docs, type, text } of made) {
    const shown = type.declarations.filter((declaration) => declaration.text.startsWith('export '))
    // What a type needs stands above it; the comment belongs to the type itself, which is the last one.
    for (const declaration of shown) if (!texts.has(declaration.name)) texts.set(declaration.name, declaration.text)
    if (text !== null) texts.set(type.row, `${tsDoc(docs, '')}${text}`)
    else if (docs !== null) texts.set(type.row, `${tsDoc(docs, '')}${texts.get(type.row) ?? ''}`)
  }
  const body = [...texts.values()].join('\n\n')
  const imports = [
    ...runtimeImport(body, importPath(path, config.runtime)),
    ...typeImports(
      made.map(({ type }) => type),
      path,
    ),
  ]
  const head = `${generatedMark}${schemaSource}: change that, then run \`plainsql generate\`.`
  return `${[head, ...(imports.length > 0 ? [imports.join('\n')] : []), ...(body === '' ? [] : [body])].join('\n\n')}\n`
}

interface Made {
  readonly docs: string | null
  /** Its imports and declarations. */
  readonly type: ValueType
  /** The interface, if the type is not declared by its declarations. */
  readonly text: string | null
}

function describeRelation(relation: Relation, name: string, types: TypeMapper, context: Context, config: Config): Made {
  const shapes = new ShapeTypes(types, config, new Set([name]))
  const env = relationEnv(relation, context)
  const isView = relation.kind === 'view' || relation.kind === 'materialized view'
  const keys = new Set<string>()
  const columns = relation.columns.map((column) => {
    const { shape, nullability } = memberOf(variableOf(column), env)
    const key = freeName(config.casing === 'camel' ? camelCase(column.name) : column.name, keys)
    return { column, key, nullability, type: shapes.of(shape, shapeName(name, key), column.type) }
  })
  const lines = columns.map(({ column, key, nullability, type }) => {
    const docs = [column.comment, isView ? nullReason(nullability) : null].filter((part) => part !== null).join('\n')
    return `${tsDoc(docs, '  ')}  ${propertyKey(key)}: ${orNull(type.row, nullability.nullable)}\n`
  })
  const parts = columns.map(({ type }) => type)
  return {
    docs: relation.comment,
    type: {
      ...types.of(0),
      row: name,
      declarations: parts.flatMap((part) => part.declarations),
      imports: parts.flatMap((part) => part.imports),
    },
    text: `export interface ${name} {\n${lines.join('')}}`,
  }
}

function nullReason({ nullable, reason }: Nullability): string | null {
  return nullable ? `Null if ${reason}.` : null
}

/** A place over one row of the relation, or of a table that inherits from it. */
function relationEnv(relation: Relation, context: Context): Env {
  const query: TreeNode = { tag: 'QUERY', commandType: '1', rtable: [entryOf(relation.oid)] }
  return new Scope(query, null, context).env
}

function entryOf(relation: number): TreeNode {
  return { tag: 'RANGETBLENTRY', rtekind: '0', relid: String(relation), inh: 'true' }
}

function variableOf({ number, type }: Column): TreeNode {
  return {
    tag: 'VAR',
    varno: '1',
    varattno: String(number),
    vartype: String(type),
    varlevelsup: '0',
    varnullingrels: [],
  }
}

/** `posts` → `PostsRow`; of several with one name, those outside of `public` carry their schema's. */
function rowNames(relations: readonly Relation[], taken: Set<string>): ReadonlyMap<Relation, string> {
  const plain = relations.map(({ name }) => pascalCase(name))
  const seen = new Set<string>()
  const several = new Set(plain.filter((name) => seen.has(name) || !seen.add(name)))
  return new Map(
    relations.map((relation, index) => {
      const { schema, name } = relation
      const isPlain = schema === 'public' || !several.has(plain[index]!)
      return [relation, freeName(`${isPlain ? plain[index] : pascalCase(`${schema}_${name}`)}Row`, taken)]
    }),
  )
}

/** Enums and composite types; not the types of tables' rows, which have their own. */
function isOwnType(type: CatalogType, catalog: Catalog): boolean {
  if (type.kind === 'enum') return true
  return type.kind === 'composite' && catalog.relations.get(type.relation)?.kind === 'composite type'
}

function isSystemSchema(name: string): boolean {
  return name === 'information_schema' || name.startsWith('pg_')
}

function runtimeImport(body: string, runtime: string): string[] {
  const names = [/\bcodec\./.test(body) ? 'codec' : null, /\bJsonValue\b/.test(body) ? 'JsonValue' : null]
  const used = names.filter((name) => name !== null)
  return used.length === 0 ? [] : [`import type { ${used.join(', ')} } from ${stringLiteral(runtime)}`]
}

function tsDoc(docs: string | null, indent: string): string {
  if (docs === null || docs.trim() === '') return ''
  const lines = docs
    .trim()
    .split('\n')
    .map((line) => docText(line.trim()))
  if (lines.length === 1) return `${indent}/** ${lines[0]} */\n`
  return `${indent}/**\n${lines.map((line) => `${indent} *${line === '' ? '' : ` ${line}`}\n`).join('')}${indent} */\n`
}
