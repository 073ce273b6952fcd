// The forms of single-row INSERT, UPDATE and DELETE: the same statement over a table of inputs, `unnest($1, $2, …)`.
// Where one statement could do something else than one per input, there is none, and the reason is told.

import type { AnalyzedQuery } from '../analyze.ts'
import { type Catalog, TriggerBits } from '../catalog.ts'
import type { TreeNode } from '../model.ts'
import { int, isNode, node, nodes } from '../tree.ts'
import { type Candidate, type Candidates, none } from './candidate.ts'
import { equalities, hasOneSpelling, isDeterministic, nodesIn, preservesRight, volatileFunction } from './facts.ts'
import { identifier, inputsOf, nameOf } from './inputs.ts'
import { bareStars, type Edit, edited, keyword, replaceParams, type Word, wordsOf } from './rewrite.ts'

/** CmdType: 2 UPDATE, 3 INSERT, 4 DELETE. */
export function writeForms(query: AnalyzedQuery, tree: TreeNode, catalog: Catalog): Candidates {
  const obstacle = obstacleOf(tree, catalog)
  if (obstacle !== null) return none(obstacle, false)
  const command = int(tree, 'commandType')
  const form =
    command === 3
      ? insertForm(query, tree, catalog)
      : command === 5
        ? 'it is a MERGE'
        : changeForm(query, tree, catalog)
  if (typeof form === 'string') return none(form, false)
  return { candidates: [form], reason: 'PostgreSQL does not take it over a table of inputs', readOnly: false }
}

/** What would make inputs see each other's changes if they came one after the other. */
function obstacleOf(tree: TreeNode, catalog: Catalog): string | null {
  if (tree.hasModifyingCTE === 'true') return 'it writes in a WITH'
  const target = targetOf(tree)
  if (catalog.relations.get(int(target, 'relid'))?.kind === 'view') return 'it writes through a view'
  for (const found of nodesIn(tree, catalog)) {
    if (found.tag !== 'RANGETBLENTRY' || found === target || found.relkind === 'c') continue
    if (int(found, 'relid') !== 0 && int(found, 'relid') === int(target, 'relid')) return 'it reads the table it writes'
  }
  const name = volatileFunction(tree, catalog, ['sql', 'plpgsql'])
  return name === null ? null : `${name} is volatile and may read what other inputs write`
}

function targetOf(tree: TreeNode): TreeNode {
  return nodes(tree, 'rtable')[int(tree, 'resultRelation') - 1]!
}

// INSERT

function insertForm(query: AnalyzedQuery, tree: TreeNode, catalog: Catalog): Candidate | string {
  const words = wordsOf(query.sql)
  const rows = valuesOf(words)
  if (rows === null || nodes(node(tree, 'jointree') ?? tree, 'fromlist').length > 0)
    return 'it is not of one row of VALUES'
  const returns = query.columns.length > 0
  if (returns && mayDropRows(tree, catalog)) return 'an input may come back without a row, and nothing tells whose'
  const conflict = conflictOf(query, tree, catalog)
  if (typeof conflict === 'string') return conflict

  const inputs = inputsOf(query, catalog)
  const list = withoutDefaults(words, rows)
  if (list === null) return 'DEFAULT stands for a column that the statement does not name'
  const onConflict = keyword(words, ['on'], rows.end)
  const behind = onConflict < 0 ? words.length : onConflict
  const values = words.slice(rows.start + 2, rows.end)
  const from = `\nfrom ${returns ? inputs.numbered : inputs.plain}${returns ? '\norder by input.ordinal' : ''}`
  const [open, close] = [words[rows.start + 1]!, words[rows.end]!]
  return {
    sql: edited(query.sql, [
      ...list,
      { start: words[rows.start]!.start, end: open.end, text: 'select ' },
      ...replaceParams(values, inputs.value).filter(({ start }) => !list.some((drop) => inside(start, drop))),
      { start: close.start, end: close.end, text: from },
      ...replaceParams(words, (number) => excluded(tree, number), behind),
    ]),
    match: { by: returns ? 'order' : 'nothing' },
    added: 0,
    ...(conflict.length > 0 && { apart: conflict }),
    typeOids: inputs.typeOids,
    why: returns
      ? 'INSERT … SELECT in the order of the inputs, which is that of the rows that come back'
      : 'INSERT … SELECT',
  }
}

/** The words of `values (…)`: the keyword and the closing bracket. Null if there are several rows, or none. */
function valuesOf(words: readonly Word[]): { start: number; end: number } | null {
  const start = keyword(words, ['values'])
  if (start < 0 || words[start + 1]?.text !== '(') return null
  const end = words.findIndex((word, index) => index > start && word.text === ')' && word.depth === 0)
  return words[end + 1]?.text === ',' ? null : { start, end }
}

/** Takes `default` out of the values, and its column out of the list of columns: a SELECT cannot say it. */
function withoutDefaults(words: readonly Word[], rows: { start: number; end: number }): Edit[] | null {
  const values = items(words, rows.start + 1, rows.end)
  const isDefault = values.map(([first, last]) => first === last && words[first]?.text === 'default')
  if (!isDefault.includes(true)) return []
  const open = words.findIndex((word, index) => index < rows.start && word.text === '(' && word.depth === 0)
  const close = words.findIndex((word, index) => index > open && word.text === ')' && word.depth === 0)
  const columns = open < 0 || close > rows.start ? [] : items(words, open, close)
  if (columns.length !== values.length || !isDefault.includes(false)) return null
  const rewritten = (list: [number, number][]): Edit[] =>
    isDefault.flatMap((drop, index) => (drop ? [cut(words, list, isDefault, index)] : []))
  return [...rewritten(columns), ...rewritten(values)]
}

/** An item and the comma that goes with it: the one before it, unless nothing that stays is before it. */
function cut(words: readonly Word[], list: [number, number][], drops: readonly boolean[], index: number): Edit {
  const [first, last] = list[index]!
  const isLeading = !drops.slice(0, index).includes(false)
  const start = isLeading ? words[first]!.start : words[list[index - 1]![1]]!.end
  const end = isLeading ? words[list[index + 1]![0]]!.start : words[last]!.end
  return { start, end, text: '' }
}

/** The items between two brackets: the first and last word of each. */
function items(words: readonly Word[], open: number, close: number): [number, number][] {
  const found: [number, number][] = []
  let first = open + 1
  for (let at = first; at <= close; at++) {
    const word = words[at]!
    if (at !== close && !(word.text === ',' && word.depth === 1)) continue
    found.push([first, at - 1])
    first = at + 1
  }
  return found
}

function inside(place: number, { start, end }: Edit): boolean {
  return start <= place && place < end
}

/** Rows are dropped without a word by triggers, rules, views over such tables, and ON CONFLICT. */
function mayDropRows(tree: TreeNode, catalog: Catalog): boolean {
  const conflict = node(tree, 'onConflict')
  if (conflict && (int(conflict, 'action') === 1 || node(conflict, 'onConflictWhere'))) return true
  const relation = catalog.relations.get(int(targetOf(tree), 'relid'))
  if (!relation || relation.hasRules || !['table', 'partitioned table'].includes(relation.kind)) return true
  return [relation, ...relation.descendants.map((oid) => catalog.relations.get(oid))].some((table) =>
    table?.triggerTypes.some((type) => (type & TriggerBits.insert) !== 0 && (type & TriggerBits.before) !== 0),
  )
}

/** The parameters that say which row an upsert is about; or why nobody knows. */
function conflictOf(query: AnalyzedQuery, tree: TreeNode, catalog: Catalog): number[] | string {
  const conflict = node(tree, 'onConflict')
  if (!conflict || int(conflict, 'action') === 1) return []
  const unknown = 'two inputs may be about one row, which one statement cannot change twice'
  const relation = catalog.relations.get(int(targetOf(tree), 'relid'))
  if (!relation || relation.uniqueIndexes.some((index) => index.nullsNotDistinct)) return unknown
  const apart: number[] = []
  for (const element of nodes(conflict, 'arbiterElems')) {
    const column = node(element, 'expr')
    if (column?.tag !== 'VAR' || !isDeterministic(int(column, 'varcollid'))) continue
    const number = int(column, 'varattno')
    const param = paramInto(tree, number)
    if (param === null || !hasOneSpelling(query, param, int(column, 'vartype'), catalog)) continue
    const set = nodes(conflict, 'onConflictSet').find((entry) => int(entry, 'resno') === number)
    const value = set && node(set, 'expr')
    if (value && !(isNode(value, 'VAR') && int(value, 'varattno') === number)) continue
    apart.push(param - 1)
  }
  return apart.length === 0 ? unknown : apart
}

/** The number of the parameter that is all there is for a column; null if there is something else. */
function paramInto(tree: TreeNode, column: number): number | null {
  const entry = nodes(tree, 'targetList').find((item) => int(item, 'resno') === column)
  let value = entry && node(entry, 'expr')
  // The cast to varchar(n): it takes off spaces at the end, and `rounds` in lib/query does not count those. CoercionForm 2
  // is an implicit cast.
  if (value?.tag === 'FUNCEXPR' && int(value, 'funcformat') === 2) value = nodes(value, 'args')[0] ?? null
  return value?.tag === 'PARAM' ? int(value, 'paramid') : null
}

/** Behind ON CONFLICT the inputs are out of sight; what would have been inserted is not. */
function excluded(tree: TreeNode, param: number): string | null {
  const entry = nodes(tree, 'targetList').find((item) => {
    const value = node(item, 'expr')
    return value?.tag === 'PARAM' && int(value, 'paramid') === param
  })
  const name = entry?.resname
  return typeof name === 'string' ? `excluded.${identifier(name)}` : null
}

// UPDATE and DELETE

function changeForm(query: AnalyzedQuery, tree: TreeNode, catalog: Catalog): Candidate | string {
  const isUpdate = int(tree, 'commandType') === 2
  const returns = query.columns.length > 0
  const changed = new Set(isUpdate ? nodes(tree, 'targetList').map((entry) => int(entry, 'resno')) : [])
  const keys = equalities(query, catalog).filter(
    ({ column }) => int(column, 'varno') === int(tree, 'resultRelation') && !changed.has(int(column, 'varattno')),
  )
  // A DELETE of several inputs deletes what each of them would have deleted; only whose a row was can be unclear.
  if (keys.length === 0 && (isUpdate || returns)) return 'two inputs may be about one row'

  if (preservesRight(tree)) return 'a RIGHT or FULL JOIN keeps rows that are of no input'
  const words = wordsOf(query.sql)
  const inputs = inputsOf(query, catalog)
  const apart = isUpdate || returns ? { apart: [...new Set(keys.map(({ param }) => param - 1))] } : {}
  return {
    sql: edited(query.sql, [
      ...replaceParams(words, inputs.value),
      ...joined(words, isUpdate, returns ? inputs.numbered : inputs.plain),
      ...ownColumns(words, targetOf(tree)),
      ...(returns ? [{ start: query.sql.length, end: query.sql.length, text: ', input.ordinal' }] : []),
    ]),
    match: { by: returns ? 'ordinal' : 'nothing' },
    added: returns ? 1 : 0,
    ...apart,
    typeOids: inputs.typeOids,
    why: `${isUpdate ? 'UPDATE … FROM' : 'DELETE … USING'} the inputs`,
  }
}

/** `returning *` would return the inputs too: the target's name goes in front of the star. */
function ownColumns(words: readonly Word[], target: TreeNode): Edit[] {
  const returning = keyword(words, ['returning'])
  const stars = returning < 0 ? [] : bareStars(words, returning, words.length)
  return stars.map((start) => ({ start, end: start, text: `${nameOf(target)}.` }))
}

/** The inputs in FROM or USING: in front of what is there, or in a clause of their own. */
function joined(words: readonly Word[], isUpdate: boolean, inputs: string): Edit[] {
  const clause = isUpdate ? 'from' : 'using'
  const verb = keyword(words, [isUpdate ? 'set' : 'delete'])
  const start = isUpdate ? verb : verb + 2
  const present = keyword(words, [clause], start)
  if (present >= 0) {
    const { end } = words[present]!
    return [{ start: end, end, text: ` ${inputs} cross join` }]
  }
  const next = keyword(words, ['where', 'returning'], start)
  const place = words[(next < 0 ? words.length : next) - 1]!.end
  return [{ start: place, end: place, text: `\n${clause} ${inputs}` }]
}
