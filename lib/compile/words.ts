// SQL text in, its words out: for those who look at a statement's text beside its tree. Nothing here knows grammar beyond
// brackets.

import { isSignificant, lex, type TokenKind } from './lexer.ts'
import type { Span } from './model.ts'

/** A token that counts: its text in lower case, and how many brackets are open around it. */
export interface Word extends Span {
  readonly kind: TokenKind
  readonly text: string
  readonly depth: number
}

/** The words of a statement: no white space, no comments. */
export function wordsOf(sql: string): Word[] {
  let depth = 0
  return lex(sql)
    .filter(isSignificant)
    .map(({ kind, start, end }) => {
      const text = sql.slice(start, end).toLowerCase()
      if (text === ')' || text === ']') depth--
      const word = { kind, start, end, text, depth }
      if (text === '(' || text === '[') depth++
      return word
    })
}
