// Puts the rows of the system catalogs together: rows in, the objects of `catalog.ts` out. Pure.

import type {
  ListColumnsRow,
  ListConstraintsRow,
  ListFunctionsRow,
  ListOperatorsRow,
  ListTypesRow,
} from './catalog.sql.ts'
import type {
  CatalogFunction,
  CatalogType,
  Check,
  Column,
  ForeignKey,
  Operator,
  Relation,
  UniqueIndex,
} from './catalog.ts'
import type { CatalogRows } from './catalogRows.ts'
import type { TreeNode } from './model.ts'
import { bool, int, isNode, node, nodes, parseTree, text } from './tree.ts'

const typeKinds: Readonly<Record<string, CatalogType['kind']>> = {
  b: 'base',
  c: 'composite',
  d: 'domain',
  e: 'enum',
  p: 'pseudo',
  r: 'range',
  m: 'multirange',
}

export function typesOf(rows: CatalogRows): CatalogType[] {
  const labels = new Map(rows.enums.map((row) => [row.typeOid, row.labels]))
  const byOid = new Map(rows.types.map((row) => [row.oid, row]))
  const checks = groupBy(
    rows.constraints.filter((row) => row.typeOid !== 0),
    (row) => row.typeOid,
  )
  return rows.types.map((row) => ({
    oid: row.oid,
    schema: row.schema,
    name: row.name,
    kind: typeKinds[row.kind] ?? 'base',
    category: row.category,
    element: row.elementOid,
    array: row.arrayOid,
    base: row.baseOid,
    modifier: row.modifier,
    ...constraintsOf(row, byOid, checks),
    hasDefault: row.hasDefault,
    relation: row.relationOid,
    rangeOf: row.rangeOfOid,
    labels: labels.get(row.oid) ?? [],
    extension: row.extension,
    comment: row.comment,
  }))
}

/** Those of a domain, and of the domains below it. It refuses NULL by NOT NULL or `check (value is not null)`. */
function constraintsOf(
  row: ListTypesRow,
  types: ReadonlyMap<number, ListTypesRow>,
  constraints: ReadonlyMap<number, readonly ListConstraintsRow[]>,
): { readonly notNull: boolean; readonly checks: readonly TreeNode[] } {
  if (row.kind !== 'd') return { notNull: false, checks: [] }
  const own = (constraints.get(row.oid) ?? []).flatMap(({ checkTree }) => parseNode(checkTree) ?? [])
  const base = types.get(row.baseOid)
  const below = base ? constraintsOf(base, types, constraints) : { notNull: false, checks: [] }
  return { notNull: row.notNull || own.some(demandsValue) || below.notNull, checks: [...own, ...below.checks] }
}

/** `value is not null`, alone or as one of the terms of an AND. */
function demandsValue(check: TreeNode): boolean {
  if (isNode(check, 'BOOLEXPR')) return text(check, 'boolop') === 'and' && nodes(check, 'args').some(demandsValue)
  // NullTestType: 0 is IS NULL, 1 is IS NOT NULL.
  if (!isNode(check, 'NULLTEST') || int(check, 'nulltesttype') !== 1 || bool(check, 'argisrow')) return false
  return isNode(node(check, 'arg'), 'COERCETODOMAINVALUE')
}

const relationKinds: Readonly<Record<string, Relation['kind']>> = {
  r: 'table',
  v: 'view',
  m: 'materialized view',
  f: 'foreign table',
  p: 'partitioned table',
  c: 'composite type',
  S: 'sequence',
}

export function relationsOf(
  rows: Pick<CatalogRows, 'relations' | 'columns' | 'uniqueIndexes'> & Partial<Pick<CatalogRows, 'constraints'>>,
): Relation[] {
  const columns = groupBy(rows.columns, (row) => row.relationOid)
  const indexes = groupBy(rows.uniqueIndexes, (row) => row.relationOid)
  const constraints = groupBy(rows.constraints ?? [], (row) => row.relationOid)
  return rows.relations.map((row) => ({
    oid: row.oid,
    schema: row.schema,
    name: row.name,
    kind: relationKinds[row.kind] ?? 'table',
    columns: (columns.get(row.oid) ?? []).map(columnOf),
    rowType: row.rowTypeOid,
    rowSecurity: row.rowSecurity,
    hasRules: row.hasRules,
    triggerTypes: row.triggerTypes,
    writingTriggerTypes: row.writingTriggerTypes,
    descendants: row.descendants,
    uniqueIndexes: (indexes.get(row.oid) ?? []).map(
      (index): UniqueIndex => ({
        name: index.name,
        primary: index.isPrimary,
        immediate: index.isImmediate,
        nullsNotDistinct: index.nullsNotDistinct,
        columns: index.columns.map(Number),
        collations: index.collationOids.map(Number),
        expressions: parseNodes(index.expressionTrees),
        predicate: parseNode(index.predicateTree),
      }),
    ),
    checks: (constraints.get(row.oid) ?? []).flatMap((constraint): Check[] => {
      const tree = parseNode(constraint.checkTree)
      return tree ? [{ name: constraint.name, tree, noInherit: constraint.noInherit }] : []
    }),
    foreignKeys: (constraints.get(row.oid) ?? []).filter((constraint) => constraint.kind === 'f').map(foreignKeyOf),
    comment: row.comment,
  }))
}

function columnOf(row: ListColumnsRow): Column {
  return {
    number: row.number,
    name: row.name,
    type: row.typeOid,
    modifier: row.modifier,
    dimensions: row.dimensions,
    notNull: row.notNull,
    provenNotNull: row.provenNotNull,
    identity: row.identity === 'a' ? 'always' : row.identity === 'd' ? 'by default' : null,
    generated: row.generated === 's' ? 'stored' : row.generated === 'v' ? 'virtual' : null,
    defaultTree: parseNode(row.defaultTree),
    comment: row.comment,
  }
}

const matchTypes: Readonly<Record<string, ForeignKey['match']>> = { s: 'simple', f: 'full', p: 'partial' }

function foreignKeyOf(row: ListConstraintsRow): ForeignKey {
  return {
    name: row.name,
    columns: row.columns.map(Number),
    target: row.targetOid,
    targetColumns: row.targetColumns.map(Number),
    deferrable: row.isDeferrable,
    match: matchTypes[row.matchType] ?? 'simple',
  }
}

const functionKinds: Readonly<Record<string, CatalogFunction['kind']>> = {
  f: 'function',
  a: 'aggregate',
  w: 'window',
  p: 'procedure',
}
const volatilities: Readonly<Record<string, CatalogFunction['volatility']>> = { i: 'immutable', s: 'stable' }

export function functionsOf(rows: readonly ListFunctionsRow[]): CatalogFunction[] {
  return rows.map((row) => ({
    oid: row.oid,
    schema: row.schema,
    name: row.name,
    kind: functionKinds[row.kind] ?? 'function',
    strict: row.isStrict,
    returnsSet: row.returnsSet,
    volatility: volatilities[row.volatility] ?? 'volatile',
    returnType: row.returnTypeOid,
    argumentTypes: row.argumentTypeOids.map(Number),
    defaults: parseNodes(row.defaultTrees),
    language: row.language,
    extension: row.extension,
  }))
}

export function operatorsOf(rows: readonly ListOperatorsRow[]): Operator[] {
  return rows.map((row) => ({
    oid: row.oid,
    schema: row.schema,
    name: row.name,
    function: row.functionOid,
    commutator: row.commutatorOid,
    negator: row.negatorOid,
  }))
}

function parseNode(tree: string | null): TreeNode | null {
  const value = tree === null ? null : parseTree(tree)
  return isNode(value) ? value : null
}

function parseNodes(tree: string | null): TreeNode[] {
  const value = tree === null ? null : parseTree(tree)
  return Array.isArray(value) ? value.filter((item) => isNode(item)) : []
}

function groupBy<T>(items: readonly T[], keyOf: (item: T) => number): ReadonlyMap<number, T[]> {
  const groups = new Map<number, T[]>()
  for (const item of items) {
    const key = keyOf(item)
    const group = groups.get(key)
    if (group) group.push(item)
    else groups.set(key, [item])
  }
  return groups
}
