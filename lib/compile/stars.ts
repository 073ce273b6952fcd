// Which statements have columns that nobody named: those of a `*` are whatever the tables have when the statement is
// prepared. The generated code reads them by number, so for these it also says what they were called.

import type { DescribedQuery } from './model.ts'
import { int } from './tree.ts'
import { type Word, wordsOf } from './words.ts'

/** Whether the result of a statement has the columns of a `*`. One too many is but a line of generated code. */
export function hasStar({ sql, tree }: Pick<DescribedQuery, 'sql' | 'tree'>): boolean {
  if (!tree) return false
  const words = wordsOf(sql)
  // CmdType 1 is SELECT.
  if (int(tree, 'commandType') !== 1) {
    const returning = words.findIndex(({ text, depth }) => text === 'returning' && depth === 0)
    return returning >= 0 && words.some((word, at) => at > returning && word.depth === 0 && isStar(words, at))
  }
  /** Of the brackets that are open, whether the result is what stands in them. */
  const open: boolean[] = []
  return words.some(({ text }, at) => {
    if (text === '(' || text === '[') open.push(text === '(' && isArm(words, at))
    else if (text === ')' || text === ']') open.pop()
    return !open.includes(false) && (isStar(words, at) || isTable(words, at))
  })
}

const beforeArm = ['(', ')', 'union', 'intersect', 'except', 'all', 'distinct']

/** Whether the bracket here is one around a SELECT or an arm of UNION. */
function isArm(words: readonly Word[], at: number): boolean {
  return at === 0 || beforeArm.includes(words[at - 1]!.text)
}

const beforeStar = ['select', 'all', 'distinct', 'returning', ',', '.']
const behindColumn = [',', 'from', ')']

/** A star that stands for columns; a product's has something on both sides. */
function isStar(words: readonly Word[], at: number): boolean {
  if (words[at]!.text !== '*') return false
  const [before, behind] = [words[at - 1]?.text ?? '', words[at + 1]?.text ?? ',']
  // `distinct on (id) *`
  return beforeStar.includes(before) || (before === ')' && behindColumn.includes(behind))
}

/** `table users`, which is `select * from users`. */
function isTable(words: readonly Word[], at: number): boolean {
  const { text, kind } = words[at]!
  return text === 'table' && kind === 'identifier' && isArm(words, at)
}
