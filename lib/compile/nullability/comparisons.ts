// What a comparison that came out true rules out. A comparison in, facts out; only `facts.ts` uses them, to see that
// conditions contradict each other.

import type { TreeNode } from '../model.ts'
import { int, isNode, nodes, text } from '../tree.ts'
import { type Facts, knownComparison, nothing } from './facts.ts'
import { keyOf } from './keys.ts'
import type { Env } from './scope.ts'

/**
 * `state = 'done'`: then `state <> 'done'` is not true, nor `state = 'open'`. The second needs a type in which equal
 * values have equal bytes: not numeric (1.0 = 1.00), and text only under the default collation, which is deterministic.
 */
export function whenComparisonTrue(comparison: TreeNode, env: Env): Facts {
  const { operators, types } = env.scope.context.catalog
  const operator = operators.get(int(comparison, 'opno'))
  const key = keyOf(comparison, env)
  if (!operator || key === null) return nothing
  const negator = operators.get(operator.negator)
  const opposite = negator && { ...comparison, opno: String(negator.oid), opfuncid: String(negator.function) }
  const [left, right] = nodes(comparison, 'args')
  const equals = new Map<string, string>()
  if (operator.name === '=' && operator.schema === 'pg_catalog' && isNode(right, 'CONST')) {
    const type = types.get(int(right, 'consttype'))
    const isExact = type?.kind === 'enum' || ['bool', 'int2', 'int4', 'int8', 'uuid'].includes(type?.name ?? '')
    const isText = type?.name === 'text' && int(comparison, 'inputcollid') === defaultCollation
    const leftKey = left ? keyOf(left, env) : null
    if (leftKey !== null && (isExact || isText)) equals.set(leftKey, text(right, 'constvalue') ?? '')
  }
  return knownComparison(key, opposite ? keyOf(opposite, env) : null, equals)
}

/** OID of `pg_catalog."default"`. */
const defaultCollation = 100
