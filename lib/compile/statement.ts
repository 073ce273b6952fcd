// The tokens below one header in; its documentation and its statement, with `$n` for every `:name`, out.

import { isSignificant, readParam, type Token } from './lexer.ts'
import type { ParsedParam, Span, SqlFile } from './model.ts'

export interface Statement {
  readonly bodySpan: Span
  readonly sql: string
  readonly params: readonly ParsedParam[]
  readonly toFile: (sqlOffset: number) => number
}

/** The comment lines at the top of `tokens` with nothing between them, not even an empty line; without their `--`. */
export function leadingComments(text: string, tokens: readonly Token[]): { lines: string[]; rest: readonly Token[] } {
  const lines: string[] = []
  let index = 0
  for (; tokens[index + 1]?.kind === 'line-comment' && isOneLineBreak(text, tokens[index]!); index += 2) {
    const comment = tokens[index + 1]!
    lines.push(text.slice(comment.start, comment.end).replace(/^-- ?/, '').trimEnd())
  }
  return { lines, rest: tokens.slice(index) }
}

function isOneLineBreak(text: string, token: Token): boolean {
  return token.kind === 'space' && /^[ \t\f\v]*(?:\r\n|\n|\r)[ \t\f\v]*$/.test(text.slice(token.start, token.end))
}

/** The statement as PostgreSQL gets it; null if there is none. Comments around it are not part of it. */
export function readStatement(file: SqlFile, tokens: readonly Token[]): Statement | null {
  const isBody = (token: Token): boolean => isSignificant(token) && token.kind !== 'semicolon'
  // A block comment in front may be a planner's hint, `/*+ … */`, which has to stay.
  const first = tokens.findIndex((token) => isBody(token) || token.kind === 'block-comment')
  const last = tokens.findLastIndex(isBody)
  if (last < 0) return null
  const body = tokens.slice(first, last + 1)
  const bodySpan = { start: body[0]!.start, end: body.at(-1)!.end }
  return { bodySpan, ...numberParams(file.text, bodySpan, body) }
}

interface Piece {
  readonly sqlStart: number
  readonly fileStart: number
  readonly isParam: boolean
}

function numberParams(text: string, bodySpan: Span, body: readonly Token[]): Omit<Statement, 'bodySpan'> {
  const params = new Map<string, { index: number; mark: '?' | '!' | null; spans: Span[] }>()
  const pieces: Piece[] = []
  let sql = ''
  for (const token of body) {
    const isParam = token.kind === 'param'
    if (isParam || pieces.at(-1)?.isParam !== false) {
      pieces.push({ sqlStart: sql.length, fileStart: token.start, isParam })
    }
    if (!isParam) {
      sql += text.slice(token.start, token.end)
      continue
    }
    const { name, mark } = readParam(text, token)
    const param = params.get(name) ?? { index: params.size + 1, mark: null, spans: [] }
    param.mark ??= mark
    param.spans.push({ start: token.start, end: token.end })
    params.set(name, param)
    // `limit:n` is two tokens, `limit$1` would be one: PostgreSQL's identifiers may hold a `$`.
    sql += /[\w$\u0080-\uffff]$/.test(sql) ? ` $${param.index}` : `$${param.index}`
  }
  return {
    sql,
    params: [...params].map(([name, param]) => ({ name, ...param })),
    toFile: (sqlOffset) => fileOffset(pieces, bodySpan, sqlOffset, sql.length),
  }
}

function fileOffset(pieces: readonly Piece[], bodySpan: Span, sqlOffset: number, sqlLength: number): number {
  if (sqlOffset >= sqlLength) return bodySpan.end
  const piece = pieces.findLast((candidate) => candidate.sqlStart <= sqlOffset)
  if (!piece) return bodySpan.start
  return piece.isParam ? piece.fileStart : piece.fileStart + sqlOffset - piece.sqlStart
}
