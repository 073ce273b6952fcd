// What the forms need to know of a statement's tree: where its parameters stand, which types are equal exactly when
// their texts are, and what makes running it once for several inputs differ from running it for each.

import type { AnalyzedQuery } from '../analyze.ts'
import type { Catalog, CatalogType } from '../catalog.ts'
import type { TreeNode, TreeValue } from '../model.ts'
import { defaultsOf } from '../nullability/calls.ts'
import { int, isNode, node, nodes } from '../tree.ts'

/** Every node below `value`, itself included, those of the views that it reads, and defaults of functions that it calls. */
export function* nodesIn(value: TreeValue | undefined, catalog: Catalog): Generator<TreeNode> {
  const open: (TreeValue | undefined)[] = [value]
  const seen = new Set<number>()
  const isNew = (oid: number): boolean => oid !== 0 && !seen.has(oid) && seen.add(oid).has(oid)
  while (open.length > 0) {
    const next = open.pop()
    if (next === null || next === undefined || typeof next === 'string') continue
    if (!isNode(next)) {
      open.push(...(next as readonly TreeValue[]))
      continue
    }
    yield next
    open.push(...Object.values(next))
    const view = next.tag === 'RANGETBLENTRY' ? int(next, 'relid') : 0
    if (isNew(view)) open.push(catalog.viewTree(view))
    const called = catalog.functions.get(int(next, 'funcid'))
    const defaults = called ? defaultsOf(next, called) : []
    if (defaults.length > 0 && isNew(int(next, 'funcid'))) open.push(...defaults)
  }
}

/** Why two runs of a SELECT with the same parameters are not the same as one, in words; null if they are. */
export function volatility(query: TreeNode, catalog: Catalog): string | null {
  if (query.hasModifyingCTE === 'true') return 'it writes'
  const name = volatileFunction(query, catalog) ?? volatileCheck(query, catalog)
  if (name !== null) return `it calls ${name}, which is volatile`
  for (const found of nodesIn(query, catalog)) {
    // LockWaitPolicy 1: SKIP LOCKED.
    if (found.tag === 'ROWMARKCLAUSE' && int(found, 'waitPolicy') === 1) return 'it skips locked rows'
    if (found.tag === 'RANGETBLENTRY' && node(found, 'tablesample')) return 'it samples'
  }
  return null
}

/** The name of a volatile function that a CHECK of a domain calls, which a cast to it runs. */
function volatileCheck(query: TreeNode, catalog: Catalog): string | null {
  for (const found of nodesIn(query, catalog)) {
    const type = catalog.types.get(int(found, found.tag === 'PARAM' ? 'paramtype' : 'resulttype'))
    for (const check of type?.checks ?? []) {
      const name = volatileFunction(check, catalog)
      if (name !== null) return name
    }
  }
  return null
}

/** The table that an INSERT, UPDATE or DELETE is of. */
export function targetOf(tree: TreeNode): TreeNode {
  return nodes(tree, 'rtable')[int(tree, 'resultRelation') - 1]!
}

/** FOR UPDATE and its sisters, at any depth. */
export function locksRows(query: TreeNode, catalog: Catalog): boolean {
  return [...nodesIn(query, catalog)].some((found) => found.tag === 'ROWMARKCLAUSE')
}

/** The name of the first volatile function that is called; of those written in `languages`, if they are given. */
export function volatileFunction(query: TreeNode, catalog: Catalog, languages?: readonly string[]): string | null {
  for (const found of nodesIn(query, catalog)) {
    for (const field of ['funcid', 'opfuncid', 'aggfnoid', 'winfnoid']) {
      const called = catalog.functions.get(int(found, field))
      if (called?.volatility !== 'volatile') continue
      if (languages === undefined || languages.includes(called.language)) return called.name
    }
  }
  return null
}

/** A condition `column = $n` that every row meets. */
export interface Equality {
  readonly column: TreeNode
  /** The parameter's number, from 1. */
  readonly param: number
}

/** The equalities among the conditions of WHERE whose values are equal exactly if their texts are; a uuid's nearly. */
export function equalities(query: AnalyzedQuery, catalog: Catalog): Equality[] {
  const quals = query.tree && node(query.tree, 'jointree') && node(node(query.tree, 'jointree')!, 'quals')
  if (!quals) return []
  const conditions = isNode(quals, 'BOOLEXPR') && quals.boolop === 'and' ? nodes(quals, 'args') : [quals]
  return conditions.flatMap((condition) => {
    const operator = catalog.operators.get(int(condition, 'opno'))
    if (condition.tag !== 'OPEXPR' || operator?.schema !== 'pg_catalog' || operator.name !== '=') return []
    const [left, right] = nodes(condition, 'args').map(withoutRelabel)
    const [column, param] = left?.tag === 'PARAM' ? [right, left] : [left, right]
    if (column?.tag !== 'VAR' || int(column, 'varlevelsup') !== 0 || param?.tag !== 'PARAM') return []
    if (!hasOneSpelling(query, int(param, 'paramid'), int(column, 'vartype'), catalog)) return []
    return isDeterministic(int(condition, 'inputcollid')) ? [{ column, param: int(param, 'paramid') }] : []
  })
}

/** Whether a RIGHT or FULL JOIN keeps rows that an input in front of it would not be joined with. */
export function preservesRight(tree: TreeNode): boolean {
  // JoinType: 2 full, 3 right.
  return joins(tree).some((join) => [2, 3].includes(int(join, 'jointype')))
}

/** Whether a NATURAL JOIN would take a column of the inputs for one that both sides have. */
export function isNatural(tree: TreeNode): boolean {
  return joins(tree).some((join) => join.isNatural === 'true')
}

function joins(tree: TreeNode): TreeNode[] {
  const found: TreeNode[] = []
  const open = [node(tree, 'jointree')]
  while (open.length > 0) {
    const part = open.pop()
    if (!part) continue
    if (part.tag === 'JOINEXPR') found.push(part)
    open.push(...nodes(part, 'fromlist'), node(part, 'larg'), node(part, 'rarg'))
  }
  return found
}

/** A cast that changes the type's name and nothing else. */
function withoutRelabel(expression: TreeNode): TreeNode {
  return expression.tag === 'RELABELTYPE' ? (node(expression, 'arg') ?? expression) : expression
}

/** Collations below this OID come with the server, and none of those is nondeterministic. */
export function isDeterministic(collation: number): boolean {
  return collation < 16_384
}

const integers = ['int2', 'int4', 'int8', 'oid']
const strings = ['text', 'varchar']

/** Whether a parameter's text and a column's are the same exactly if the values are equal; a uuid's but for its case. */
export function hasOneSpelling(query: AnalyzedQuery, param: number, column: number, catalog: Catalog): boolean {
  const [a, b] = [baseType(query.paramTypeOids[param - 1] ?? 0, catalog), baseType(column, catalog)]
  if (!a || !b) return false
  if (a.kind === 'enum') return a.oid === b.oid
  if (a.schema !== 'pg_catalog' || b.schema !== 'pg_catalog') return false
  // An int8 that comes as a string may have leading zeros.
  if (integers.includes(a.name))
    return integers.includes(b.name) && query.arguments[param - 1]?.type.write !== 'numeric'
  if (strings.includes(a.name)) return strings.includes(b.name)
  return a.name === 'uuid' && b.name === 'uuid'
}

/** The type below all domains. */
export function baseType(oid: number, catalog: Catalog): CatalogType | undefined {
  let type = catalog.types.get(oid)
  while (type?.kind === 'domain') type = catalog.types.get(type.base)
  return type
}
