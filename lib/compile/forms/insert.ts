// INSERT of one row of VALUES for many inputs: `insert into … select input.p1, … from (select unnest(…) …) as input`.
// In: the query and its tree. Out: the form, or in words why there is none.

import type { AnalyzedQuery } from '../analyze.ts'
import type { Catalog } from '../catalog.ts'
import { isDeterministic } from '../catalogTypes.ts'
import type { TreeNode } from '../model.ts'
import { int, isNode, node, nodes } from '../tree.ts'
import { hasTrigger, TriggerBits } from '../triggers.ts'
import { type Word, wordsOf } from '../words.ts'
import type { Candidate } from './candidate.ts'
import { hasOneSpelling, targetOf } from './facts.ts'
import { identifier, inputsOf } from './inputs.ts'
import { type Edit, edited, keyword, replaceParams } from './rewrite.ts'
import { paramInto } from './row.ts'

export function insertForm(query: AnalyzedQuery, tree: TreeNode, catalog: Catalog): Candidate | string {
  const words = wordsOf(query.sql)
  const rows = valuesOf(words)
  if (rows === null || nodes(node(tree, 'jointree') ?? tree, 'fromlist').length > 0)
    return 'it is not of one row of VALUES'
  const returns = query.columns.length > 0
  if (returns && mayDropRows(tree, catalog)) return 'an input may come back without a row, and nothing tells whose'
  const conflict = conflictOf(query, tree, catalog)
  if (typeof conflict === 'string') return conflict

  const onConflict = keyword(words, ['on'], rows.end)
  const behind = onConflict < 0 ? words.length : onConflict
  const outside = [...words.slice(0, rows.start), ...words.slice(rows.end, behind)]
  if (outside.some(({ kind }) => kind === 'positional')) return 'a parameter stands outside of VALUES'
  const relation = catalog.relations.get(int(targetOf(tree), 'relid'))
  const isAskedBehind = words.slice(behind).some(({ kind }) => kind === 'positional')
  if (isAskedBehind && relation && hasTrigger(relation, TriggerBits.before | TriggerBits.insert, catalog)) {
    return 'a trigger may change what stands for a parameter behind ON CONFLICT'
  }
  const inputs = inputsOf(query, catalog)
  const list = withoutDefaults(words, rows)
  if (list === null) return 'DEFAULT stands for a column that the statement does not name'
  const values = words.slice(rows.start + 2, rows.end)
  const from = `\nfrom ${returns ? inputs.numberedStreamed : inputs.streamed}${returns ? `\norder by ${inputs.ordinal}` : ''}`
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
  // An upsert's row is dropped by a trigger of UPDATE too: suppress_redundant_updates_trigger().
  const events = conflict ? [TriggerBits.insert, TriggerBits.update] : [TriggerBits.insert]
  return events.some((event) => hasTrigger(relation, TriggerBits.before | event, catalog))
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

/** Behind ON CONFLICT the inputs are out of sight; what would have been inserted is not. */
function excluded(tree: TreeNode, param: number): string | null {
  const entry = nodes(tree, 'targetList').find((item) => {
    const value = node(item, 'expr')
    return value?.tag === 'PARAM' && int(value, 'paramid') === param
  })
  const name = entry?.resname
  return typeof name === 'string' ? `excluded.${identifier(name)}` : null
}
