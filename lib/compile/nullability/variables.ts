// The verdict on a column reference: nulled by an outer join, excluded by a condition, or as its table, subquery, CTE,
// view, function or VALUES list says.

import type { Nullability, TreeNode } from '../model.ts'
import { bool, int, list, node, nodes } from '../tree.ts'
import { isExcludedByChecks, verdictOfBaseColumn } from './baseColumns.ts'
import { verdictOfCteColumn } from './ctes.ts'
import { verdictOf } from './expressions.ts'
import { keyOf } from './keys.ts'
import { verdictOfOutput } from './outputs.ts'
import { verdictOfExcluded, verdictOfReturned } from './returning.ts'
import { type Env, envAt, isKnown, nullingSides } from './scope.ts'
import { verdictOfFunctionColumn } from './setFunctions.ts'
import { allOf, nonNull, nullable } from './verdict.ts'

export function verdictOfVariable(variable: TreeNode, env: Env): Nullability {
  const level = int(variable, 'varlevelsup')
  const index = int(variable, 'varno')
  const column = int(variable, 'varattno')
  const owner = envAt(env, level)
  const nulledBy = nullingSides(env, variable).filter((side) => !isKnown(env, 'matched', level, side))
  if (nulledBy.length > 0) {
    const join = owner.scope.outerJoins.get(Number.parseInt(nulledBy[0]!, 10))!
    return nullable(`the ${join.type} join finds no row of ${owner.scope.nameOf(index)}`)
  }
  if (owner.returning) {
    const returned = verdictOfReturned(variable, owner)
    if (returned) return returned
  }
  const key = `${index}.${column}`
  if (isKnown(env, 'nonNull', level, key)) return nonNull('a condition excludes null')
  if (column > 0 && isKnown(env, 'nonNull', level, `${index}.0.*`)) return nonNull('a condition excludes null')
  // Read from a subquery below; on the same level `verdictOf` has seen to it.
  if (owner.nulledGroups?.has(`0.${key}`)) return nullable('the grouping set does not have it')
  return verdictOfEntry(variable, env, owner)
}

/** RTEKind: 0 relation, 1 subquery, 2 join, 3 function, 4 table function, 5 VALUES, 6 CTE, 8 nothing, 9 group (18). */
function verdictOfEntry(variable: TreeNode, env: Env, owner: Env): Nullability {
  const { scope } = owner
  const index = int(variable, 'varno')
  const column = int(variable, 'varattno')
  const entry = scope.entry(index)
  if (column === 0) return verdictOfWholeRow(entry)
  switch (int(entry, 'rtekind')) {
    case 0:
      return verdictOfTableColumn(variable, entry, env, owner)
    case 1:
      return verdictOfOutput(scope.child(node(entry, 'subquery')!), column - 1)
    case 2:
      return verdictOf(aliased(entry, 'joinaliasvars', column), owner)
    case 3:
      return verdictOfFunctionColumn(entry, column, owner)
    case 4:
      return verdictOfTableFunctionColumn(entry, column)
    case 5:
      return allOf(
        nodesOfValues(entry, column).map((value) => verdictOf(value, owner)),
        'no row of VALUES has a null there',
      )
    case 6:
      return verdictOfCteColumn(entry, column, owner)
    case 9:
      return verdictOfGroupColumn(variable, entry, owner)
    default:
      return nullable(`it is null in ${scope.nameOf(index)}`)
  }
}

function verdictOfTableColumn(variable: TreeNode, entry: TreeNode, env: Env, owner: Env): Nullability {
  const excluded = verdictOfExcluded(variable, owner)
  if (excluded && !excluded.nullable) return excluded
  const relation = owner.scope.context.catalog.relations.get(int(entry, 'relid'))
  const column = int(variable, 'varattno')
  const at = { ...owner, withChecks: env.withChecks }
  const verdict = verdictOfBaseColumn(int(entry, 'relid'), column, bool(entry, 'inh'), at)
  if (!verdict.nullable || !relation) return verdict
  return isExcludedByChecks(int(variable, 'varno'), relation, column, bool(entry, 'inh'), at)
    ? nonNull(`a CHECK constraint of ${relation.name} excludes null here`)
    : verdict
}

/** A row as a whole is there unless an outer join nulled it; but a function may give NULL instead of a row. */
function verdictOfWholeRow(entry: TreeNode): Nullability {
  return int(entry, 'rtekind') === 3 ? nullable('the function gives no row') : nonNull('a row')
}

function verdictOfGroupColumn(variable: TreeNode, entry: TreeNode, owner: Env): Nullability {
  const index = String(int(variable, 'varno'))
  if (list(variable, 'varnullingrels').includes(index)) return nullable('the grouping set does not have it')
  const grouped = aliased(entry, 'groupexprs', int(variable, 'varattno'))
  // `group by g, rollup (g)`: the server names the first for both, and the second is the one that is nulled.
  const key = keyOf(grouped, owner)
  const same = nodes(entry, 'groupexprs').filter((expression) => keyOf(expression, owner) === key)
  const hasSets = nodes(owner.scope.query, 'groupingSets').length > 0
  return hasSets && same.length > 1 ? nullable('the grouping set does not have it') : verdictOf(grouped, owner)
}

function aliased(entry: TreeNode, field: string, column: number): TreeNode {
  return nodes(entry, field)[column - 1]!
}

function nodesOfValues(entry: TreeNode, column: number): TreeNode[] {
  return list(entry, 'values_lists').flatMap((row) => (Array.isArray(row) ? [row[column - 1] as TreeNode] : []))
}

/** XMLTABLE and JSON_TABLE: the ordinality column, and those that are declared NOT NULL. */
function verdictOfTableFunctionColumn(entry: TreeNode, column: number): Nullability {
  const table = node(entry, 'tablefunc')
  // TableFuncType 1 is JSON_TABLE, whose node uses these fields differently.
  if (!table || int(table, 'functype') !== 0) return nullable('the path finds nothing')
  const isFilled = list(table, 'notnulls').includes(String(column - 1))
  const isOrdinality = int(table, 'ordinalitycol') === column - 1
  return isFilled || isOrdinality ? nonNull('declared not null') : nullable('the path finds nothing')
}
