// The verdicts on a query's output columns: its target list, RETURNING, or the arms of a set operation together.

import type { Nullability, TreeNode } from '../model.ts'
import { bool, int, ints, isNode, node, nodes } from '../tree.ts'
import { everyRowPassedWhere } from './aggregates.ts'
import { whenTrue } from './conditions.ts'
import { verdictOf } from './expressions.ts'
import { nothing } from './facts.ts'
import { keyOf } from './keys.ts'
import { returningEnv } from './returning.ts'
import { type Env, isSelect, type Scope, visibleTargets, withFacts } from './scope.ts'
import { allOf, anyOf, nullable } from './verdict.ts'

/** The verdict on one output column, 0-based. */
export function verdictOfOutput(scope: Scope, index: number): Nullability {
  return verdictsOfOutputs(scope)[index] ?? nullable('the column is null where it comes from')
}

/** The verdicts on all output columns. */
export function verdictsOfOutputs(scope: Scope): readonly Nullability[] {
  if (scope.outputs === null) {
    // A view that reads itself through a function finds this.
    scope.outputs = visibleTargets(scope.query).map(() => nullable('the row that it is made from has null'))
    scope.outputs = computeOutputs(scope)
  }
  return scope.outputs
}

function computeOutputs(scope: Scope): readonly Nullability[] {
  const operations = node(scope.query, 'setOperations')
  const targets = visibleTargets(scope.query)
  if (operations) return targets.map((_, index) => verdictOfArms(operations, index, scope))
  const env = outputEnv(scope)
  return targets.map((target) => verdictOf(node(target, 'expr')!, env))
}

/** Where the output expressions stand: behind WHERE and HAVING, or in RETURNING. */
export function outputEnv(scope: Scope): Env {
  if (!isSelect(scope.query)) return returningEnv(scope)
  const nulled = nulledGroups(scope)
  // What WHERE says of a column does not hold where a grouping set leaves it out; the keys are the same.
  const facts = everyRowPassedWhere(scope.query) && nulled === null ? scope.facts : nothing
  const env: Env = { ...scope.env, facts, nulledGroups: nulled }
  const having = node(scope.query, 'havingQual')
  return having ? withFacts(env, whenTrue(having, env)) : env
}

/** Before 18, what some grouping set leaves out is not marked where it is used. */
function nulledGroups(scope: Scope): ReadonlySet<string> | null {
  const { query } = scope
  const sets = nodes(query, 'groupingSets')
  if (sets.length === 0 || bool(query, 'hasGroupRTE')) return null
  const kept = new Set(sets.flatMap(inEverySet))
  const references = nodes(query, 'groupClause').map((clause) => int(clause, 'tleSortGroupRef'))
  const nulled = new Set(references.filter((reference) => !kept.has(reference)))
  const grouped = nodes(query, 'targetList').filter((target) => nulled.has(int(target, 'ressortgroupref')))
  return new Set(grouped.flatMap((target) => keyOf(node(target, 'expr')!, scope.env) ?? []))
}

/** GroupingSetKind: 0 empty, 1 simple, 2 rollup, 3 cube, 4 sets. A rollup and a cube have an empty set, too. */
function inEverySet(set: TreeNode): number[] {
  const kind = int(set, 'kind')
  if (kind === 1) return [...ints(set, 'content')]
  if (kind !== 4) return []
  const [first = [], ...rest] = nodes(set, 'content').map(inEverySet)
  return first.filter((reference) => rest.every((references) => references.includes(reference)))
}

/** SetOperation: 1 UNION, 2 INTERSECT, 3 EXCEPT. */
function verdictOfArms(part: TreeNode, index: number, scope: Scope): Nullability {
  if (!isNode(part, 'SETOPERATIONSTMT')) {
    const entry = scope.entry(int(part, 'rtindex'))
    return verdictOfOutput(scope.child(node(entry, 'subquery')!), index)
  }
  const left = verdictOfArms(node(part, 'larg')!, index, scope)
  if (int(part, 'op') === 3) return left
  const right = verdictOfArms(node(part, 'rarg')!, index, scope)
  // What is in both arms is as non-null as either; what is in one of them as both.
  if (int(part, 'op') === 2) return anyOf([right, left], 'both arms can be null')
  return allOf([left, right], 'no arm is null')
}

/** Whether a set-returning function in this target list can run out before another one and leave NULLs. */
export function hasSeveralSets(scope: Scope): boolean {
  if (!bool(scope.query, 'hasTargetSRFs')) return false
  return nodes(scope.query, 'targetList').reduce((sum, target) => sum + countSets(target), 0) > 1
}

function countSets(expression: TreeNode): number {
  let count = bool(expression, 'funcretset') || bool(expression, 'opretset') ? 1 : 0
  for (const field of Object.values(expression)) {
    if (isNode(field)) count += isNode(field, 'QUERY') ? 0 : countSets(field)
    else if (Array.isArray(field)) for (const item of field) if (isNode(item)) count += countSets(item)
  }
  return count
}
