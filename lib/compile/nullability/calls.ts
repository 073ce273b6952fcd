// The verdict on a call of a function or operator: only those that are known never to give NULL for non-null arguments
// pass (`neverNull.ts`), and SQL functions whose bodies say so.

import type { Catalog, CatalogFunction } from '../catalog.ts'
import type { Nullability, TreeNode } from '../model.ts'
import { bool, int, nodes } from '../tree.ts'
import { verdictOf } from './expressions.ts'
import { neverNullRule } from './neverNull.ts'
import { hasSeveralSets } from './outputs.ts'
import type { Env } from './scope.ts'
import { verdictOfSetColumn } from './setFunctions.ts'
import { sqlFunctionVerdict } from './sqlFunctions.ts'
import { allOf, nullable } from './verdict.ts'

export function verdictOfCall(
  call: TreeNode,
  env: Env,
  verdictOfArgument: (arg: TreeNode, env: Env) => Nullability = verdictOf,
): Nullability {
  const { catalog } = env.scope.context
  const called = calledFunction(call, catalog)
  if (!called) return nullable('a function that is not in the catalog')
  if (bool(call, 'funcretset') || bool(call, 'opretset')) {
    if (hasSeveralSets(env.scope)) return nullable('the shorter of several functions is filled up with nulls')
    return verdictOfSetColumn(call, 0, env)
  }
  const args = nodes(call, 'args')
  const rule = neverNullRule(called, catalog)
  if (rule !== null) {
    const needed = rule === 'all' ? args : args.filter((_, index) => rule.includes(index))
    return allOf(
      needed.map((arg) => verdictOfArgument(arg, env)),
      `${called.name}() of values is a value`,
    )
  }
  if (called.language === 'sql') return sqlFunctionVerdict(called, 0, call, env)
  return nullable(`${called.name}() may give null`)
}

/** The function behind a call or an operator. */
export function calledFunction(call: TreeNode, catalog: Catalog): CatalogFunction | undefined {
  const oid = int(call, call.tag === 'FUNCEXPR' ? 'funcid' : 'opfuncid')
  return catalog.functions.get(oid || (catalog.operators.get(int(call, 'opno'))?.function ?? 0))
}
