// What would make inputs of a write see each other's changes if they came one after the other, or be written in another
// order: one statement for all of them would do something else.
// In: the tree of an INSERT, UPDATE or DELETE. Out: the obstacle in words, or null.

import type { Catalog, Relation } from '../catalog.ts'
import { domainChecks, isOurs, nodesIn, volatileFunction } from '../effects.ts'
import type { TreeNode, TreeValue } from '../model.ts'
import { int, node, nodes } from '../tree.ts'
import { hasTrigger, TriggerBits } from '../triggers.ts'
import { targetOf } from './facts.ts'

export function obstacleOf(tree: TreeNode, catalog: Catalog): string | null {
  if (tree.hasModifyingCTE === 'true') return 'it writes in a WITH'
  const target = targetOf(tree)
  const table = int(target, 'relid')
  const relation = catalog.relations.get(table)
  if (relation?.kind === 'view') return 'it writes through a view'
  // What a rule adds is a statement for all rows at once: two of them count as one in `update counters set n = n + 1`.
  if (relation?.hasRules) return 'its table has rules'
  const isDelete = int(tree, 'commandType') === 4
  const own = isDelete || !relation ? [] : ownTrees(relation)
  const mayWriteOthers =
    (relation !== undefined && firesWriter(tree, relation, catalog)) || volatileFunction(own, catalog, isOurs) !== null
  const isWritten = (entry: TreeNode): boolean =>
    isRelation(entry) && (mayWriteOthers || isSame(int(entry, 'relid'), table, catalog))
  for (const found of nodesIn(tree, catalog)) {
    if (found === target || !isWritten(found)) continue
    return isSame(int(found, 'relid'), table, catalog)
      ? 'it reads the table it writes'
      : 'it reads a table that a trigger or a default may write'
  }
  const checks = domainChecks(tree, catalog)
  const opaque = volatileFunction([tree, ...checks], catalog, isOurs)
  if (opaque !== null) return `${opaque} is volatile and may read what other inputs write`
  const once = volatileFunction(onceForAll(tree, catalog), catalog)
  if (once !== null) return `${once} is volatile and would be called once for all inputs`
  if (drawsOutOfTurn(tree, relation, catalog)) return 'its rows would be numbered in another order'
  const reader = readerIn([tree, ...checks, ...own], isWritten, catalog)
  return reader === null ? null : `${reader} may read what other inputs write`
}

/** Whether the statement fires a trigger that may write any table. CmdType: 2 UPDATE, 3 INSERT, 4 DELETE. */
function firesWriter(tree: TreeNode, relation: Relation, catalog: Catalog): boolean {
  const { insert, update, delete: deleted } = TriggerBits
  const event = [update, insert, deleted][int(tree, 'commandType') - 2] ?? 0
  const events = node(tree, 'onConflict') ? [insert, update] : [event]
  return events.some((bits) => hasTrigger(relation, bits, catalog, 'writingTriggerTypes'))
}

/** A range table's entry of a table; that of `excluded` is a composite type. */
function isRelation(found: TreeNode): boolean {
  return found.tag === 'RANGETBLENTRY' && int(found, 'relid') !== 0 && found.relkind !== 'c'
}

/** Whether two tables are one, or share rows. */
function isSame(one: number, other: number, catalog: Catalog): boolean {
  const holds = (whole: number, part: number) => catalog.relations.get(whole)?.descendants.includes(part) ?? false
  return one === other || holds(one, other) || holds(other, one)
}

/** Parts that PostgreSQL evaluates once in a statement if nothing in them is of a row: subqueries, WITH and FROM. */
function onceForAll(tree: TreeNode, catalog: Catalog): TreeValue[] {
  const sublinks = [...nodesIn(tree, catalog)].filter((found) => found.tag === 'SUBLINK')
  return [...nodes(tree, 'rtable'), ...nodes(tree, 'cteList'), ...sublinks.map((found) => found.subselect ?? null)]
}

/**
 * An UPDATE or DELETE goes through its rows in an order of its own. An INSERT goes through the inputs, but what stands in
 * VALUES is evaluated ahead of all defaults.
 */
function drawsOutOfTurn(tree: TreeNode, relation: Relation | undefined, catalog: Catalog): boolean {
  const drawn = drawsIn(tree, catalog)
  const columns = relation?.columns ?? []
  const entries = nodes(tree, 'targetList')
  const isDefault = (number: number): boolean =>
    entries.some((entry) => int(entry, 'resno') === number && node(entry, 'expr')?.tag === 'SETTODEFAULT')
  if (int(tree, 'commandType') !== 3) {
    const defaults = columns.filter(({ number }) => isDefault(number))
    return (
      drawn.size > 0 ||
      defaults.some(
        ({ identity, defaultTree }) =>
          identity !== null ||
          drawsIn(defaultTree, catalog).size > 0 ||
          volatileFunction(defaultTree, catalog, isOurs) !== null,
      )
    )
  }
  const given = new Set(entries.map((entry) => int(entry, 'resno')))
  return columns
    .filter(({ number }) => !given.has(number) || isDefault(number))
    .some(({ defaultTree }) => [...drawsIn(defaultTree, catalog)].some((sequence) => drawn.has(sequence)))
}

/** The sequences that are drawn from, each by the constant that names it. */
function drawsIn(value: TreeValue, catalog: Catalog): Set<string> {
  const calls = [...nodesIn(value, catalog)].filter((found) => {
    const called = catalog.functions.get(int(found, 'funcid'))
    return called?.schema === 'pg_catalog' && ['nextval', 'setval'].includes(called.name)
  })
  return new Set(calls.map((call) => String(nodes(call, 'args')[0]?.constvalue)))
}

/** The expressions of a table's own that a written row is made or checked by: of all columns, whichever are given. */
function ownTrees(relation: Relation): TreeValue[] {
  return [...relation.columns.map((column) => column.defaultTree), ...relation.checks.map((check) => check.tree)]
}

/**
 * A function that answers otherwise in one statement for all inputs than in one for each: a stable one that reads what is
 * written, which it sees as it was before the statement; currval and lastval, which a SELECT calls before the column's own
 * nextval.
 * @param within the function whose body `value` is
 */
function readerIn(
  value: TreeValue,
  isWritten: (entry: TreeNode) => boolean,
  catalog: Catalog,
  within: string | null = null,
  seen: Set<number> = new Set(),
): string | null {
  for (const found of nodesIn(value, catalog)) {
    if (within !== null && isWritten(found)) return within
    for (const field of ['funcid', 'opfuncid', 'aggfnoid']) {
      const called = catalog.functions.get(int(found, field))
      if (called === undefined || seen.has(called.oid)) continue
      seen.add(called.oid)
      if (called.schema === 'pg_catalog' && ['currval', 'lastval'].includes(called.name)) return called.name
      if (called.volatility !== 'stable' || !isOurs(called)) continue
      const body = catalog.sqlBody(called.oid)
      const reader = body === null ? called.name : readerIn(body, isWritten, catalog, called.name, seen)
      if (reader !== null) return reader
    }
  }
  return null
}
