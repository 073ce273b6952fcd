// INSERTs that no row gets through: a column that must not be NULL is left out and has no default, or is given NULL.
// PostgreSQL sees it only when it runs them (23502). In: a described query. Out: errors, at the names of the tables.

import type { Catalog, Column, Relation } from './catalog.ts'
import { targetOf } from './forms/facts.ts'
import type { DescribedQuery, Diagnostic, Span, TreeNode } from './model.ts'
import { problem } from './problem.ts'
import { bool, int, node, nodes } from './tree.ts'
import { hasTrigger, TriggerBits } from './triggers.ts'
import { wordsOf } from './words.ts'

const insert = 3
const merge = 5

export function checkRequiredColumns(query: DescribedQuery, catalog: Catalog): Diagnostic[] {
  const { tree } = query
  if (tree === null) return []
  // In the order of the text: PostgreSQL allows statements that write only among the CTEs of the outermost one.
  const ctes = nodes(tree, 'cteList').flatMap((cte) => node(cte, 'ctequery') ?? [])
  return [...ctes, tree]
    .filter((statement) => [insert, merge].includes(int(statement, 'commandType')))
    .flatMap((statement, index, { length }) =>
      insertsOf(statement).flatMap((written) => {
        const relation = catalog.relations.get(int(targetOf(statement), 'relid'))
        const missing = relation ? missingColumns(relation, valuesOf(written, statement, catalog), catalog) : []
        return missing.length > 0 ? [missingProblem(query, missing, targetSpan(query, index, length))] : []
      }),
    )
}

/** What has the list of an INSERT's values: the statement itself, or a MERGE's actions. */
function insertsOf(statement: TreeNode): readonly TreeNode[] {
  if (int(statement, 'commandType') === insert) return [statement]
  return nodes(statement, 'mergeActionList').filter((action) => int(action, 'commandType') === insert)
}

/** What a column is given. DEFAULT counts as nothing, as PostgreSQL has it. */
type Given = 'value' | 'null' | 'nothing'

/** By the column's number; of VALUES with several rows the worst, because they are all inserted or none is. */
function valuesOf(written: TreeNode, statement: TreeNode, catalog: Catalog): (column: number) => Given {
  const entries = new Map(nodes(written, 'targetList').map((entry) => [int(entry, 'resno'), node(entry, 'expr')]))
  return (column) => {
    const expression = entries.get(column) ?? null
    const given = rowsOf(expression, statement).map((value) => givenBy(value, catalog))
    return (['nothing', 'null'] as const).find((worst) => given.includes(worst)) ?? 'value'
  }
}

/** The expression, or where it is a column of VALUES, what stands there in each row. */
function rowsOf(expression: TreeNode | null, statement: TreeNode): readonly (TreeNode | null)[] {
  if (expression?.tag !== 'VAR' || int(expression, 'varlevelsup') !== 0) return [expression]
  const entry = nodes(statement, 'rtable')[int(expression, 'varno') - 1]
  const lists = entry && int(statement, 'commandType') === insert ? entry.values_lists : null
  if (!Array.isArray(lists)) return [expression]
  return lists.map((list) => (Array.isArray(list) ? list[int(expression, 'varattno') - 1] : expression))
}

/** A cast of NULL is NULL, to a domain too, and so is what a strict function makes of it. */
function givenBy(expression: TreeNode | null, catalog: Catalog): Given {
  if (expression === null || expression.tag === 'SETTODEFAULT') return 'nothing'
  let value = expression
  for (;;) {
    const isCast = ['RELABELTYPE', 'COERCEVIAIO', 'COERCETODOMAIN'].includes(value.tag)
    const isCall = value.tag === 'FUNCEXPR' && catalog.functions.get(int(value, 'funcid'))?.strict
    const inner: TreeNode | null | undefined = isCast ? node(value, 'arg') : isCall ? nodes(value, 'args')[0] : null
    if (!inner) return value.tag === 'CONST' && bool(value, 'constisnull') ? 'null' : 'value'
    value = inner
  }
}

interface Missing {
  readonly relation: Relation
  readonly column: Column
  readonly isNull: boolean
}

/** The columns for which no row gets in. None where a trigger, a rule or another server may fill them. */
function missingColumns(relation: Relation, given: (column: number) => Given, catalog: Catalog): Missing[] {
  if (relation.hasRules) return []
  if (relation.kind === 'view') return missingBehindView(relation, given, catalog)
  const mayBeFilled = hasTrigger(relation, TriggerBits.row | TriggerBits.before | TriggerBits.insert, catalog)
  if (mayBeFilled || (relation.kind !== 'table' && relation.kind !== 'partitioned table')) return []
  return relation.columns.flatMap((column) => {
    const type = catalog.types.get(column.type)
    if ((!column.notNull && !type?.notNull) || column.generated || column.identity) return []
    const value = given(column.number)
    const isMissing = value === 'null' || (value === 'nothing' && !column.defaultTree && !type?.hasDefault)
    return isMissing ? [{ relation, column, isNull: value === 'null' }] : []
  })
}

/** A view's columns are those of one table, where they can be written; it may have defaults of its own. */
function missingBehindView(view: Relation, given: (column: number) => Given, catalog: Catalog): Missing[] {
  const tree = catalog.viewTree(view.oid)
  const from = tree && node(tree, 'jointree')
  const [entry] = from ? nodes(from, 'fromlist') : []
  const base = tree && entry && nodes(tree, 'rtable')[int(entry, 'rtindex') - 1]
  const relation = base && catalog.relations.get(int(base, 'relid'))
  if (!tree || !relation || hasTrigger(view, TriggerBits.instead | TriggerBits.insert, catalog)) return []
  const behind = new Map(
    nodes(tree, 'targetList').map((target) => [int(node(target, 'expr') ?? target, 'varattno'), int(target, 'resno')]),
  )
  const valueBehind = (number: number): Given => {
    const column = view.columns.find((own) => own.number === behind.get(number))
    const value = column ? given(column.number) : 'nothing'
    return value === 'nothing' && column?.defaultTree ? 'value' : value
  }
  return missingColumns(relation, valueBehind, catalog)
}

function missingProblem(query: DescribedQuery, missing: readonly Missing[], span: Span): Diagnostic {
  const [first] = missing
  const isNull = missing.every((one) => one.isNull)
  const names = missing.map(({ column }) => `"${column.name}"`)
  const all = names.length === 1 ? names[0] : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`
  const many = missing.length > 1
  const title = isNull
    ? `${all} of "${first!.relation.name}" must not be null, and ${many ? 'are' : 'is'} given NULL here`
    : `${all} of "${first!.relation.name}" must not be null, and ${many ? 'have no defaults' : 'has no default'}`
  const hints = [
    isNull
      ? `give ${many ? 'them values' : 'it a value'}, or drop NOT NULL in the schema`
      : `give ${many ? 'them values' : 'it a value'} here, or ${many ? 'defaults' : 'a default'} in the schema`,
  ]
  const text = isNull ? 'no row gets in' : 'no row gets in without'
  return problem(query.file, span, 'missing-column', title, text, { query: query.name, hints })
}

/** The name of the table behind the INSERT INTO or MERGE INTO with this number; the query's name if they are not told apart. */
function targetSpan(query: DescribedQuery, index: number, count: number): Span {
  const words = wordsOf(query.sql)
  const places = words.flatMap(({ text, kind }, at) =>
    kind === 'identifier' && text === 'into' && ['insert', 'merge'].includes(words[at - 1]?.text ?? '') ? [at + 1] : [],
  )
  const at = places.length === count ? places[index] : undefined
  if (at === undefined) return query.nameSpan
  const start = words[at]!.text === 'only' ? at + 1 : at
  let end = start
  while (words[end + 1]?.text === '.') end += 2
  return { start: query.toFile(words[start]!.start), end: query.toFile(words[end]!.end - 1) + 1 }
}
