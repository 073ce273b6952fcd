// `references users` → `references users ("id")`: pg-mem's parser wants the columns that a foreign key refers to. They are
// those of the primary key, which may be the one that the same statement makes.

import { isSignificant, lex } from '../compile/lexer.ts'
import type { MemorySchema } from './schema.ts'

export function withTargets(sql: string, schema: MemorySchema): string {
  const tokens = [...lex(sql)].filter(isSignificant)
  const words = tokens.map(({ start, end }) => sql.slice(start, end))
  let result = ''
  let copied = 0
  words.forEach((word, at) => {
    if (word.toLowerCase() !== 'references') return
    const last = words[at + 2] === '.' ? at + 3 : at + 1
    const end = tokens[last]?.end
    const table = named(words[last] ?? '')
    const columns = words[last + 1] === '(' ? undefined : (schema.primaryKey(table) ?? ownKey(words, table))
    if (!columns || end === undefined) return
    result += `${sql.slice(copied, end)} (${columns.map((column) => `"${column}"`).join(', ')})`
    copied = end
  })
  return result + sql.slice(copied)
}

/** The primary key in a CREATE TABLE of that name. */
function ownKey(words: readonly string[], table: string): string[] | undefined {
  const open = words.indexOf('(')
  const at = words.findIndex((word, index) => /^primary$/i.test(word) && /^key$/i.test(words[index + 1] ?? ''))
  if (!/^create$/i.test(words[0] ?? '') || named(words[open - 1] ?? '') !== table || at < 0) return undefined
  if (words[at + 2] === '(') {
    return words
      .slice(at + 3, words.indexOf(')', at))
      .filter((word) => word !== ',')
      .map(named)
  }
  let [depth, column] = [0, open + 1]
  for (let index = open + 1; index < at; index++) {
    if (words[index] === '(') depth++
    if (words[index] === ')') depth--
    if (words[index] === ',' && depth === 0) column = index + 1
  }
  return [named(words[column] ?? '')]
}

function named(word: string): string {
  return word.startsWith('"') ? word.slice(1, -1) : word.toLowerCase()
}
