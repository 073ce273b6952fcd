// Which columns and parameters can be NULL, proven from PostgreSQL's own analyzed tree. A described query and the
// catalog in, verdicts with reasons out. Pure. What is not proven is nullable.

import type { Catalog } from './catalog.ts'
import type { DescribedQuery, Nullability, Origin, TreeNode } from './model.ts'
import { originOf } from './nullability/origins.ts'
import { outputEnv, verdictsOfOutputs } from './nullability/outputs.ts'
import { type Context, type Env, Scope, visibleTargets } from './nullability/scope.ts'
import { nonNull, nullable } from './nullability/verdict.ts'
import { node } from './tree.ts'

/** The part of a described query that the analysis reads. */
export type AnalyzableQuery = Pick<DescribedQuery, 'tree' | 'columns' | 'params' | 'paramTypeOids'>

export interface ColumnAnalysis {
  readonly nullability: Nullability
  /** The table's column that this is, unchanged; null for expressions. */
  readonly origin: Origin | null
  /** The expression and where it stands, for `shapes.ts`; null if the statement has no tree. */
  readonly expression: TreeNode | null
  readonly env: Env | null
}

/** The analysis of every output column, in order. Views must have been loaded (`loadDefinitions`), else theirs are nullable. */
export function analyzeColumns(query: AnalyzableQuery, catalog: Catalog): readonly ColumnAnalysis[] {
  const { tree } = query
  if (!tree) {
    const nullability = nullable('a utility statement')
    return query.columns.map(() => ({ nullability, origin: null, expression: null, env: null }))
  }
  const scope = new Scope(tree, null, contextOf(query, catalog))
  const verdicts = verdictsOfOutputs(scope)
  const env = outputEnv(scope)
  return visibleTargets(tree).map((target, index) => ({
    nullability: verdicts[index]!,
    origin: originOf(scope, index),
    expression: node(target, 'expr'),
    env,
  }))
}

function contextOf(query: AnalyzableQuery, catalog: Catalog): Context {
  const params = query.paramTypeOids.map((_, index) => {
    const param = query.params[index]
    return param?.mark === '?' ? nullable(`:${param.name} can be null`) : nonNull('a parameter')
  })
  return { catalog, params, assumed: new Map(), active: new Set(), views: new Map() }
}
