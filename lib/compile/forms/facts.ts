// What the forms need to know of a statement's tree: where its parameters stand, how its tables are joined, and which
// types are equal exactly when their texts are.

import type { AnalyzedQuery } from '../analyze.ts'
import type { Catalog, CatalogType } from '../catalog.ts'
import { isDeterministic } from '../catalogTypes.ts'
import type { TreeNode } from '../model.ts'
import { int, isNode, node, nodes } from '../tree.ts'

/** The table that an INSERT, UPDATE or DELETE is of. */
export function targetOf(tree: TreeNode): TreeNode {
  return nodes(tree, 'rtable')[int(tree, 'resultRelation') - 1]!
}

/** The columns that an UPDATE gives new values: those that it names, and generated ones, which follow them. */
export function changedColumns(tree: TreeNode, catalog: Catalog): Set<number> {
  // CmdType 2 is UPDATE.
  if (int(tree, 'commandType') !== 2) return new Set()
  const columns = catalog.relations.get(int(targetOf(tree), 'relid'))?.columns ?? []
  const generated = columns.filter((column) => column.generated !== null)
  return new Set([
    ...nodes(tree, 'targetList').map((entry) => int(entry, 'resno')),
    ...generated.map(({ number }) => number),
  ])
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
