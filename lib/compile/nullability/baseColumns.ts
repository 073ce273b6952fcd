// The verdict on a column of a table or view: NOT NULL, its domain, the expression that generates it, CHECK constraints,
// or the view's own query.

import type { Check, Column, Relation } from '../catalog.ts'
import type { Nullability, TreeNode } from '../model.ts'
import { whenNotFalse } from './conditions.ts'
import { verdictOf } from './expressions.ts'
import { both, type Facts, nothing } from './facts.ts'
import { verdictOfOutput } from './outputs.ts'
import { type Context, type Env, Scope } from './scope.ts'
import { allOf, nonNull, nullable } from './verdict.ts'

/** How the query names the table. */
export interface Naming {
  /** Also the rows of tables that inherit from it, and of its partitions: everything but `from only t`. */
  readonly withDescendants: boolean
  /** False while CHECK constraints themselves are read. */
  readonly withChecks: boolean
}

/** The verdict on a column as it is stored, before joins and conditions. */
export function verdictOfBaseColumn(oid: number, number: number, naming: Naming, env: Env): Nullability {
  const { context } = env.scope
  const relation = context.catalog.relations.get(oid)
  if (!relation) return nullable('its table is not in the catalog')
  if (number < 0) return nonNull('a system column')
  if (relation.kind === 'view' || relation.kind === 'materialized view') {
    const scope = viewScope(relation, context)
    return scope ? verdictOfOutput(scope, number - 1) : nullable(`the view ${relation.name} is not loaded`)
  }
  const column = relation.columns.find((candidate) => candidate.number === number)
  if (!column) return nullable('its table has no such column')
  const verdict = verdictOfStoredColumn(relation, column, naming, context)
  if (verdict.nullable || !naming.withDescendants) return verdict
  // A table that inherits may have dropped the constraint (before 18), or never had it (NO INHERIT).
  return allOf(
    relation.descendants.map((descendant) => verdictOfInherited(descendant, column.name, naming, context)),
    verdict.reason,
  )
}

function verdictOfInherited(oid: number, name: string, naming: Naming, context: Context): Nullability {
  const relation = context.catalog.relations.get(oid)
  const column = relation?.columns.find((candidate) => candidate.name === name)
  if (!relation || !column) return nullable('a table that inherits is not in the catalog')
  return verdictOfStoredColumn(relation, column, naming, context)
}

function verdictOfStoredColumn(relation: Relation, column: Column, naming: Naming, context: Context): Nullability {
  const name = `${relation.name}.${column.name}`
  if (relation.kind === 'foreign table')
    return nullable(`${relation.name} is a foreign table: nothing enforces its constraints`)
  if (column.provenNotNull) return nonNull(`${name} is NOT NULL`)
  if (context.catalog.types.get(column.type)?.notNull) return nonNull(`the domain of ${name} refuses null`)
  if (column.generated && column.defaultTree) {
    const verdict = verdictOf(column.defaultTree, rowEnv(relation, naming.withChecks, context))
    if (!verdict.nullable) return nonNull(`${name} is generated and never null`)
  }
  if (naming.withChecks && checkFacts(relation, context).nonNull.has(`0.1.${column.number}`)) {
    return nonNull(`a CHECK constraint of ${relation.name} excludes null`)
  }
  return nullable(column.notNull ? `the NOT NULL of ${name} is not validated` : `${name} has no NOT NULL constraint`)
}

/** Whether a row with NULL there would be refused: what is declared counts for new rows, validated or not. */
export function columnRefusesNull(relation: Relation, column: Column, context: Context): boolean {
  if (column.notNull || context.catalog.types.get(column.type)?.notNull) return true
  return checkFacts(relation, context).nonNull.has(`0.1.${column.number}`)
}

const factsOfChecks = new WeakMap<Relation, Facts>()

/** What the CHECK constraints say of every row; columns are of range table entry 1. */
function checkFacts(relation: Relation, context: Context): Facts {
  let facts = factsOfChecks.get(relation)
  if (!facts) {
    const env = rowEnv(relation, false, context)
    facts = both(nothing, ...relation.checks.map((check: Check) => whenNotFalse(check.tree, env)))
    factsOfChecks.set(relation, facts)
  }
  return facts
}

/** Where the expressions of a table's own constraints and generated columns stand: over one of its rows. */
export function rowEnv(relation: Relation, withChecks: boolean, context: Context): Env {
  const entry: TreeNode = {
    tag: 'RANGETBLENTRY',
    rtekind: '0',
    relid: String(relation.oid),
    inh: 'false',
    withoutChecks: String(!withChecks),
  }
  const query: TreeNode = { tag: 'QUERY', commandType: '1', rtable: [entry] }
  return new Scope(query, null, { ...context, params: [] }).env
}

/** The query of a view, ready to be asked for its outputs; null if it is not loaded. */
export function viewScope(relation: Relation, context: Context): Scope | null {
  let scope = context.views.get(relation.oid)
  if (!scope) {
    const tree = context.catalog.viewTree(relation.oid)
    if (!tree) return null
    scope = new Scope(tree, null, { ...context, params: [] })
    context.views.set(relation.oid, scope)
  }
  return scope
}
