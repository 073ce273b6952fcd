// What of a written row a parameter is, letter by letter. PostgreSQL's errors quote the row, and by that they are traced
// to the input that the row is of (lib/query/batchErrors.ts).
// In: an INSERT, UPDATE or DELETE and its tree. Out: the table, and its columns with their parameters.

import type { AnalyzedQuery } from '../analyze.ts'
import type { Catalog, Relation } from '../catalog.ts'
import type { TreeNode } from '../model.ts'
import { int, node, nodes } from '../tree.ts'
import { TriggerBits } from '../triggers.ts'
import { baseType, changedColumns, equalities, hasOneSpelling, targetOf } from './facts.ts'

export interface WrittenRow {
  readonly table: string
  /** By the column's name, the number of the parameter, from 0. */
  readonly columns: ReadonlyMap<string, number>
}

/** Null if there is no such column, or none that could be relied on. */
export function writtenRow(query: AnalyzedQuery, tree: TreeNode, catalog: Catalog): WrittenRow | null {
  const relation = catalog.relations.get(int(targetOf(tree), 'relid'))
  // Of a partitioned table, errors name the partition.
  if (relation?.kind !== 'table' || mayChangeRows(relation, tree)) return null
  const columns = new Map<string, number>()
  const param = paramsOf(query, tree, catalog)
  for (const { number, name, type } of relation.columns) {
    const found = param(number)
    if (found !== null && isPrintedAsSent(query, found, type, catalog)) columns.set(name, found - 1)
  }
  return columns.size === 0 ? null : { table: relation.name, columns }
}

/** Whether a column that is the parameter has its text. Of citext it has, though another text may be equal to it. */
function isPrintedAsSent(query: AnalyzedQuery, param: number, column: number, catalog: Catalog): boolean {
  const types = [query.paramTypeOids[param - 1] ?? 0, column].map((oid) => baseType(oid, catalog))
  return types.every((type) => type?.extension === 'citext') || hasOneSpelling(query, param, column, catalog)
}

/** A function that answers which parameter a column of the row is; null if it is none. */
function paramsOf(query: AnalyzedQuery, tree: TreeNode, catalog: Catalog): (column: number) => number | null {
  const conflict = node(tree, 'onConflict')
  // CmdType 3 is INSERT. OnConflictAction 2: the row that is there is updated.
  if (int(tree, 'commandType') === 3) {
    return conflict !== null && int(conflict, 'action') === 2
      ? (column) => paramOfUpsert(tree, conflict, column)
      : (column) => paramInto(tree, column)
  }
  const changed = changedColumns(tree, catalog)
  const keys = equalities(query, catalog).filter(({ column }) => int(column, 'varno') === int(tree, 'resultRelation'))
  return (column) =>
    changed.has(column)
      ? paramInto(tree, column)
      : (keys.find((key) => int(key.column, 'varattno') === column)?.param ?? null)
}

/** The number of the parameter that is all there is for a column; null if there is something else. */
export function paramInto(tree: TreeNode, column: number): number | null {
  // OverridingKind 1, USER VALUE: of an identity column the value is thrown away.
  if (int(tree, 'override') === 1) return null
  const entry = nodes(tree, 'targetList').find((item) => int(item, 'resno') === column)
  let value = entry && node(entry, 'expr')
  // The cast to varchar(n): it takes off spaces at the end, which whoever compares the texts does not count. CoercionForm 2
  // is an implicit cast.
  if (value?.tag === 'FUNCEXPR' && int(value, 'funcformat') === 2) value = nodes(value, 'args')[0] ?? null
  return value?.tag === 'PARAM' ? int(value, 'paramid') : null
}

/** What an error quotes may be the row to insert, or the row that is there after its update: it must hold for both. */
function paramOfUpsert(tree: TreeNode, conflict: TreeNode, column: number): number | null {
  const param = paramInto(tree, column)
  const set = nodes(conflict, 'onConflictSet').find((entry) => int(entry, 'resno') === column)
  const value = set && node(set, 'expr')
  if (!value) {
    const isKey = nodes(conflict, 'arbiterElems').some(
      (element) => int(node(element, 'expr') ?? element, 'varattno') === column,
    )
    return isKey ? param : null
  }
  const isExcluded =
    value.tag === 'VAR' && int(value, 'varno') === int(conflict, 'exclRelIndex') && int(value, 'varattno') === column
  return isExcluded || (value.tag === 'PARAM' && int(value, 'paramid') === param) ? param : null
}

/** Triggers that run before a row is written may write another one. */
function mayChangeRows({ triggerTypes }: Relation, tree: TreeNode): boolean {
  const { row, before, insert, update } = TriggerBits
  const events = int(tree, 'commandType') === 2 ? update : node(tree, 'onConflict') ? insert | update : insert
  return triggerTypes.some((type) => (type & row) !== 0 && (type & before) !== 0 && (type & events) !== 0)
}
