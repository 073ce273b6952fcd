// Which columns and parameters can be NULL, proven from PostgreSQL's own analyzed tree. A described query and the
// catalog in, verdicts with reasons out. Pure. What is not proven is nullable.

import type { Catalog } from './catalog.ts'
import type { DescribedQuery, Nullability, Origin, TreeNode } from './model.ts'
import { originOf } from './nullability/origins.ts'
import { outputEnv, verdictsOfOutputs } from './nullability/outputs.ts'
import { type Use, usesOfParams, verdictOfUses } from './nullability/params.ts'
import { type Context, contextOf, type Env, Scope, visibleTargets } from './nullability/scope.ts'
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
    const nullability = nullable('the statement gives null')
    return query.columns.map(() => ({ nullability, origin: null, expression: null, env: null }))
  }
  const scope = new Scope(tree, null, statementContext(catalog, verdictsOfParams(query, catalog)))
  const verdicts = verdictsOfOutputs(scope)
  const env = outputEnv(scope)
  return visibleTargets(tree).map((target, index) => ({
    nullability: verdicts[index]!,
    origin: originOf(scope, index),
    expression: node(target, 'expr'),
    env,
  }))
}

export interface ParamAnalysis {
  /** Whether it accepts null. The author's mark (`:name?`) is not part of it. */
  readonly nullability: Nullability
  readonly typeOid: number
  /** The column it is written to or compared with; null if there is none, or several that differ. */
  readonly origin: Origin | null
  /** The same for the elements of an array, as in `id = any(:ids)`. */
  readonly elementOrigin: Origin | null
}

/** The analysis of every parameter, in the order of their numbers. */
export function analyzeParams(query: AnalyzableQuery, catalog: Catalog): readonly ParamAnalysis[] {
  const { tree, paramTypeOids } = query
  // Where parameters go does not depend on whether they can be null.
  const uses = tree ? usesOfParams(new Scope(tree, null, statementContext(catalog, []))) : new Map<number, Use[]>()
  return paramTypeOids.map((typeOid, index) => {
    const own = uses.get(index + 1) ?? []
    return {
      nullability: verdictOfUses(own),
      typeOid,
      origin: commonOrigin(own.filter((use) => !use.ofElements)),
      elementOrigin: commonOrigin(own.filter((use) => use.ofElements)),
    }
  })
}

function commonOrigin(uses: readonly Use[]): Origin | null {
  const origins = uses.flatMap((use) => use.origin ?? [])
  const names = new Set(origins.map(({ schema, table, column }) => JSON.stringify([schema, table, column])))
  return names.size === 1 ? origins[0]! : null
}

/** What expressions may assume of parameters: the author's word, else the analysis. */
function verdictsOfParams(query: AnalyzableQuery, catalog: Catalog): Nullability[] {
  return analyzeParams(query, catalog).map(({ nullability }, index) => {
    const param = query.params[index]
    if (param?.mark === '!') return nonNull(`:${param.name}! is never null`)
    return param && (param.mark === '?' || nullability.nullable) ? nullable(`:${param.name} is null`) : nullability
  })
}

/** Where nothing is known of parameters, because there are none. */
export function emptyContext(catalog: Catalog): Context {
  return statementContext(catalog, [])
}

function statementContext(catalog: Catalog, params: readonly Nullability[]): Context {
  return { ...contextOf(catalog), params, paramsAreTyped: true }
}
