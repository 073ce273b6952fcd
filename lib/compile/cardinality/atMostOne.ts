// Whether a query returns at most one row, whatever the tables hold: proven by unique keys, LIMIT 1, or aggregates
// without GROUP BY. A scope in; null if it is proven, else what is missing, out. Pure.

import type { Relation } from '../catalog.ts'
import type { TreeNode } from '../model.ts'
import { viewScope } from '../nullability/baseColumns.ts'
import { findCte } from '../nullability/ctes.ts'
import { type Scope, visibleTargets } from '../nullability/scope.ts'
import { bool, int, isNode, list, node, nodes, text } from '../tree.ts'
import { Bindings } from './bindings.ts'

/** What stands in the way of a proof. */
export interface Unproven {
  /** In words: "every row of posts that passes WHERE". */
  readonly reason: string
  /** The table of which several rows may match, and its columns that are bound to one value each. */
  readonly relation: Relation | null
  readonly boundColumns: readonly string[]
  /** Whether it has a unique key of those columns, which yet does not do. */
  readonly hasKey: boolean
}

const none: ReadonlySet<number> = new Set()

/** @param bound output columns (1-based) that are compared with one value, outside of this query */
export function proveAtMostOne(scope: Scope, bound: ReadonlySet<number> = none): Unproven | null {
  const { query } = scope
  if (isLimitedToOne(query)) return null
  if (bool(query, 'hasTargetSRFs')) return unproven('a function in the select list may give several rows')
  // CmdType 5 is MERGE.
  if (int(query, 'commandType') === 5) return unproven('MERGE may touch several rows')
  const operations = node(query, 'setOperations')
  if (operations) return proveArms(operations, scope, bound)

  const isGrouped = nodes(query, 'groupClause').length > 0 || nodes(query, 'groupingSets').length > 0
  if (bool(query, 'hasAggs') && !isGrouped) return null
  const bindings = new Bindings(scope, boundTargets(scope, bound))
  const missing = proveFrom(scope, bindings)
  if (!missing) return null
  if (nodes(query, 'groupingSets').length === 0 && isGrouped && areBound(query, 'groupClause', bindings)) return null
  if (nodes(query, 'distinctClause').length > 0 && areBound(query, 'distinctClause', bindings)) return null
  return isGrouped ? { ...missing, reason: 'every group is a row' } : missing
}

/** `limit 1`, `fetch first row only`; not `with ties`. */
function isLimitedToOne(query: TreeNode): boolean {
  let limit = node(query, 'limitCount')
  // A number of type int4 is made an int8.
  if (isNode(limit ?? undefined, 'FUNCEXPR')) limit = nodes(limit!, 'args')[0] ?? null
  // LimitOption 1 is WITH TIES.
  if (limit?.tag !== 'CONST' || bool(limit, 'constisnull') || int(query, 'limitOption') === 1) return false
  return /^\d+ \[ [01]( 0){7} \]$/.test(text(limit, 'constvalue') ?? '')
}

/** The expressions behind output columns that are bound from outside. */
function boundTargets(scope: Scope, bound: ReadonlySet<number>): TreeNode[] {
  if (bound.size === 0) return []
  return visibleTargets(scope.query)
    .filter((_, index) => bound.has(index + 1))
    .map((target) => node(target, 'expr')!)
}

/** SetOperation: 1 UNION, 2 INTERSECT, 3 EXCEPT. */
function proveArms(part: TreeNode, scope: Scope, bound: ReadonlySet<number>): Unproven | null {
  if (!isNode(part, 'SETOPERATIONSTMT')) {
    return proveAtMostOne(scope.child(node(scope.entry(int(part, 'rtindex')), 'subquery')!), bound)
  }
  const isUnion = int(part, 'op') === 1
  // UNION without ALL leaves one of equal rows.
  const width = visibleTargets(scope.query).length
  if (isUnion) return !bool(part, 'all') && bound.size === width ? null : unproven('each arm of UNION may give a row')
  const left = proveArms(node(part, 'larg')!, scope, bound)
  if (!left || int(part, 'op') === 3) return left
  return proveArms(node(part, 'rarg')!, scope, bound)
}

/** Grouping or DISTINCT by nothing but bound expressions gives one group. */
function areBound(query: TreeNode, field: 'groupClause' | 'distinctClause', bindings: Bindings): boolean {
  const references = nodes(query, field).map((clause) => int(clause, 'tleSortGroupRef'))
  return references.every((reference) => {
    const target = nodes(query, 'targetList').find((entry) => int(entry, 'ressortgroupref') === reference)
    return target !== undefined && bindings.isBound(node(target, 'expr')!)
  })
}

/** Every table, subquery and function in FROM must give one row at most, given the values of those that do already. */
function proveFrom(scope: Scope, bindings: Bindings): Unproven | null {
  const tree = node(scope.query, 'jointree')
  const open = tree ? leavesOf(tree) : []
  const hasFull = tree !== null && hasFullJoin(tree)
  for (;;) {
    const found = open.findIndex((index) => proveEntry(index, scope, bindings) === null)
    if (found < 0) break
    bindings.bindEntry(open[found]!)
    open.splice(found, 1)
  }
  const [first] = open
  if (first !== undefined) return proveEntry(first, scope, bindings)
  return hasFull ? unproven('a full join gives a row for either side') : null
}

function proveEntry(index: number, scope: Scope, bindings: Bindings): Unproven | null {
  const entry = scope.entry(index)
  switch (int(entry, 'rtekind')) {
    case 0:
      return proveRelation(index, entry, scope, bindings)
    case 1:
      return proveAtMostOne(scope.child(node(entry, 'subquery')!), bindings.columnsOf(index))
    case 3: {
      const calls = nodes(entry, 'functions').map((item) => node(item, 'funcexpr'))
      const isSet = calls.some((call) => call === null || bool(call, 'funcretset'))
      return isSet ? unproven(`${scope.nameOf(index)} is a function that may give several rows`) : null
    }
    case 5:
      return list(entry, 'values_lists').length <= 1 ? null : unproven('VALUES lists several rows')
    case 6: {
      const found = findCte(entry, scope.env)
      if (!found || bool(found.cte, 'cterecursive')) return unproven(`${scope.nameOf(index)} is recursive`)
      return proveAtMostOne(found.home.scope.child(node(found.cte, 'ctequery')!), bindings.columnsOf(index))
    }
    case 8:
      return null
    default:
      return unproven(`${scope.nameOf(index)} may give several rows`)
  }
}

function proveRelation(index: number, entry: TreeNode, scope: Scope, bindings: Bindings): Unproven | null {
  const { context } = scope
  const relation = context.catalog.relations.get(int(entry, 'relid'))
  if (!relation) return unproven(`${scope.nameOf(index)} is not in the catalog`)
  const bound = bindings.columnsOf(index)
  // A unique index of a table says nothing of the tables that inherit from it; partitions are not such tables.
  const isWhole = relation.kind === 'partitioned table' || !bool(entry, 'inh') || relation.descendants.length === 0
  const keys = relation.uniqueIndexes.filter(
    ({ columns, expressions, predicate }) =>
      columns.every((column) => column === 0 || bound.has(column)) &&
      expressions.length === columns.filter((column) => column === 0).length &&
      expressions.every((expression) => bindings.isCompared(expression, index)) &&
      (predicate === null || bindings.isKnown(predicate, index)),
  )
  if (isWhole && keys.some((key) => key.immediate)) return null
  const view = relation.kind === 'view' || relation.kind === 'materialized view' ? viewScope(relation, context) : null
  if (view && !proveAtMostOne(view, bound)) return null
  const [key] = keys
  return {
    reason: !key
      ? `several rows of ${relation.name} may match`
      : isWhole
        ? `${key.name} is deferrable, so that until the end of a transaction several rows may match`
        : `a key of ${relation.name} says nothing of the tables that inherit from it (write "from only")`,
    relation,
    boundColumns: relation.columns.filter(({ number }) => bound.has(number)).map(({ name }) => name),
    hasKey: key !== undefined,
  }
}

/** The range table entries that are joined, joins themselves left out. */
function leavesOf(part: TreeNode): number[] {
  if (isNode(part, 'RANGETBLREF')) return [int(part, 'rtindex')]
  if (isNode(part, 'FROMEXPR')) return nodes(part, 'fromlist').flatMap(leavesOf)
  return [...leavesOf(node(part, 'larg')!), ...leavesOf(node(part, 'rarg')!)]
}

/** JoinType 2 is FULL. */
function hasFullJoin(part: TreeNode): boolean {
  if (isNode(part, 'RANGETBLREF')) return false
  if (isNode(part, 'FROMEXPR')) return nodes(part, 'fromlist').some(hasFullJoin)
  return int(part, 'jointype') === 2 || hasFullJoin(node(part, 'larg')!) || hasFullJoin(node(part, 'rarg')!)
}

function unproven(reason: string): Unproven {
  return { reason, relation: null, boundColumns: [], hasKey: false }
}
