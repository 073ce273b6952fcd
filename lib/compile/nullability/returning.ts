// The verdict on the target table's columns in RETURNING: the row as it was written, or as it was (DELETE, `old`).

import type { Relation } from '../catalog.ts'
import type { Nullability, TreeNode } from '../model.ts'
import { bool, int, isNode, node, nodes } from '../tree.ts'
import { hasTrigger, TriggerBits } from '../triggers.ts'
import { rowEnv, verdictOfBaseColumn } from './baseColumns.ts'
import { verdictOf } from './expressions.ts'
import { type Facts, nothing } from './facts.ts'
import { type Context, type Env, isKnown, type Scope } from './scope.ts'
import { allOf, nonNull, nullable } from './verdict.ts'

const update = 2
const insert = 3
const remove = 4
const merge = 5
const doNothing = 7

/** Where RETURNING stands. WHERE and FROM guarantee there what they do in SELECT, except of what was overwritten. */
export function returningEnv(scope: Scope): Env {
  const command = int(scope.query, 'commandType')
  const facts = command === remove ? scope.facts : command === update ? ofUnwritten(scope) : nothing
  return { ...scope.env, facts, returning: true }
}

/**
 * What WHERE said of the row before it was written still holds for its columns that were not. Of whole expressions
 * (`lower(name)`, `state = 'open'`) nothing is kept: they may be of columns that were.
 */
function ofUnwritten(scope: Scope): Facts {
  const target = int(scope.query, 'resultRelation')
  const relation = scope.context.catalog.relations.get(int(scope.entry(target), 'relid'))
  const written = new Set(nodes(scope.query, 'targetList').map((entry) => int(entry, 'resno')))
  const isRewritten =
    !relation || relation.kind === 'view' || relation.hasRules || mayBeChanged(relation, scope.context)
  const isKept = (key: string): boolean => {
    const [, entry, column] = /^0\.(\d+)\.(-?\d+|0\.\*)$/.exec(key) ?? []
    if (Number(entry) !== target) return entry !== undefined
    if (isRewritten) return false
    // Every column; of those that were written the verdict does not ask.
    if (column === '0.*') return true
    const found = relation.columns.find(({ number }) => String(number) === column)
    return found !== undefined && !found.generated && !written.has(found.number)
  }
  return { ...nothing, nonNull: new Set([...scope.facts.nonNull].filter(isKept)), matched: scope.facts.matched }
}

/** Whether a trigger may change a row that UPDATE writes. One that moves to another partition is inserted there. */
function mayBeChanged(relation: Relation, context: Context): boolean {
  if (hasTrigger(relation, TriggerBits.before | TriggerBits.update, context.catalog)) return true
  return (
    relation.kind === 'partitioned table' &&
    hasTrigger(relation, TriggerBits.before | TriggerBits.insert, context.catalog)
  )
}

/** The verdict on a column in RETURNING if the statement itself decides it; null if it is a column like any other. */
export function verdictOfReturned(variable: TreeNode, env: Env): Nullability | null {
  const { scope } = env
  const command = int(scope.query, 'commandType')
  if (int(variable, 'varno') !== int(scope.query, 'resultRelation')) {
    const isUnmatched = command === merge && mergeActions(scope).some((action) => int(action, 'matchKind') === 1)
    return isUnmatched ? nullable('the target row has no source row') : null
  }
  // VarReturningType: 0 the row as it is usual, 1 old, 2 new.
  const which = int(variable, 'varreturningtype')
  if (which === 1 && isMissing(scope, command, insert)) return nullable('the row was inserted: there is no old one')
  if (which === 2 && isMissing(scope, command, remove)) return nullable('the row was deleted: there is no new one')
  const column = int(variable, 'varattno')
  if (column === 0) return nonNull('a row')

  const entry = scope.entry(int(scope.query, 'resultRelation'))
  const relation = scope.context.catalog.relations.get(int(entry, 'relid'))
  if (!relation) return nullable('it is null in its table, of which nothing is known')
  if (relation.hasRules) return nullable(`a rule of ${relation.name} gives null`)
  const stored = verdictOfWrittenColumn(relation, column, bool(entry, 'inh'), env)
  if (!stored.nullable || relation.kind === 'view') return stored
  const isOld = command === remove || which === 1
  if (command === merge) return stored
  // What a CASE in RETURNING asked of the new row says nothing of the old one; WHERE does.
  const before = which === 1 ? { ...env, facts: scope.facts } : env
  if (isOld) return isKnownOfTarget(variable, before) ? nonNull('a condition excludes null') : stored
  const written =
    command === insert ? verdictOfInserted(scope, relation, column) : verdictOfUpdated(variable, env, relation)
  return written.nullable ? stored : written
}

/** Whether a row of this statement may be one that has no old (`insert`) or no new (`remove`) version. */
function isMissing(scope: Scope, command: number, by: number): boolean {
  return (
    command === by || (command === merge && mergeActions(scope).some((action) => int(action, 'commandType') === by))
  )
}

function mergeActions(scope: Scope): readonly TreeNode[] {
  return nodes(scope.query, 'mergeActionList').filter((action) => int(action, 'commandType') !== doNothing)
}

/**
 * A table's column as it is stored. Through a view it is the base table's: the view's own WHERE says nothing of a row
 * that was just written, and INSTEAD OF triggers answer whatever they like.
 */
function verdictOfWrittenColumn(relation: Relation, column: number, withDescendants: boolean, env: Env): Nullability {
  const { catalog } = env.scope.context
  if (relation.kind !== 'view') {
    return verdictOfBaseColumn(relation.oid, column, withDescendants, env)
  }
  if (hasTrigger(relation, TriggerBits.instead, catalog)) {
    return nullable(`the INSTEAD OF trigger of ${relation.name} gives null`)
  }
  const tree = catalog.viewTree(relation.oid)
  const target = tree && nodes(tree, 'targetList').find((entry) => int(entry, 'resno') === column)
  const expression = target ? node(target, 'expr') : null
  if (!tree || !isNode(expression, 'VAR')) return nullable(`the view ${relation.name} computes null`)
  const entry = nodes(tree, 'rtable')[int(expression, 'varno') - 1]
  const base = entry && catalog.relations.get(int(entry, 'relid'))
  if (!base || base.hasRules) return nullable(`it is null in the table behind ${relation.name}`)
  return verdictOfWrittenColumn(base, int(expression, 'varattno'), bool(entry, 'inh'), env)
}

function isKnownOfTarget(variable: TreeNode, env: Env): boolean {
  const key = `${int(variable, 'varno')}.${int(variable, 'varattno')}`
  return isKnown(env, 'nonNull', 0, key) || isKnown(env, 'nonNull', 0, `${int(variable, 'varno')}.0.*`)
}

/** A column of `excluded` in ON CONFLICT DO UPDATE: the row that INSERT tried to write; null for any other entry. */
export function verdictOfExcluded(variable: TreeNode, env: Env): Nullability | null {
  const { scope } = env
  const conflict = node(scope.query, 'onConflict')
  if (!conflict || int(conflict, 'exclRelIndex') !== int(variable, 'varno')) return null
  const relation = scope.context.catalog.relations.get(int(scope.entry(int(variable, 'varno')), 'relid'))
  const column = int(variable, 'varattno')
  return relation && column > 0 ? verdictOfProposed(scope, relation, column) : null
}

/** What INSERT wrote: a value, a default, or with ON CONFLICT DO UPDATE what that wrote. */
function verdictOfInserted(scope: Scope, relation: Relation, column: number): Nullability {
  const { context } = scope
  const inserted = verdictOfProposed(scope, relation, column)
  const conflict = node(scope.query, 'onConflict')
  // OnConflictAction: 1 nothing, 2 update. A row that was left alone is not returned.
  if (!conflict || int(conflict, 'action') !== 2) return inserted
  if (hasTrigger(relation, TriggerBits.before | TriggerBits.update, context.catalog))
    return nullable('a trigger makes it null')
  const set = nodes(conflict, 'onConflictSet').find((entry) => int(entry, 'resno') === column)
  const value = set ? node(set, 'expr') : null
  const updated = value ? verdictOf(value, scope.env) : nullable('the row that was there has null')
  return allOf([inserted, updated], 'a value is written')
}

function verdictOfProposed(scope: Scope, relation: Relation, column: number): Nullability {
  if (hasTrigger(relation, TriggerBits.before | TriggerBits.insert, scope.context.catalog)) {
    return nullable('a trigger makes it null')
  }
  const target = nodes(scope.query, 'targetList').find((entry) => int(entry, 'resno') === column)
  const expression = target ? node(target, 'expr') : null
  return expression && expression.tag !== 'SETTODEFAULT'
    ? verdictOf(expression, scope.env)
    : verdictOfDefault(relation, column, scope.context)
}

function verdictOfDefault(relation: Relation, column: number, context: Context): Nullability {
  const found = relation.columns.find((candidate) => candidate.number === column)
  if (!found?.defaultTree || found.generated) return nullable('there is no default')
  return verdictOf(found.defaultTree, rowEnv(relation, context))
}

/** What UPDATE left behind: an assigned value, or the old one with all that WHERE says of it. */
function verdictOfUpdated(variable: TreeNode, env: Env, relation: Relation): Nullability {
  const { scope } = env
  const column = int(variable, 'varattno')
  if (mayBeChanged(relation, scope.context)) return nullable('a trigger makes it null')
  const target = nodes(scope.query, 'targetList').find((entry) => int(entry, 'resno') === column)
  const expression = target ? node(target, 'expr') : null
  if (expression) {
    return expression.tag === 'SETTODEFAULT'
      ? verdictOfDefault(relation, column, scope.context)
      : verdictOf(expression, scope.env)
  }
  const isGenerated = relation.columns.some((candidate) => candidate.number === column && candidate.generated)
  return !isGenerated && isKnownOfTarget(variable, env)
    ? nonNull('a condition excludes null')
    : nullable('not assigned')
}
