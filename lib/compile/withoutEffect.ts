// What PostgreSQL runs without complaint though it cannot be meant: rows that nobody gets, and sorting by one value.
// In: a described query. Out: warnings.

import type { Catalog } from './catalog.ts'
import { locksRows, nodesIn, volatility } from './effects.ts'
import type { DescribedQuery, Diagnostic, ParsedParam, TreeNode } from './model.ts'
import { problem } from './problem.ts'
import { bool, int, node, nodes, text } from './tree.ts'

export function checkEffects(query: DescribedQuery, catalog: Catalog): Diagnostic[] {
  if (query.tree === null) return []
  return [...checkExec(query, query.tree, catalog), ...checkSorting(query, query.tree, catalog)]
}

/** `:exec` of a SELECT that does nothing but read: one that locks rows or calls what may do something has its reason. */
function checkExec(query: DescribedQuery, tree: TreeNode, catalog: Catalog): Diagnostic[] {
  const isSelect = text(tree, 'commandType') === '1'
  if (query.kind !== 'exec' || !isSelect || volatility(tree, catalog) !== null || locksRows(tree, catalog)) return []
  const title = '":exec" throws the rows of this SELECT away'
  const hints = ['write :many, :opt or :one to get them']
  return [
    problem(query.file, query.kindSpan, 'rows-unused', title, 'answers their number', {
      severity: 'warning',
      query: query.name,
      hints,
    }),
  ]
}

/** `order by :column`: PostgreSQL takes a parameter for a value, the same one in every row. */
function checkSorting(query: DescribedQuery, tree: TreeNode, catalog: Catalog): Diagnostic[] {
  if (query.params.length === 0) return []
  const params = new Set<ParsedParam>()
  for (const select of nodesIn(tree, catalog)) {
    if (select.tag !== 'QUERY') continue
    // "Junk" is what is not selected, but only sorted or grouped by.
    for (const entry of nodes(select, 'targetList').filter((target) => bool(target, 'resjunk'))) {
      const param = query.params.find(({ index }) => index === paramOf(entry, select))
      if (param) params.add(param)
    }
  }
  return [...params].map((param) => {
    const title = `":${param.name}" alone is the same in every row: nothing is sorted or grouped by it`
    const hints = [
      `a parameter is a value, never the name of a column: order by case when :${param.name} = 'name' then name end`,
    ]
    return problem(query.file, param.spans.at(-1)!, 'constant-order', title, 'one value', {
      severity: 'warning',
      query: query.name,
      hints,
    })
  })
}

/** The number of the parameter that an entry consists of; 0 if it is anything else. */
function paramOf(entry: TreeNode, select: TreeNode): number {
  let expression = node(entry, 'expr')
  if (expression?.tag === 'VAR' && int(expression, 'varlevelsup') === 0) {
    // Since PostgreSQL 18 what is grouped by stands in a relation of its own.
    const relation = nodes(select, 'rtable')[int(expression, 'varno') - 1]
    expression = (relation && nodes(relation, 'groupexprs')[int(expression, 'varattno') - 1]) ?? null
  }
  while (expression !== null && ['RELABELTYPE', 'COERCEVIAIO', 'COLLATEEXPR'].includes(expression.tag)) {
    expression = node(expression, 'arg')
  }
  return expression?.tag === 'PARAM' ? int(expression, 'paramid') : 0
}
