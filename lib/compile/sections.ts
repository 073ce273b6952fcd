// The tokens of a whole file in, one section per header out; what stands before the first header is a section too.
// A quote that is never closed is pinned to the query it belongs to, so that the queries behind it are still read.

import { type Header, isHeader, parseHeader } from './header.ts'
import { lex, type Token } from './lexer.ts'
import type { SqlFile } from './model.ts'
import { startOf } from './sourceText.ts'

export interface Section {
  /** Null: what stands before the first header. */
  readonly header: Header | null
  /** The tokens behind the header, up to the next header or the end of the file. */
  readonly tokens: readonly Token[]
}

export function splitSections(file: SqlFile): Section[] {
  const { text } = file
  const sections: { header: Header | null; tokens: Token[] }[] = [{ header: null, tokens: [] }]
  for (const token of tokensOf(text)) {
    if (isHeaderToken(text, token)) {
      sections.push({ header: parseHeader(file, token, startsLine(text, token.start)), tokens: [] })
    } else {
      sections.at(-1)!.tokens.push(token)
    }
  }
  return sections
}

function isHeaderToken(text: string, token: Token): boolean {
  if (token.kind !== 'line-comment' && token.kind !== 'block-comment') return false
  return isHeader(text.slice(token.start, token.end), startsLine(text, token.start))
}

function startsLine(text: string, offset: number): boolean {
  let at = offset
  while (at > startOf(text) && /[ \t\f\v]/.test(text[at - 1]!)) at--
  return at === startOf(text) || /[\n\r]/.test(text[at - 1]!)
}

/**
 * The file's tokens. Where the text ends inside quotes, some quote before it lacks its partner, and from there on the
 * lexer takes inside for outside. The suspect is the first literal of the same quotes that runs over a header: it is
 * cut there, marked as not closed, and reading goes on at the header. A file without such a mistake is never touched,
 * so a string may hold anything.
 */
function tokensOf(text: string): Token[] {
  let tokens = lex(text, startOf(text))
  for (let from = 0; ; ) {
    const suspect = suspectIndex(text, tokens, from)
    if (suspect < 0) return tokens
    const cut = tokens[suspect]!
    const header = headerInside(text, cut)!
    tokens = [...tokens.slice(0, suspect), { ...cut, end: header, closed: false }, ...lex(text, header)]
    from = suspect + 1
  }
}

function suspectIndex(text: string, tokens: readonly Token[], from: number): number {
  const last = tokens.at(-1)
  if (!last || last.closed) return -1
  // A closed comment around headers is a query that someone has commented out.
  const first = last.kind === 'block-comment' ? tokens.length - 1 : from
  return tokens.findIndex(
    (token, index) =>
      index >= first &&
      token.kind === last.kind &&
      openingQuotes(text, token) === openingQuotes(text, last) &&
      headerInside(text, token) !== null,
  )
}

/** `'`, `"`, `$tag$` or `/*`: a prefix such as E changes nothing about what is missing. */
export function openingQuotes(text: string, token: Token): string {
  return /^(?:[a-z]&?)?(['"]|\$[^$]*\$|\/\*)/i.exec(text.slice(token.start, token.end))?.[1] ?? ''
}

/** Where the first header line inside a token starts. */
function headerInside(text: string, token: Token): number | null {
  const match = /[\n\r][ \t]*(?=--[ \t]*name[ \t]*:[ \t]*\w+[ \t]*:\w)/i.exec(text.slice(token.start, token.end))
  return match && token.start + match.index + match[0].length
}
