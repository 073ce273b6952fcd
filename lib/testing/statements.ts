// Statements as pg-mem may run them: the parser's tree in; out comes a tree with the parameters in it whose result in
// pg-mem is PostgreSQL's. Everything that is not known to be so is refused; see expressions.ts.

import { condition, joinCondition } from './conditions.ts'
import { aggregates, caseOf, value } from './expressions.ts'
import { MemoryServerError, notNull } from './failures.ts'
import { isNode, type Node, nameOf, nodes, type Tree } from './pgMem.ts'
import { checkRelation, only, type Scope } from './scope.ts'

const selects: ReadonlySet<unknown> = new Set(['select', 'union', 'union all', 'with'])

export function isStatement(node: Node): boolean {
  return selects.has(node.type) || node.type === 'values' || node.type === 'with recursive'
}

/** Whether a statement changes rows, or locks them. */
export function isWrite(node: Node): boolean {
  return !selects.has(node.type) || isNode(node.for)
}

/** The table that a statement changes; empty for one that changes none. */
export function targetOf(node: Node): string {
  return nameOf(node.into) || nameOf(node.table) || (node.type === 'delete' ? nameOf(node.from) : '')
}

export function statement(node: Node, scope: Scope): Node {
  const target = (node.into ?? node.table ?? (node.type === 'delete' ? node.from : null)) as Node | null
  if (target) checkRelation(target, scope, true)
  if (node.type === 'update' || node.type === 'delete') checkSubqueries(node, scope)
  if (node.type === 'delete') {
    if (scope.schema.hasHiddenRows)
      scope.refuse('DELETE where tables that it cannot have were filled, and may refer to others')
    for (const name of scope.schema.changedWith(targetOf(node))) checkRelation({ name }, scope, true)
  }
  switch (node.type) {
    case 'insert':
      return insert(node, scope)
    case 'update':
      only(node, scope, 'table', 'sets', 'where', 'returning')
      return { ...node, sets: assignments(node.sets, scope), ...filtered(node, scope), ...returned(node, scope) }
    case 'delete':
      only(node, scope, 'from', 'where', 'returning')
      return { ...node, ...filtered(node, scope), ...returned(node, scope) }
  }
  return selectStatement(node, scope)
}

/** pg-mem reads a subquery anew for each row, and finds the rows before it already changed. */
function checkSubqueries(node: Node, scope: Scope): void {
  const changed = node.type === 'delete' ? scope.schema.changedWith(targetOf(node)) : new Set([targetOf(node)])
  const visit = (tree: Tree): void => {
    if (Array.isArray(tree)) return void tree.map(visit)
    if (!isNode(tree)) return
    if (tree.type === 'table' && changed.has(nameOf(tree.name))) {
      scope.refuse('a subquery on a table that the statement changes')
    }
    Object.values(tree).map(visit)
  }
  visit([node.where, node.sets, node.returning])
}

export function selectStatement(node: Node, scope: Scope): Node {
  switch (node.type) {
    case 'select':
      return select(node, scope)
    case 'union':
    case 'union all':
      return { ...node, left: arm(node.left as Node, scope), right: arm(node.right as Node, scope) }
    case 'with':
      return {
        ...node,
        bind: nodes(node.bind).map((bound) => {
          only(bound, scope, 'alias', 'statement')
          return { ...bound, statement: subquery(bound.statement as Node, scope) }
        }),
        in: selectStatement(node.in as Node, scope),
      }
  }
  return scope.refuse(node.type === 'with recursive' ? 'WITH RECURSIVE' : `statements of kind "${String(node.type)}"`)
}

/**
 * A query in FROM or WITH, or of a view. pg-mem looks for the rows of a join in the index behind it, past its LIMIT and
 * DISTINCT ON; there is none behind an expression.
 */
export function subquery(node: Node, scope: Scope, isJoined = true): Node {
  if (!isJoined || node.type !== 'select' || !(isNode(node.limit) || Array.isArray(node.distinct)))
    return selectStatement(node, scope)
  const columns = nodes(node.columns).map((column) => {
    const expr = column.expr as Node
    if (expr.name === '*') scope.refuse('* in a subquery with LIMIT or DISTINCT ON')
    if (expr.type !== 'ref') return column
    const same = { type: 'call', function: { name: 'coalesce' }, args: [expr] }
    return { ...column, expr: same, alias: column.alias ?? { name: expr.name } }
  })
  return selectStatement({ ...node, columns }, scope)
}

/** The parser gives an ORDER BY or LIMIT of the whole to the last SELECT of a UNION. */
function arm(node: Node, scope: Scope): Node {
  if (nodes(node.orderBy).length > 0 || node.limit) scope.refuse('ORDER BY and LIMIT with UNION')
  return selectStatement(node, scope)
}

function select(node: Node, scope: Scope): Node {
  only(node, scope, 'columns', 'from', 'where', 'groupBy', 'limit', 'orderBy', 'distinct', 'for')
  if (isNode(node.for)) only(node.for, scope)
  const columns = nodes(node.columns)
  for (const column of columns) checkColumn(column, node, scope)
  if (node.distinct) checkDistinct(columns, scope)
  /** `ORDER BY 2` is the second column; to pg-mem it is the constant 2. */
  const resolved = (by: Node): Node => {
    const column = by.type === 'integer' ? columns[(by.value as number) - 1] : undefined
    const expr = column?.expr as Node | undefined
    if (by.type === 'integer' && (!expr || expr.name === '*')) scope.refuse('the number of a column behind *')
    // pg-mem takes a name for another column that is called so in the result.
    const isOther = (other: Node) =>
      other !== column && (expr?.table ? nameOf(other.alias) : resultName(other)) === nameOf(expr)
    if (expr?.type === 'ref' && columns.some(isOther))
      scope.refuse('the number of a column whose name another one gets')
    return expr ?? by
  }
  const expression = (by: Node): Node => value(resolved(by), scope)
  const groups = nodes(node.groupBy).map(resolved)
  return {
    type: 'select',
    columns: columns.map((column) => ({ ...column, expr: value(column.expr as Node, scope) })),
    ...(node.from ? { from: nodes(node.from).map((item, _, { length }) => fromItem(item, scope, length > 1)) } : {}),
    ...filtered(node, scope),
    ...(node.groupBy ? { groupBy: [...groups, ...dependent(node, groups, scope)].map((by) => value(by, scope)) } : {}),
    ...(node.orderBy
      ? {
          orderBy: nodes(node.orderBy).map((item) => {
            only(item, scope, 'by', 'order', 'nulls')
            return { ...item, by: expression(item.by as Node) }
          }),
        }
      : {}),
    ...(node.distinct
      ? { distinct: Array.isArray(node.distinct) ? nodes(node.distinct).map(expression) : node.distinct }
      : {}),
    ...(isNode(node.limit) ? { limit: limit(node.limit, scope) } : {}),
  }
}

/** Refuses what the parser, or pg-mem, takes for another column than PostgreSQL does. */
function checkColumn({ expr, alias }: Node, select: Node, scope: Scope): void {
  const { type, name, value } = expr as Node
  if (name === '*' && nodes(select.from).some((item) => isNode(item.join) && item.join.using)) {
    scope.refuse('* of a join with USING')
  }
  // The parser reads 1e3 as 1 with the name e3.
  const notation = value === 0 ? /^(?:[e_]\d+|x[\da-f]+|[ob]\d+)$/i : /^[e_]\d+$/i
  const isNumber = type === 'integer' || type === 'numeric'
  if (isNumber && notation.test(nameOf(alias))) scope.refuse('this notation of a number')
}

/** pg-mem compares the first of two columns that have one name, twice. */
function checkDistinct(columns: readonly Node[], scope: Scope): void {
  const names = columns.map(resultName)
  const isTwice = names.some((name, at) => name !== '' && names.indexOf(name) !== at)
  if (isTwice || (names.includes('*') && names.length > 1)) scope.refuse('DISTINCT of columns that have one name')
}

/** The name that a column has in the result; empty for what is named otherwise. */
function resultName({ expr, alias }: Node): string {
  let named = expr as Node
  while (named.type === 'cast') named = named.operand as Node
  return nameOf(alias) || (named.type === 'ref' ? nameOf(named) : '')
}

/**
 * PostgreSQL lets a query name all columns of a table whose key is in GROUP BY; in pg-mem those are null. As it has
 * accepted the query, they make no more groups than there are.
 */
function dependent(select: Node, groups: readonly Node[], scope: Scope): Node[] {
  const names = new Set(groups.map((by) => nameOf(by)))
  const columns = nodes(select.columns).filter(({ alias }) => !isNode(alias) || !names.has(nameOf(alias)))
  const aliases = new Set(nodes(select.columns).map(({ alias }) => nameOf(alias)))
  const sorted = nodes(select.orderBy).map((item) => item.by as Node)
  const known = new Set(groups.map(keyOf))
  const found = new Map<string, Node>()
  const visit = (tree: Tree): void => {
    if (Array.isArray(tree)) return void tree.map(visit)
    if (!isNode(tree) || known.has(keyOf(tree)) || isStatement(tree)) return
    if (tree.type === 'call' && aggregates.has(nameOf(tree.function))) return
    if (tree.type !== 'ref') return void Object.values(tree).map(visit)
    if (tree.name === '*') scope.refuse('* with GROUP BY')
    found.set(keyOf(tree), tree)
  }
  visit([
    ...columns.map((column) => column.expr),
    ...sorted.filter((by) => by.type !== 'ref' || by.table || !aliases.has(nameOf(by))),
  ])
  return [...found.values()]
}

function keyOf(tree: Tree): string {
  return JSON.stringify(tree)
}

function fromItem(item: Node, scope: Scope, isJoined: boolean): Node {
  const join = item.join as Node | undefined
  const joined = join ? { join: joinOn(join, scope) } : {}
  if (item.type === 'table') {
    only(item, scope, 'name', 'join')
    const name = item.name as Node
    only(name, scope, 'name', 'alias', 'schema')
    checkRelation(name, scope)
    if (/^(pg_|information_schema)/.test(`${name.schema ?? ''}${name.name}`)) scope.refuse('system catalogs')
    return { ...item, ...joined }
  }
  if (item.type === 'statement') {
    only(item, scope, 'statement', 'alias', 'join')
    return { ...item, statement: subquery(item.statement as Node, scope, isJoined), ...joined }
  }
  return scope.refuse(
    item.type === 'call' ? `the function ${nameOf(item.function)}() in FROM` : `"${item.type}" in FROM`,
  )
}

function joinOn(join: Node, scope: Scope): Node {
  only(join, scope, 'on', 'using')
  if (join.type === 'FULL JOIN') scope.refuse('FULL JOIN')
  if (join.type === 'CROSS JOIN') return { type: 'INNER JOIN', on: { type: 'boolean', value: true } }
  return isNode(join.on) ? { ...join, on: joinCondition(join.on, scope) } : join
}

function limit(node: Node, scope: Scope): Node {
  only(node, scope, 'limit', 'offset')
  const count = (tree: Tree, clause: string, code: string): Node | undefined => {
    const translated = isNode(tree) ? value(tree, scope) : undefined
    if (Number(translated?.value) < 0) throw new MemoryServerError(code, `${clause} must not be negative`)
    return translated?.type === 'null' ? undefined : translated
  }
  return { limit: count(node.limit, 'LIMIT', '2201W'), offset: count(node.offset, 'OFFSET', '2201X') }
}

function insert(node: Node, scope: Scope): Node {
  only(node, scope, 'into', 'columns', 'insert', 'returning', 'onConflict')
  const source = node.insert as Node | undefined
  if (source === undefined) return scope.refuse('DEFAULT VALUES')
  const given = source.type === 'values' ? (source.values as readonly (readonly Node[])[]) : null
  const rows = given?.map((row) => row.map((item) => assigned(item, scope)))
  checkGenerated(node, rows, scope)
  return {
    ...node,
    insert: rows ? { ...source, values: rows } : selectStatement(source, scope),
    ...(isNode(node.onConflict) ? { onConflict: onConflict(node, node.onConflict, rows?.length === 1, scope) } : {}),
    ...returned(node, scope),
  }
}

/** In a generated column pg-mem takes NULL for DEFAULT. */
function checkGenerated(node: Node, rows: readonly (readonly Node[])[] | undefined, scope: Scope): void {
  const table = targetOf(node)
  const names = node.columns ? nodes(node.columns).map(nameOf) : null
  if (!names && scope.schema.isGenerated(table) && (!rows || rows.flat().some((item) => item.type === 'null'))) {
    scope.refuse('NULL without a list of columns, into a table with a generated one')
  }
  const at = names?.findIndex((name) => scope.schema.isGenerated(table, name)) ?? -1
  if (at < 0) return
  if (!rows) scope.refuse('INSERT … SELECT into a generated column')
  if (!rows?.some((row) => row[at]?.type === 'null')) return
  const column = names?.[at] ?? ''
  if (scope.schema.isNullable(table, column)) scope.refuse('NULL in place of the next value of a sequence')
  throw notNull(column, table)
}

function onConflict(node: Node, conflict: Node, oneRow: boolean, scope: Scope): Node {
  only(conflict, scope, 'on', 'do')
  const action = conflict.do
  if (isNode(action)) {
    // PostgreSQL refuses to update a row twice in one statement; pg-mem does it.
    if (!oneRow) scope.refuse('ON CONFLICT DO UPDATE with several rows')
    return { ...conflict, do: { ...action, sets: assignments(action.sets, scope) } }
  }
  // With a target pg-mem counts and returns the row that was there; without one it is right, but any key will do.
  const target = isNode(conflict.on) ? nodes(conflict.on.exprs).map((column) => nameOf(column)) : null
  if (target === null) return conflict
  const inserted = nodes(node.columns).map((column) => nameOf(column))
  const others = scope.schema
    .keysThatMayConflict(targetOf(node), inserted)
    .filter((key) => key.columns === null || key.columns.join() !== target.join())
  if (others.length > 0) scope.refuse('ON CONFLICT (…) DO NOTHING on a table with other unique keys')
  return { do: action }
}

function assignments(sets: Tree, scope: Scope): Node[] {
  return nodes(sets).map((set) => ({ ...set, value: assigned(set.value as Node, scope) }))
}

function assigned(node: Node, scope: Scope): Node {
  return node.type === 'default' ? node : value(node, scope)
}

/**
 * WHERE, as a CASE: pg-mem then tries the condition on every row. Left to itself it looks through indexes, where it
 * finds nothing for `id IS NOT NULL AND id > 1`, and nulls for `<>`.
 */
function filtered(node: Node, scope: Scope): { where?: Node } {
  if (!isNode(node.where)) return {}
  const whens = [{ when: condition(node.where, scope), value: { type: 'boolean', value: true } }]
  return { where: caseOf(whens, { type: 'boolean', value: false }) }
}

function returned(node: Node, scope: Scope): { returning?: Node[] } {
  if (!node.returning) return {}
  return { returning: nodes(node.returning).map((column) => ({ ...column, expr: value(column.expr as Node, scope) })) }
}
