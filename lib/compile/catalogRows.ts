// The rows of `catalog.sql`: a connection in, rows out, all statements in one round trip.

import { readFileSync } from 'node:fs'
import type pg from 'pg'

export interface TypeRow {
  readonly oid: number
  readonly schema: string
  readonly name: string
  readonly kind: string
  readonly category: string
  readonly elementOid: number
  readonly arrayOid: number
  readonly relationOid: number
  readonly baseOid: number
  readonly modifier: number
  readonly notNull: boolean
  readonly rangeOfOid: number
  readonly extension: string | null
  readonly comment: string | null
}

export interface EnumRow {
  readonly typeOid: number
  readonly labels: readonly string[]
}

export interface RelationRow {
  readonly oid: number
  readonly schema: string
  readonly name: string
  readonly kind: string
  readonly rowTypeOid: number
  readonly rowSecurity: boolean
  readonly hasRules: boolean
  readonly triggerTypes: readonly number[]
  readonly descendants: readonly number[]
  readonly comment: string | null
}

export interface ColumnRow {
  readonly relationOid: number
  readonly number: number
  readonly name: string
  readonly typeOid: number
  readonly modifier: number
  readonly dimensions: number
  readonly notNull: boolean
  readonly provenNotNull: boolean
  readonly identity: string
  readonly generated: string
  readonly defaultTree: string | null
  readonly comment: string | null
}

export interface UniqueIndexRow {
  readonly relationOid: number
  readonly name: string
  readonly isPrimary: boolean
  readonly isImmediate: boolean
  readonly nullsNotDistinct: boolean
  readonly columns: readonly number[]
  readonly predicateTree: string | null
}

export interface ConstraintRow {
  readonly name: string
  readonly kind: string
  readonly relationOid: number
  readonly typeOid: number
  readonly noInherit: boolean
  readonly isDeferrable: boolean
  readonly targetOid: number
  readonly columns: readonly number[]
  readonly targetColumns: readonly number[]
  readonly matchType: string
  readonly checkTree: string | null
}

export interface FunctionRow {
  readonly oid: number
  readonly schema: string
  readonly name: string
  readonly kind: string
  readonly isStrict: boolean
  readonly returnsSet: boolean
  readonly volatility: string
  readonly returnTypeOid: number
  readonly argumentTypeOids: readonly number[]
  readonly defaultTrees: string | null
  readonly language: string
  readonly extension: string | null
}

export interface OperatorRow {
  readonly oid: number
  readonly schema: string
  readonly name: string
  readonly functionOid: number
  readonly commutatorOid: number
  readonly negatorOid: number
}

export interface CatalogRows {
  readonly types: readonly TypeRow[]
  readonly enums: readonly EnumRow[]
  readonly relations: readonly RelationRow[]
  readonly columns: readonly ColumnRow[]
  readonly uniqueIndexes: readonly UniqueIndexRow[]
  readonly constraints: readonly ConstraintRow[]
}

export interface ViewTreeRow {
  readonly relationOid: number
  readonly tree: string
}

/** The part of the catalog that is read at once: all types, and what the database's makers put in it. */
export async function loadRows(client: pg.Client): Promise<CatalogRows> {
  const [types, enums, relations, columns, uniqueIndexes, constraints] = await Promise.all([
    run<TypeRow>(client, 'listTypes'),
    run<EnumRow>(client, 'listEnumLabels'),
    run<RelationRow>(client, 'listRelations', [null]),
    run<ColumnRow>(client, 'listColumns', [null]),
    run<UniqueIndexRow>(client, 'listUniqueIndexes', [null]),
    run<ConstraintRow>(client, 'listConstraints'),
  ])
  return { types, enums, relations, columns, uniqueIndexes, constraints }
}

/** What is to be loaded, by OID. */
export interface Wanted {
  readonly relations: readonly number[]
  readonly functions: readonly number[]
  readonly operators: readonly number[]
  readonly views: readonly number[]
}

export interface WantedRows extends Pick<CatalogRows, 'relations' | 'columns' | 'uniqueIndexes'> {
  readonly functions: readonly FunctionRow[]
  readonly operators: readonly OperatorRow[]
  readonly views: readonly ViewTreeRow[]
}

export async function loadMentionedRows(client: pg.Client, wanted: Wanted): Promise<WantedRows> {
  const [relations, columns, uniqueIndexes, functions, operators, views] = await Promise.all([
    runFor<RelationRow>(client, 'listRelations', wanted.relations),
    runFor<ColumnRow>(client, 'listColumns', wanted.relations),
    runFor<UniqueIndexRow>(client, 'listUniqueIndexes', wanted.relations),
    runFor<FunctionRow>(client, 'listFunctions', wanted.functions),
    runFor<OperatorRow>(client, 'listOperators', wanted.operators),
    runFor<ViewTreeRow>(client, 'listViewTrees', wanted.views),
  ])
  return { relations, columns, uniqueIndexes, functions, operators, views }
}

export interface SqlBodyRow {
  readonly oid: number
  readonly tree: string | null
  readonly hasSettings: boolean
}

export function loadSqlBodyRows(client: pg.Client, functionOids: readonly number[]): Promise<SqlBodyRow[]> {
  return run<SqlBodyRow>(client, 'listSqlBodies', [functionOids])
}

export async function loadFunctionNames(client: pg.Client): Promise<string[]> {
  const rows = await run<{ name: string }>(client, 'listFunctionNames')
  return rows.map((row) => row.name)
}

async function runFor<Row>(client: pg.Client, name: string, oids: readonly number[]): Promise<Row[]> {
  return oids.length === 0 ? [] : run<Row>(client, name, [oids])
}

async function run<Row>(client: pg.Client, name: string, values: readonly unknown[] = []): Promise<Row[]> {
  const { fields, rows } = await client.query({ text: statement(name), values: [...values], rowMode: 'array' })
  const keys = fields.map((field) => field.name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()))
  return rows.map((row) => Object.fromEntries(keys.map((key, index) => [key, row[index]])) as Row)
}

let statements: ReadonlyMap<string, string> | null = null

function statement(name: string): string {
  statements ??= readStatements()
  const sql = statements.get(name)
  if (sql === undefined) throw new Error(`catalog.sql has no query ${name}`)
  return sql
}

function readStatements(): ReadonlyMap<string, string> {
  const source = readFileSync(new URL('./catalog.sql', import.meta.url), 'utf8')
  const sections = source.split(/^-- name: (\w+) :\w+$/m).slice(1)
  const found = new Map<string, string>()
  for (let i = 0; i < sections.length; i += 2) {
    found.set(
      sections[i]!,
      sections[i + 1]!.trim()
        .replace(/;$/, '')
        .replace(/(?<!:):\w+Oids\b/g, '$$1'),
    )
  }
  return found
}
