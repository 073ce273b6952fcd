// SQL text in, tokens out: PostgreSQL's lexical rules (src/backend/parser/scan.l, version 18, with
// standard_conforming_strings on), plus psql's `:name`. Nothing is dropped: the tokens' texts, joined, are the input.
// It never throws; a quote or comment that is never closed becomes a token with `closed: false` that runs to the end.

import type { Span } from './model.ts'

export type TokenKind =
  | 'space'
  | 'line-comment'
  | 'block-comment'
  /** Every form: '…', E'…', B'…', X'…', N'…', U&'…', $tag$…$tag$; continuations on following lines included. */
  | 'string'
  | 'identifier'
  /** "…" and U&"…". */
  | 'quoted-identifier'
  | 'number'
  | 'operator'
  /** `( ) [ ] , . .. : :: :=` */
  | 'punctuation'
  | 'semicolon'
  /** `:name`, with its mark. */
  | 'param'
  /** `$1` */
  | 'positional'
  /** A backslash outside quotes and the rest of its line: never SQL, psql's own command. */
  | 'meta-command'
  /** A character that PostgreSQL's lexer has no rule for. */
  | 'unknown'

export interface Token extends Span {
  readonly kind: TokenKind
  /** False for a string, quoted identifier or block comment that reaches the end of the text without its closing. */
  readonly closed: boolean
}

/** The tokens of `text` from `start` on, without gaps. */
export function lex(text: string, start = 0): Token[] {
  const tokens: Token[] = []
  for (let at = start; at < text.length; ) {
    const token = tokenAt(text, at)
    tokens.push(token)
    at = token.end
  }
  return tokens
}

/** A `:name` token taken apart. */
export function readParam(text: string, token: Token): { name: string; mark: '?' | '!' | null } {
  const last = text[token.end - 1]
  const mark = last === '?' || last === '!' ? last : null
  return { name: text.slice(token.start + 1, mark ? token.end - 1 : token.end), mark }
}

/** Neither white space nor a comment. */
export function isSignificant(token: Token): boolean {
  return token.kind !== 'space' && token.kind !== 'line-comment' && token.kind !== 'block-comment'
}

// PostgreSQL works on bytes and takes every byte above 127 for a letter, so here every UTF-16 unit above 127 is one.
// The rules are tried in this order, which comes to flex's "longest match, then first rule": a prefixed quote before an
// identifier, a comment before an operator, `::` and `:=` before a parameter. A rule with an `…End` function matches
// only the opening; the function gets the opening's start and end and answers where the token ends.
type EndOf = (text: string, start: number, opened: number) => number

const rules: readonly (readonly [TokenKind, RegExp, EndOf?])[] = [
  ['space', /[ \t\n\r\f\v]+/y],
  ['line-comment', /--[^\n\r]*/y],
  ['block-comment', /\/\*/y, blockCommentEnd],
  ['string', /[eE]'/y, escapeStringEnd],
  ['string', /(?:[bBxXnN]|[uU]&)?'/y, standardStringEnd],
  ['string', /\$(?:[A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$/y, dollarStringEnd],
  ['quoted-identifier', /(?:[uU]&)?"/y, quotedIdentifierEnd],
  ['identifier', /[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*/y],
  ['positional', /\$\d+/y],
  ['number', /0[xX](?:_?[\da-fA-F])+|0[oO](?:_?[0-7])+|0[bB](?:_?[01])+/y],
  ['number', /(?:\d(?:_?\d)*(?:\.(?!\.)(?:\d(?:_?\d)*)?)?|\.\d(?:_?\d)*)(?:[eE][-+]?\d(?:_?\d)*)?/y],
  ['punctuation', /::|:=|\.\.|[,()[\].]/y],
  ['param', /:[A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*/y, paramEnd],
  ['punctuation', /:/y],
  ['semicolon', /;/y],
  ['operator', /[~!@#^&|`?+\-*/%<>=]/y, operatorEnd],
  ['meta-command', /\\[^\n\r]*/y],
]

/** What an `…End` function answers when the text is over before the token is. */
const UNCLOSED = -1

function tokenAt(text: string, start: number): Token {
  for (const [kind, rule, endOf] of rules) {
    rule.lastIndex = start
    if (!rule.test(text)) continue
    const end = endOf ? endOf(text, start, rule.lastIndex) : rule.lastIndex
    return { kind, start, end: end === UNCLOSED ? text.length : end, closed: end !== UNCLOSED }
  }
  return { kind: 'unknown', start, end: start + 1, closed: true }
}

/** Block comments nest. */
function blockCommentEnd(text: string, _start: number, opened: number): number {
  const edge = /\/\*|\*\//g
  edge.lastIndex = opened
  for (let depth = 1; depth > 0; ) {
    const match = edge.exec(text)
    if (!match) return UNCLOSED
    depth += match[0] === '/*' ? 1 : -1
  }
  return edge.lastIndex
}

// A quote after white space with a line break in it goes on with the same literal, and so with the same escapes: in
//   E'it'
//   '\'s'
// the second line still knows backslashes. Each comment must reach its line's end (the lookahead), or a line of dashes
// would have exponentially many readings.
const continuation = /(?:[ \t\f\v]|--[^\n\r]*(?=[\n\r]))*[\n\r](?:[ \t\n\r\f\v]|--[^\n\r]*[\n\r])*'/y

function continuedAt(text: string, closed: number): number | null {
  continuation.lastIndex = closed
  return continuation.test(text) ? continuation.lastIndex : null
}

function standardStringEnd(text: string, _start: number, opened: number): number {
  for (let at = opened; ; ) {
    const closed = doubledQuoteEnd(text, at, "'")
    const next = closed === UNCLOSED ? null : continuedAt(text, closed)
    if (next === null) return closed
    at = next
  }
}

/** A backslash takes the next character with it, a quote included. */
function escapeStringEnd(text: string, _start: number, opened: number): number {
  for (let at = opened; at < text.length; at++) {
    if (text[at] === '\\') at++
    else if (text[at] === "'" && text[at + 1] === "'") at++
    else if (text[at] === "'") {
      const next = continuedAt(text, at + 1)
      if (next === null) return at + 1
      at = next - 1
    }
  }
  return UNCLOSED
}

function quotedIdentifierEnd(text: string, _start: number, opened: number): number {
  return doubledQuoteEnd(text, opened, '"')
}

function doubledQuoteEnd(text: string, opened: number, quote: string): number {
  let at = text.indexOf(quote, opened)
  while (at >= 0 && text[at + 1] === quote) at = text.indexOf(quote, at + 2)
  return at < 0 ? UNCLOSED : at + 1
}

function dollarStringEnd(text: string, start: number, opened: number): number {
  const tag = text.slice(start, opened)
  const at = text.indexOf(tag, opened)
  return at < 0 ? UNCLOSED : at + tag.length
}

// What can directly follow an infix operator but not a parameter. `[` is not here: `:a?[1]` is a subscript.
const operandStart = /['"$(\w\u0080-\uffff]|\.\d|:[A-Za-z_\u0080-\uffff]/y

/**
 * A `?` or `!` directly behind the name is a mark, unless PostgreSQL would read it as an operator there: as part of a
 * longer one (`:a!=1`, `:a?|:keys`, `:a ?& :keys`) or with its right operand attached (`:doc?'key'`, `:doc?:key`).
 * So `:a?)`, `:a?::text`, `:a?,` and `:a? = 1` hold a mark, and `:a ? 'key'` does not.
 */
function paramEnd(text: string, _start: number, named: number): number {
  const isMark = (text[named] === '?' || text[named] === '!') && operatorEnd(text, named) === named + 1
  operandStart.lastIndex = named + 1
  return isMark && !operandStart.test(text) ? named + 1 : named
}

/** An operator ends where a comment starts, and ends with + or - only if it holds a character SQL's operators lack. */
function operatorEnd(text: string, start: number): number {
  const run = /[~!@#^&|`?+\-*/%<>=]+/y
  run.lastIndex = start
  let operator = run.exec(text)?.[0] ?? ''
  const comment = operator.search(/\/\*|--/)
  if (comment > 0) operator = operator.slice(0, comment)
  if (!/[~!@#^&|`?%]/.test(operator.slice(0, -1))) operator = operator.replace(/(?<=.)[-+]+$/, '')
  return start + operator.length
}
