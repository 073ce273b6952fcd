// The verdict on an aggregate: over no rows, most are NULL.

import type { Nullability, TreeNode } from '../model.ts'
import { bool, int, list, node, nodes } from '../tree.ts'
import { verdictOf } from './expressions.ts'
import type { Env } from './scope.ts'
import { nonNull, nullable } from './verdict.ts'

/** Whether an aggregate in `pg_catalog` is NULL: never, only over no rows, or only over no non-null values. */
export type AggregateRule = 'never' | 'no rows' | 'no values'

const rules: Readonly<Record<string, AggregateRule>> = Object.fromEntries([
  ...names('count regr_count', 'never'),
  // These keep NULLs, so any row will do.
  ...names('array_agg json_agg jsonb_agg json_object_agg jsonb_object_agg json_object_agg_unique', 'no rows'),
  ...names('json_agg_strict jsonb_agg_strict json_object_agg_strict jsonb_object_agg_strict', 'no rows'),
  ...names('jsonb_object_agg_unique json_object_agg_unique_strict jsonb_object_agg_unique_strict', 'no rows'),
  ...names('sum avg min max any_value bool_and bool_or every bit_and bit_or bit_xor string_agg xmlagg', 'no values'),
  ...names('range_agg range_intersect_agg mode percentile_disc percentile_cont', 'no values'),
  ...names('var_pop stddev_pop', 'no values'),
  ...names('rank dense_rank percent_rank cume_dist', 'never'),
])

function names(words: string, rule: AggregateRule): [string, AggregateRule][] {
  return words.split(' ').map((word) => [word, rule])
}

/** The rule for a function, null if it is not one of PostgreSQL's own aggregates that are known here. */
export function aggregateRule(oid: number, env: Env): AggregateRule | null {
  const called = env.scope.context.catalog.functions.get(oid)
  return called?.schema === 'pg_catalog' && called.kind === 'aggregate' ? (rules[called.name] ?? null) : null
}

export function verdictOfAggregate(call: TreeNode, env: Env): Nullability {
  const name = env.scope.context.catalog.functions.get(int(call, 'aggfnoid'))?.name ?? 'the aggregate'
  const rule = aggregateRule(int(call, 'aggfnoid'), env)
  if (rule === null) return nullable(`${name}() gives null`)
  if (rule === 'never') return nonNull(`${name}() is never null`)
  if (int(call, 'agglevelsup') > 0) return nullable(`${name}() of the outer query is null`)
  const { scope } = env
  if (node(call, 'aggfilter')) return nullable(`no row passes the filter of ${name}()`)
  if (!everyRowPassedWhere(scope.query)) return nullable(`${name}() is over no rows`)
  if (rule === 'no rows') return nonNull(`${name}() over at least one row`)
  return verdictOfInput(call, name, scope.env)
}

/**
 * Whether every row of the output stems from one that passed WHERE. Without GROUP BY an aggregate (or HAVING) has a row
 * over nothing, and so has the empty grouping set.
 */
export function everyRowPassedWhere(query: TreeNode): boolean {
  if (nodes(query, 'groupingSets').some(mayBeEmpty)) return false
  const isAggregated = bool(query, 'hasAggs') || node(query, 'havingQual') !== null
  return !isAggregated || nodes(query, 'groupClause').length > 0
}

/** GroupingSetKind: 0 empty, 1 simple, 2 rollup, 3 cube, 4 sets. */
function mayBeEmpty(set: TreeNode): boolean {
  const kind = int(set, 'kind')
  return kind === 0 || kind === 2 || kind === 3 || (kind === 4 && nodes(set, 'content').some(mayBeEmpty))
}

/** `env` is before the grouping: that is where arguments are evaluated. */
function verdictOfInput(call: TreeNode, name: string, env: Env): Nullability {
  const inputs = nodes(call, 'args').filter((entry) => !bool(entry, 'resjunk'))
  // string_agg(value, separator) skips NULL values only; an ordered-set aggregate also has direct arguments.
  const direct = list(call, 'aggdirectargs') as readonly TreeNode[]
  const needed = name === 'string_agg' ? inputs.slice(0, 1) : inputs
  for (const input of [...needed.map((entry) => node(entry, 'expr')!), ...direct]) {
    const verdict = verdictOf(input, env)
    if (verdict.nullable) return nullable(`${name}() is over nothing but nulls: ${verdict.reason}`)
  }
  return nonNull(`${name}() over at least one value`)
}
