// The forms of single-row INSERT, UPDATE and DELETE: the same statement over a table of inputs.
// Where one statement could do something else than one per input, there is none, and the reason is told.

import type { AnalyzedQuery } from '../analyze.ts'
import type { Catalog } from '../catalog.ts'
import { nodesIn, volatileFunction } from '../effects.ts'
import type { TreeNode, TreeValue } from '../model.ts'
import { int } from '../tree.ts'
import { type Candidates, none } from './candidate.ts'
import { changeForm } from './change.ts'
import { targetOf } from './facts.ts'
import { insertForm } from './insert.ts'
import { writtenRow } from './row.ts'

/** CmdType: 2 UPDATE, 3 INSERT, 4 DELETE, 5 MERGE. */
export function writeForms(query: AnalyzedQuery, tree: TreeNode, catalog: Catalog): Candidates {
  const obstacle = obstacleOf(tree, catalog)
  if (obstacle !== null) return none(obstacle, false)
  const command = int(tree, 'commandType')
  if (command === 5) return none('it is a MERGE', false)
  const form = command === 3 ? insertForm(query, tree, catalog) : changeForm(query, tree, catalog)
  if (typeof form === 'string') return none(form, false)
  const row = writtenRow(query, tree, catalog)
  return {
    candidates: [{ ...form, ...(row && { row }) }],
    reason: 'PostgreSQL does not take it over a table of inputs',
    readOnly: false,
  }
}

/** What would make inputs see each other's changes if they came one after the other. */
function obstacleOf(tree: TreeNode, catalog: Catalog): string | null {
  if (tree.hasModifyingCTE === 'true') return 'it writes in a WITH'
  const target = targetOf(tree)
  const table = int(target, 'relid')
  const relation = catalog.relations.get(table)
  if (relation?.kind === 'view') return 'it writes through a view'
  for (const found of nodesIn(tree, catalog)) {
    if (found !== target && found.relkind !== 'c' && reads(found, table, catalog)) return 'it reads the table it writes'
  }
  const name = volatileFunction(tree, catalog, ['sql', 'plpgsql'])
  if (name !== null) return `${name} is volatile and may read what other inputs write`
  // Defaults of all columns: which of them the statement gives a value is not worth to be known.
  const isDelete = int(tree, 'commandType') === 4
  const defaults = isDelete ? [] : (relation?.columns ?? []).map((column) => column.defaultTree)
  const checks = isDelete ? [] : (relation?.checks ?? []).map((check) => check.tree)
  const reader = readerIn([tree, ...defaults, ...checks], table, catalog)
  return reader === null ? null : `${reader} may read what other inputs write`
}

/** Whether a range table's entry is of this table, or of one that it shares rows with. */
function reads(found: TreeNode, table: number, catalog: Catalog): boolean {
  const other = found.tag === 'RANGETBLENTRY' ? int(found, 'relid') : 0
  const holds = (whole: number, part: number) => catalog.relations.get(whole)?.descendants.includes(part) ?? false
  return other !== 0 && (other === table || holds(other, table) || holds(table, other))
}

/**
 * A function that answers otherwise in one statement for all inputs than in one for each: a stable one that reads the
 * table, which it sees as it was before the statement; currval and lastval, which a SELECT calls before the column's own
 * nextval.
 * @param within the function whose body `value` is
 */
function readerIn(
  value: TreeValue,
  table: number,
  catalog: Catalog,
  within: string | null = null,
  seen: Set<number> = new Set(),
): string | null {
  for (const found of nodesIn(value, catalog)) {
    if (within !== null && reads(found, table, catalog)) return within
    for (const field of ['funcid', 'opfuncid', 'aggfnoid']) {
      const called = catalog.functions.get(int(found, field))
      if (called === undefined || seen.has(called.oid)) continue
      seen.add(called.oid)
      if (called.schema === 'pg_catalog' && ['currval', 'lastval'].includes(called.name)) return called.name
      if (called.volatility !== 'stable' || !['sql', 'plpgsql'].includes(called.language)) continue
      const body = catalog.sqlBody(called.oid)
      const reader = body === null ? called.name : readerIn(body, table, catalog, called.name, seen)
      if (reader !== null) return reader
    }
  }
  return null
}
