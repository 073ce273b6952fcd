// The forms of a SELECT, the fastest first:
//   IN-list   … where author_id = any($1)             one parameter, compared with a column, which tells whose a row is
//   join      … from unnest($1, $2) as input cross join posts where …      conditions of any kind, row by row
//   lateral   … from unnest($1, $2) as input cross join lateral (…)        everything else, once for each input

import type { AnalyzedQuery } from '../analyze.ts'
import type { Catalog } from '../catalog.ts'
import { locksRows, nodesIn, volatility } from '../effects.ts'
import type { TreeNode } from '../model.ts'
import { bool, int, isNode, node, nodes, text } from '../tree.ts'
import { type Word, wordsOf } from '../words.ts'
import { type Candidate, type Candidates, none } from './candidate.ts'
import { baseType, equalities, isNatural, preservesRight } from './facts.ts'
import { inputsOf, nameOf } from './inputs.ts'
import { bareStars, edited, keyword, replaceParams } from './rewrite.ts'

export function readForms(query: AnalyzedQuery, tree: TreeNode, catalog: Catalog): Candidates {
  const reason = volatility(tree, catalog)
  if (reason !== null) return none(reason, false)
  const isReadOnly = !locksRows(tree, catalog)
  if (query.kind === 'exec') return none('only the number of its rows is wanted', isReadOnly)
  const whole = needsWhole(tree)
  const subquery = lateral(
    query,
    catalog,
    `a subquery for each input, because ${whole === null ? 'they cannot be joined to its FROM' : `of ${whole}`}`,
  )
  const list = inList(query, tree, catalog)
  const candidates =
    whole !== null
      ? [subquery]
      : typeof list === 'string'
        ? [join(query, tree, catalog, list), subquery]
        : [list, subquery]
  return {
    candidates: candidates.filter((candidate) => candidate !== null),
    reason: 'PostgreSQL takes it neither with the inputs joined nor as a subquery',
    readOnly: isReadOnly,
  }
}

/** What of a query looks at all of an input's rows at once, so that those of several inputs must not be mixed. */
function needsWhole(tree: TreeNode): string | null {
  if (node(tree, 'limitCount')) return 'LIMIT'
  if (node(tree, 'limitOffset')) return 'OFFSET'
  if (node(tree, 'setOperations')) return 'UNION, INTERSECT or EXCEPT'
  if (nodes(tree, 'distinctClause').length > 0) return 'DISTINCT'
  if (nodes(tree, 'groupClause').length > 0 || nodes(tree, 'groupingSets').length > 0) return 'GROUP BY'
  if (bool(tree, 'hasAggs') || node(tree, 'havingQual')) return 'an aggregate'
  if (bool(tree, 'hasWindowFuncs')) return 'a window function'
  return null
}

/** The IN-list form, or why there is none. */
function inList(query: AnalyzedQuery, tree: TreeNode, catalog: Catalog): Candidate | string {
  if (query.params.length !== 1) return 'it has several parameters'
  const words = wordsOf(query.sql)
  const [at = 0, second] = words.flatMap((word, index) => (word.kind === 'positional' ? [index] : []))
  const inTree = [...nodesIn(tree, catalog)].filter((found) => found.tag === 'PARAM')
  if (second !== undefined || inTree.length !== 1) return 'its parameter stands in several places'
  const [equality] = equalities(query, catalog)
  const name = nameBefore(words, at - 1)
  // A cast behind it would have to become one of an array.
  if (!equality || name === null || words[at]?.depth !== 0 || words[at + 1]?.text === '::') {
    return 'its parameter is not just compared with a column whose equal values look the same'
  }
  const type = baseType(int(equality.column, 'vartype'), catalog)?.name ?? ''
  if (type === 'uuid') return 'a uuid has several spellings'

  const column = query.sql.slice(name.start, name.end)
  const found = columnOf(tree, equality.column)
  const added = found === -1 ? 1 : 0
  const place = selectListEnd(words)
  if (place === null) return 'it has no FROM'
  const param = words[at]!
  return {
    sql: edited(query.sql, [
      ...(added === 1 ? [{ start: place, end: place, text: `, ${column}` }] : []),
      { start: param.start, end: param.end, text: 'any($1)' },
    ]),
    match: { by: 'key', column: added === 1 ? query.columns.length : found, read: keyMethod(type) },
    added,
    typeOids: [catalog.types.get(query.paramTypeOids[0] ?? 0)?.array ?? 0],
    why: `an IN-list, because its parameter is only for ${column} = :${query.params[0]?.name}`,
  }
}

/** The name (`author_id`, `posts.author_id`) that ends in front of an `=` at this place. */
function nameBefore(words: readonly Word[], equals: number): { start: number; end: number } | null {
  if (words[equals]?.text !== '=') return null
  const isName = (word: Word | undefined): boolean => word?.kind === 'identifier' || word?.kind === 'quoted-identifier'
  let first = equals - 1
  if (!isName(words[first])) return null
  while (words[first - 1]?.text === '.' && isName(words[first - 2])) first -= 2
  return { start: words[first]!.start, end: words[equals - 1]!.end }
}

function keyMethod(type: string): string {
  if (type === 'int8') return 'bigint'
  return type === 'int2' || type === 'int4' || type === 'oid' ? type : 'text'
}

/** The column of the result that this variable is, from 0; −1 if it is none. */
function columnOf(tree: TreeNode, variable: TreeNode): number {
  return nodes(tree, 'targetList')
    .filter((entry) => !bool(entry, 'resjunk'))
    .findIndex((entry) => {
      const expression = node(entry, 'expr')
      return (
        isNode(expression ?? undefined, 'VAR') &&
        ['varno', 'varattno', 'varlevelsup'].every((field) => text(expression!, field) === text(variable, field))
      )
    })
}

function join(query: AnalyzedQuery, tree: TreeNode, catalog: Catalog, why: string): Candidate | null {
  const words = wordsOf(query.sql)
  const from = keyword(words, ['from'], keyword(words, ['select']))
  const end = selectListEnd(words)
  if (from < 0 || end === null || bool(tree, 'hasTargetSRFs') || preservesRight(tree) || isNatural(tree)) return null
  const inputs = inputsOf(query, catalog)
  const behind = words[from]!.end
  // With one table, `*` is its columns; with several, it may be less than all of theirs, and PostgreSQL will find more.
  const [table, another] = nodes(node(tree, 'jointree') ?? tree, 'fromlist')
  const own = table?.tag === 'RANGETBLREF' && !another ? nodes(tree, 'rtable')[int(table, 'rtindex') - 1] : undefined
  const stars = own ? bareStars(words, keyword(words, ['select']), from) : []
  return {
    sql: edited(query.sql, [
      ...replaceParams(words, inputs.value),
      ...stars.map((start) => ({ start, end: start, text: `${nameOf(own!, words)}.` })),
      { start: end, end, text: `, ${inputs.ordinal}` },
      { start: behind, end: behind, text: ` ${inputs.numbered}\ncross join` },
    ]),
    match: { by: 'ordinal' },
    added: 1,
    typeOids: inputs.typeOids,
    why: `the inputs joined, because ${why}`,
  }
}

/**
 * Rows of one input come in its subquery's order: a subquery with ORDER BY stays one, and for lack of any other join
 * condition PostgreSQL runs it in a nested loop, which keeps the order of its inner side.
 */
function lateral(query: AnalyzedQuery, catalog: Catalog, why: string): Candidate {
  const inputs = inputsOf(query, catalog)
  const subquery = edited(query.sql, replaceParams(wordsOf(query.sql), inputs.value))
  return {
    sql: `select one.*, ${inputs.ordinal}
from ${inputs.numbered}
cross join lateral (
${subquery}
) as one`,
    match: { by: 'ordinal' },
    added: 1,
    typeOids: inputs.typeOids,
    why,
  }
}

/** Where the select list ends: behind the word before FROM. Null if there is no FROM. */
function selectListEnd(words: readonly Word[]): number | null {
  const from = keyword(words, ['from'], keyword(words, ['select']))
  return words[from - 1]?.end ?? null
}
