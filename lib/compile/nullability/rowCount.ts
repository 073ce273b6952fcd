// Whether a query surely has a row: then a scalar subquery over it is not NULL for want of one. A scope in, yes or no out.

import type { TreeNode } from '../model.ts'
import { bool, int, isNode, list, node, nodes, text } from '../tree.ts'
import { hasTrigger, TriggerBits } from '../triggers.ts'
import { findCte } from './ctes.ts'
import { isSelect, type Scope } from './scope.ts'

/** True only if at least one row comes out whatever the tables hold. */
export function alwaysHasRow(scope: Scope): boolean {
  const { query } = scope
  if (!isSelect(query)) return insertsRow(scope)
  if (node(query, 'limitOffset') || !allowsRow(node(query, 'limitCount'))) return false
  const operations = node(query, 'setOperations')
  if (operations) return armHasRow(operations, scope)
  if (node(query, 'havingQual') || bool(query, 'hasTargetSRFs')) return false
  const isGrouped = nodes(query, 'groupClause').length > 0 || nodes(query, 'groupingSets').length > 0
  // Aggregates without GROUP BY give one row over nothing.
  if (bool(query, 'hasAggs') && !isGrouped) return true
  const tree = node(query, 'jointree')
  return tree !== null && partHasRow(tree, scope)
}

/** No LIMIT, LIMIT NULL, or a constant that is not 0. */
function allowsRow(limit: TreeNode | null): boolean {
  if (limit === null) return true
  // `limit 1` casts an int4 to int8.
  const [inner] = limit.tag === 'FUNCEXPR' ? nodes(limit, 'args') : []
  if (inner) return allowsRow(inner)
  return (
    isNode(limit, 'CONST') && (bool(limit, 'constisnull') || /[1-9]/.test((text(limit, 'constvalue') ?? '').slice(2)))
  )
}

function armHasRow(part: TreeNode, scope: Scope): boolean {
  if (!isNode(part, 'SETOPERATIONSTMT')) return partHasRow(part, scope)
  // Only UNION keeps every arm's rows.
  return int(part, 'op') === 1 && (armHasRow(node(part, 'larg')!, scope) || armHasRow(node(part, 'rarg')!, scope))
}

function partHasRow(part: TreeNode, scope: Scope): boolean {
  if (isNode(part, 'RANGETBLREF')) return entryHasRow(scope.entry(int(part, 'rtindex')), scope)
  if (isNode(part, 'FROMEXPR')) {
    return node(part, 'quals') === null && nodes(part, 'fromlist').every((item) => partHasRow(item, scope))
  }
  const left = partHasRow(node(part, 'larg')!, scope)
  const right = partHasRow(node(part, 'rarg')!, scope)
  // JoinType: 0 inner, 1 left, 2 full, 3 right.
  switch (int(part, 'jointype')) {
    case 0:
      return node(part, 'quals') === null && left && right
    case 1:
      return left
    case 2:
      return left || right
    case 3:
      return right
    default:
      return false
  }
}

function entryHasRow(entry: TreeNode, scope: Scope): boolean {
  switch (int(entry, 'rtekind')) {
    case 1:
      return alwaysHasRow(scope.child(node(entry, 'subquery')!))
    case 3:
      return nodes(entry, 'functions').some((item) => {
        const call = node(item, 'funcexpr')
        return call !== null && !bool(call, 'funcretset')
      })
    case 5:
      return list(entry, 'values_lists').length > 0
    case 6: {
      const found = findCte(entry, scope.env)
      if (!found || bool(found.cte, 'cterecursive')) return false
      return alwaysHasRow(found.home.scope.child(node(found.cte, 'ctequery')!))
    }
    case 8:
      return true
    default:
      return false
  }
}

/** INSERT of VALUES into a table on which nothing can suppress a row. */
function insertsRow(scope: Scope): boolean {
  const { query, context } = scope
  // CmdType 3 is INSERT.
  if (int(query, 'commandType') !== 3 || node(query, 'onConflict')) return false
  const entry = scope.entry(int(query, 'resultRelation'))
  const relation = context.catalog.relations.get(int(entry, 'relid'))
  if (!relation || relation.hasRules || (relation.kind !== 'table' && relation.kind !== 'partitioned table'))
    return false
  const canSuppress = hasTrigger(relation, TriggerBits.before | TriggerBits.insert, context.catalog)
  const tree = node(query, 'jointree')
  return !canSuppress && tree !== null && partHasRow(tree, scope)
}
