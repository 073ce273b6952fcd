// INSERT of one row of VALUES for many inputs: `insert into … select input.p1, … from (select unnest(…) …) as input`.
// In: the query and its tree. Out: the form, or in words why there is none.

import type { AnalyzedQuery } from '../analyze.ts'
import type { Catalog } from '../catalog.ts'
import { isDeterministic } from '../catalogTypes.ts'
import { nodesIn } from '../effects.ts'
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
  const returning = keyword(words, ['returning'], rows.end)
  const end = returning < 0 ? words.length : returning
  const behind = onConflict < 0 ? end : onConflict
  // Left as it is, a parameter is the array of all inputs.
  const outside = [...words.slice(0, rows.start), ...words.slice(rows.end, behind), ...words.slice(end)]
  if (paramsIn(outside).length > 0) return 'a parameter stands outside of VALUES'
  const asked = paramsIn(words.slice(behind, end))
  if (asked.some((param) => excluded(tree, param) === null)) {
    return 'a parameter behind ON CONFLICT is not what is inserted into a column'
  }
  const inputs = inputsOf(query, catalog)
  const list = withoutDefaults(words, rows)
  if (list === null) return 'DEFAULT stands for a column that the statement does not name'
  const values = words.slice(rows.start + 2, rows.end)
  // An aggregate of nothing but inputs is one over all inputs. With an order PostgreSQL refuses that.
  const isOrdered = returns || [...nodesIn(tree, catalog)].some(({ tag }) => tag === 'AGGREF')
  const from = isOrdered ? `\nfrom ${inputs.numberedStreamed}\norder by ${inputs.ordinal}` : `\nfrom ${inputs.streamed}`
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

/** The numbers of the parameters among some words. */
function paramsIn(words: readonly Word[]): number[] {
  return words.flatMap(({ kind, text }) => (kind === 'positional' ? [Number(text.slice(1))] : []))
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
  // It may make two keys one, and what stands for a parameter behind ON CONFLICT is the trigger's value.
  if (hasTrigger(relation, TriggerBits.row | TriggerBits.before | TriggerBits.insert, catalog)) {
    return 'a trigger may change what is inserted, and so which row ON CONFLICT is about'
  }
  const apart: number[] = []
  for (const element of nodes(conflict, 'arbiterElems')) {
    const column = node(element, 'expr')
    if (column?.tag !== 'VAR') continue
    const number = int(column, 'varattno')
    // Of any index of the column, as ON CONFLICT may be decided by one under another collation than the column's.
    const collations = relation.uniqueIndexes.map(({ columns, collations }) => collations[columns.indexOf(number)] ?? 0)
    if (![int(column, 'varcollid'), ...collations].every(isDeterministic)) continue
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
  const entry = nodes(tree, 'targetList').find(
    (item) => node(item, 'expr')?.tag === 'PARAM' && paramInto(tree, int(item, 'resno')) === param,
  )
  const name = entry?.resname
  return typeof name === 'string' ? `excluded.${identifier(name)}` : null
}
