// SQL text in, SQL text out: what the forms need to change in a statement, on the spans of its words. Nothing here
// knows grammar beyond brackets and keywords; PostgreSQL checks what comes out.

import type { Span } from '../model.ts'
import type { Word } from '../words.ts'

export interface Edit extends Span {
  readonly text: string
}

/** The place among `words` of the first of these keywords outside of all brackets; −1 if there is none. */
export function keyword(words: readonly Word[], texts: readonly string[], from = 0): number {
  return words.findIndex((word, index) => {
    const before = words[index - 1]?.text
    // A name behind a dot is a column; `is distinct from` is an operator.
    return (
      index >= from &&
      word.kind === 'identifier' &&
      word.depth === 0 &&
      texts.includes(word.text) &&
      before !== '.' &&
      !(word.text === 'from' && before === 'distinct')
    )
  })
}

/** The text with all edits made. They must not overlap; of two at one place the first comes first. */
export function edited(sql: string, edits: readonly Edit[]): string {
  let text = ''
  let at = 0
  for (const edit of [...edits].sort((a, b) => a.start - b.start)) {
    text += sql.slice(at, edit.start) + edit.text
    at = edit.end
  }
  return text + sql.slice(at)
}

/** Every `$n` from one word to another, replaced. A parameter for which there is no replacement stays. */
export function replaceParams(
  words: readonly Word[],
  replacement: (number: number) => string | null,
  from = 0,
  to: number = words.length,
): Edit[] {
  return words.slice(from, to).flatMap(({ kind, text, start, end }) => {
    const replaced = kind === 'positional' ? replacement(Number(text.slice(1))) : null
    return replaced === null ? [] : [{ start, end, text: replaced }]
  })
}

/** The places of bare stars, `select *` and `returning x, *`, between two words; a product's has something behind it. */
export function bareStars(words: readonly Word[], from: number, to: number): number[] {
  return words.slice(from, to).flatMap(({ text, depth, start }, index) => {
    const [before, behind] = [words[from + index - 1]?.text ?? '', words[from + index + 1]?.text ?? ',']
    const isBare = ['select', 'returning', ','].includes(before) && [',', 'from'].includes(behind)
    return text === '*' && depth === 0 && isBare ? [start] : []
  })
}
