// The verdict on a column of a table or view: NOT NULL, its domain, the expression that generates it, CHECK constraints,
// or the view's own query.

import type { Catalog, Check, Column, Relation } from '../catalog.ts'
import type { Nullability, TreeNode, TreeValue } from '../model.ts'
import { int, isNode } from '../tree.ts'
import { whenNotFalse } from './conditions.ts'
import { verdictOf } from './expressions.ts'
import { both, type Facts } from './facts.ts'
import { verdictOfOutput } from './outputs.ts'
import { type Context, contextOf, type Env, Scope } from './scope.ts'
import { allOf, nonNull, nullable } from './verdict.ts'

/**
 * The verdict on a column as it is stored, before joins and conditions. `withDescendants`: the rows of tables that inherit
 * from it, and of its partitions, are meant too, as with everything but `from only t`.
 */
export function verdictOfBaseColumn(oid: number, number: number, withDescendants: boolean, env: Env): Nullability {
  const { context } = env.scope
  const relation = context.catalog.relations.get(oid)
  if (!relation) return nullable('it is null in its table, of which nothing is known')
  if (number < 0) return nonNull('a system column')
  if (relation.kind === 'sequence') return nonNull('a column of a sequence')
  if (relation.kind === 'view' || relation.kind === 'materialized view') {
    const scope = viewScope(relation, context)
    return scope ? verdictOfOutput(scope, number - 1) : nullable(`the view ${relation.name} gives null`)
  }
  const column = relation.columns.find((candidate) => candidate.number === number)
  if (!column) return nullable('its table has no such column')
  const verdict = verdictOfStoredColumn(relation, column, env)
  if (verdict.nullable || !withDescendants) return verdict
  // A table that inherits may have dropped the constraint (before 18), or never had it (NO INHERIT).
  return allOf(
    relation.descendants.map((descendant) => verdictOfInherited(descendant, column.name, env)),
    verdict.reason,
  )
}

/**
 * Whether the CHECK constraints of a table, together with what is known of the row at `env`, exclude NULL: with
 * `check (state <> 'done' or done_at is not null)` and `where state = 'done'`, done_at has a value.
 */
export function isExcludedByChecks(
  entry: number,
  relation: Relation,
  column: number,
  inherited: boolean,
  env: Env,
): boolean {
  if (!env.withChecks || isForeign(relation, inherited, env)) return false
  const isInherited = (check: Check): boolean => !(check.noInherit && inherited && relation.descendants.length > 0)
  const checks = relation.checks.filter((check) => isInherited(check) && columnsOf(check).has(column))
  if (checks.length === 0) return false
  const at: Env = { ...env, withChecks: false }
  const facts = checks.map((check) => whenNotFalse(moved(check.tree, entry) as TreeNode, at))
  return both(...facts).nonNull.has(`0.${entry}.${column}`)
}

/** Nothing enforces the constraints of a foreign table, nor those of a table on one that inherits from it. */
function isForeign(relation: Relation, inherited: boolean, { scope }: Env): boolean {
  const { relations } = scope.context.catalog
  const descendants = inherited ? relation.descendants.map((oid) => relations.get(oid)) : []
  return [relation, ...descendants].some((table) => table?.kind === 'foreign table')
}

const columnsOfChecks = new WeakMap<Check, ReadonlySet<number>>()

/** The columns that a constraint speaks of. */
function columnsOf(check: Check): ReadonlySet<number> {
  const known = columnsOfChecks.get(check)
  if (known) return known
  const found = new Set<number>()
  const open: TreeValue[] = [check.tree]
  for (let value = open.pop(); value !== undefined; value = open.pop()) {
    if (Array.isArray(value)) open.push(...value)
    else if (isNode(value)) {
      if (value.tag === 'VAR') found.add(int(value, 'varattno'))
      else open.push(...Object.values(value))
    }
  }
  columnsOfChecks.set(check, found)
  return found
}

/** A constraint's expression with its columns as those of another range table entry. */
function moved(value: TreeValue, entry: number): TreeValue {
  if (Array.isArray(value)) return value.map((item) => moved(item, entry))
  if (!isNode(value)) return value
  const fields = Object.entries(value).map(([name, field]) => [name, moved(field, entry)])
  const copy = Object.fromEntries(fields) as TreeNode
  return isNode(copy, 'VAR') ? { ...copy, varno: String(entry), varnullingrels: [] } : copy
}

function verdictOfInherited(oid: number, name: string, env: Env): Nullability {
  const relation = env.scope.context.catalog.relations.get(oid)
  const column = relation?.columns.find((candidate) => candidate.name === name)
  if (!relation || !column) return nullable('it is null in a table that inherits')
  return verdictOfStoredColumn(relation, column, env)
}

function verdictOfStoredColumn(relation: Relation, column: Column, env: Env): Nullability {
  const { context } = env.scope
  const name = `${relation.name}.${column.name}`
  if (relation.kind === 'foreign table') {
    return nullable(`${name} is null, which nothing forbids in a foreign table`)
  }
  if (column.provenNotNull) return nonNull(`${name} is NOT NULL`)
  if (context.catalog.types.get(column.type)?.notNull) return nonNull(`the domain of ${name} refuses null`)
  if (column.generated && column.defaultTree) {
    const verdict = verdictOf(column.defaultTree, { ...rowEnv(relation, context), withChecks: env.withChecks })
    if (!verdict.nullable) return nonNull(`${name} is generated and never null`)
  }
  if (env.withChecks && checkFacts(relation, context).nonNull.has(`0.1.${column.number}`)) {
    return nonNull(`a CHECK constraint of ${relation.name} excludes null`)
  }
  return nullable(
    column.notNull ? `${name} is null in a row from before its NOT NULL` : `${name} is null, which no NOT NULL forbids`,
  )
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
    const env: Env = { ...rowEnv(relation, context), withChecks: false }
    facts = both(...relation.checks.map((check: Check) => whenNotFalse(check.tree, env)))
    factsOfChecks.set(relation, facts)
  }
  return facts
}

/** Where the expressions of a table's own constraints and generated columns stand: over one of its rows. */
export function rowEnv(relation: Relation, context: Context): Env {
  const entry: TreeNode = { tag: 'RANGETBLENTRY', rtekind: '0', relid: String(relation.oid), inh: 'false' }
  const query: TreeNode = { tag: 'QUERY', commandType: '1', rtable: [entry] }
  return new Scope(query, null, { ...contextOf(context.catalog), active: context.active }).env
}

const scopesOfViews = new WeakMap<Catalog, Map<number, Scope>>()

/** The query of a view, ready to be asked for its outputs; null if it is not loaded. One for all queries that read it. */
export function viewScope(relation: Relation, { catalog }: Context): Scope | null {
  const scopes = scopesOfViews.get(catalog) ?? new Map<number, Scope>()
  scopesOfViews.set(catalog, scopes)
  const known = scopes.get(relation.oid)
  if (known) return known
  const tree = catalog.viewTree(relation.oid)
  if (!tree) return null
  const scope = new Scope(tree, null, contextOf(catalog))
  scopes.set(relation.oid, scope)
  return scope
}
