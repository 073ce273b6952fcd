// Places in a text: offsets in, lines and columns out, and back. Offsets are UTF-16 units, as JavaScript's strings have
// them; PostgreSQL counts code points.

import { lex, type Token } from './lexer.ts'
import type { Span } from './model.ts'

/** 1-based; the column counts UTF-16 units, as editors and `tsc` do, and not the byte order mark. */
export interface Place {
  readonly line: number
  readonly column: number
}

/** A text cut into lines at `\n`, `\r\n` and `\r`. */
export interface Lines {
  readonly count: number
  /** The 1-based line's text, without its line break. */
  text(line: number): string
  /** Where the line starts, behind a byte order mark. */
  start(line: number): number
  placeAt(offset: number): Place
}

export function linesOf(text: string): Lines {
  const spans = lineSpans(text)
  const span = (line: number): Span => spans[line - 1]!
  return {
    count: spans.length,
    text: (line) => text.slice(span(line).start, span(line).end),
    start: (line) => span(line).start,
    placeAt(offset) {
      let low = 1
      let high = spans.length
      while (low < high) {
        const middle = Math.ceil((low + high) / 2)
        if (span(middle).start <= offset) low = middle
        else high = middle - 1
      }
      return { line: low, column: Math.max(0, offset - span(low).start) + 1 }
    },
  }
}

function lineSpans(text: string): Span[] {
  const spans: Span[] = []
  const lineBreak = /\r\n|\n|\r/g
  let start = startOf(text)
  for (let match = lineBreak.exec(text); match; match = lineBreak.exec(text)) {
    spans.push({ start, end: match.index })
    start = lineBreak.lastIndex
  }
  spans.push({ start, end: text.length })
  return spans
}

/** Where a file's text starts: behind a byte order mark, which is no part of it. */
export function startOf(text: string): number {
  return text.startsWith('\ufeff') ? 1 : 0
}

/** The UTF-16 offset of PostgreSQL's error position: 1-based, in code points of the text that was sent. */
export function postgresPosition(sql: string, position: number): number {
  let offset = 0
  for (let left = position - 1; left > 0 && offset < sql.length; left--) {
    offset += sql.codePointAt(offset)! > 0xffff ? 2 : 1
  }
  return offset
}

/**
 * The whole token at an offset. PostgreSQL's errors point at a token's first character; a name with dots (`users.nmae`)
 * is taken whole when the offset is its start. White space and the text's end give an empty span.
 * @param from where a token starts: behind a quote that is never closed, the file's start would not do
 */
export function tokenSpanAt(text: string, offset: number, from: number = startOf(text)): Span {
  const tokens = lex(text, from)
  const index = tokens.findIndex((token) => offset < token.end)
  const token = tokens[index]
  if (!token || token.kind === 'space') return { start: offset, end: offset }
  return { start: token.start, end: offset === token.start ? dottedEnd(text, tokens, index) : token.end }
}

function dottedEnd(text: string, tokens: readonly Token[], index: number): number {
  const isName = (token: Token | undefined): boolean =>
    token?.kind === 'identifier' || token?.kind === 'quoted-identifier'
  let last = index
  while (isName(tokens[last]) && isDot(text, tokens[last + 1]) && isName(tokens[last + 2])) last += 2
  return tokens[last]!.end
}

function isDot(text: string, token: Token | undefined): boolean {
  return token?.kind === 'punctuation' && text.slice(token.start, token.end) === '.'
}
