// UPDATE and DELETE for many inputs: the inputs stand in FROM or USING.
// In: the query and its tree. Out: the form, or in words why there is none.

import type { AnalyzedQuery } from '../analyze.ts'
import type { Catalog } from '../catalog.ts'
import type { TreeNode } from '../model.ts'
import { int } from '../tree.ts'
import { type Word, wordsOf } from '../words.ts'
import type { Candidate } from './candidate.ts'
import { changedColumns, equalities, isNatural, preservesRight, targetOf } from './facts.ts'
import { inputsOf, nameOf } from './inputs.ts'
import { bareStars, type Edit, edited, keyword, replaceParams } from './rewrite.ts'

export function changeForm(query: AnalyzedQuery, tree: TreeNode, catalog: Catalog): Candidate | string {
  const isUpdate = int(tree, 'commandType') === 2
  const returns = query.columns.length > 0
  const changed = changedColumns(tree, catalog)
  const keys = equalities(query, catalog).filter(
    ({ column }) => int(column, 'varno') === int(tree, 'resultRelation') && !changed.has(int(column, 'varattno')),
  )
  // A DELETE of several inputs deletes what each of them would have deleted; only whose a row was can be unclear.
  if (keys.length === 0 && (isUpdate || returns)) return 'two inputs may be about one row'

  if (preservesRight(tree)) return 'a RIGHT or FULL JOIN keeps rows that are of no input'
  if (isNatural(tree)) return 'a NATURAL JOIN might take the inputs in'
  const words = wordsOf(query.sql)
  const inputs = inputsOf(query, catalog)
  const apart = isUpdate || returns ? { apart: [...new Set(keys.map(({ param }) => param - 1))] } : {}
  return {
    sql: edited(query.sql, [
      ...replaceParams(words, inputs.value),
      ...joined(words, isUpdate, returns ? inputs.numberedStreamed : inputs.streamed),
      ...ownColumns(words, targetOf(tree)),
      ...(returns ? [{ start: query.sql.length, end: query.sql.length, text: `, ${inputs.ordinal}` }] : []),
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
  return stars.map((start) => ({ start, end: start, text: `${nameOf(target, words)}.` }))
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
