// Where an output column comes from when it is a table's column unchanged: through subqueries, WITH queries and views.

import type { Column, Relation } from '../catalog.ts'
import type { Origin, TreeNode } from '../model.ts'
import { int, isNode, list, node } from '../tree.ts'
import { viewScope } from './baseColumns.ts'
import { findCte } from './ctes.ts'
import { outputEnv } from './outputs.ts'
import { type Env, envAt, type Scope, visibleTargets } from './scope.ts'

/** The origin of an output column, 0-based. A set operation has one if all of its arms agree. */
export function originOf(scope: Scope, index: number): Origin | null {
  const operations = node(scope.query, 'setOperations')
  if (operations) return originOfArms(operations, scope, index)
  const target = visibleTargets(scope.query)[index]
  const expression = target ? node(target, 'expr') : null
  return expression ? originOfExpression(expression, outputEnv(scope)) : null
}

/** The origin of an expression, if it is but a name of a column. */
export function originOfExpression(expression: TreeNode, env: Env): Origin | null {
  if (!isNode(expression, 'VAR')) return null
  const owner = envAt(env, int(expression, 'varlevelsup'))
  const entry = owner.scope.entry(int(expression, 'varno'))
  const column = int(expression, 'varattno')
  if (column <= 0) return null
  switch (int(entry, 'rtekind')) {
    case 0:
      return originInRelation(int(entry, 'relid'), column, owner.scope)
    case 1:
      return originOf(owner.scope.child(node(entry, 'subquery')!), column - 1)
    case 2:
      return originOfName(list(entry, 'joinaliasvars')[column - 1], owner)
    case 6: {
      const found = findCte(entry, owner)
      // A recursive query's column is what its first arm says; its second one is built on that.
      return found ? originOfCte(found.cte, found.home, column - 1) : null
    }
    case 9:
      return originOfName(list(entry, 'groupexprs')[column - 1], owner)
    default:
      return null
  }
}

function originOfName(expression: unknown, env: Env): Origin | null {
  return isNode(expression as TreeNode) ? originOfExpression(expression as TreeNode, env) : null
}

function originOfCte(cte: TreeNode, home: Env, index: number): Origin | null {
  const query = node(cte, 'ctequery')!
  const scope = home.scope.child(query)
  const operations = node(query, 'setOperations')
  if (cte.cterecursive !== 'true' || !operations) return originOf(scope, index)
  return originOfArms(node(operations, 'larg')!, scope, index)
}

function originInRelation(oid: number, number: number, scope: Scope): Origin | null {
  const relation = scope.context.catalog.relations.get(oid)
  const column = relation?.columns.find((candidate) => candidate.number === number)
  if (!relation || !column) return null
  const behind =
    relation.kind === 'view' || relation.kind === 'materialized view' ? viewScope(relation, scope.context) : null
  const origin = behind ? originOf(behind, number - 1) : null
  return origin ?? originOfRelationColumn(relation, column)
}

export function originOfRelationColumn(relation: Relation, column: Column): Origin {
  return { schema: relation.schema, table: relation.name, column: column.name }
}

function originOfArms(part: TreeNode, scope: Scope, index: number): Origin | null {
  if (!isNode(part, 'SETOPERATIONSTMT')) {
    return originOf(scope.child(node(scope.entry(int(part, 'rtindex')), 'subquery')!), index)
  }
  const left = originOfArms(node(part, 'larg')!, scope, index)
  const right = originOfArms(node(part, 'rarg')!, scope, index)
  const agree = left?.schema === right?.schema && left?.table === right?.table && left?.column === right?.column
  return agree ? left : null
}
