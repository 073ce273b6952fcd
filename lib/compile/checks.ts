// The tokens of one section in; what is wrong with them out. PostgreSQL checks the SQL itself later: here stands only
// what it could not know, or could not say as clearly.

import { isSignificant, type Token } from './lexer.ts'
import type { Diagnostic, ParsedParam, Span, SqlFile } from './model.ts'
import { camelCase } from './naming.ts'
import { problem } from './problem.ts'
import { openingQuotes } from './sections.ts'

/** What no file may hold, in a query or out of one: quotes without an end, psql's commands, `$1`, `:'name'`, `?`, `@name`. */
export function checkTokens(file: SqlFile, tokens: readonly Token[], query: string | null): Diagnostic[] {
  return tokens
    .map((token, index) => {
      if (!token.closed) return unterminated(file, token)
      if (token.kind === 'meta-command') return psqlCommand(file, token)
      if (token.kind === 'positional') return positionalParam(file, token)
      return quotedParam(file, token, tokens[index + 1]) ?? foreignParam(file, tokens, index)
    })
    .filter((found) => found !== null)
    .map((found) => ({ ...found, query }))
}

function unterminated(file: SqlFile, token: Token): Diagnostic {
  const quotes = openingQuotes(file.text, token)
  const what = { "'": 'string', '"': 'quoted identifier', '/*': 'comment' }[quotes] ?? 'dollar-quoted string'
  const line = /^[^\n\r]*/.exec(file.text.slice(token.start, token.end))![0].trimEnd()
  const span = { start: token.start, end: token.start + line.length }
  return problem(file, span, 'unterminated', `unterminated ${what}`, 'opened here, never closed', {
    hints: [`close it with ${quotes === '/*' ? '*/ (comments nest in PostgreSQL)' : quotes}`],
  })
}

function psqlCommand(file: SqlFile, token: Token): Diagnostic {
  const command = /^\\\S*/.exec(file.text.slice(token.start, token.end))![0]
  return problem(file, token, 'psql-command', `psql command "${command}" in a query file`, 'not SQL', {
    hints: ['psql takes variables from its command line too: psql -v name=value -f file.sql'],
  })
}

function positionalParam(file: SqlFile, token: Token): Diagnostic {
  const written = file.text.slice(token.start, token.end)
  return problem(file, token, 'positional-param', `positional parameter "${written}"`, 'has no name', {
    hints: ['give it a name, such as :id; plainsql does the numbering'],
  })
}

/** psql's `:'name'` and `:"name"`. Behind an operand it is none: `x['a':'b']`, `json_object('a':'b')`. */
function quotedParam(file: SqlFile, token: Token, next: Token | undefined): Diagnostic | null {
  if (!next || file.text.slice(token.start, token.end) !== ':') return null
  const name = /^(['"])(\w+)\1$/.exec(file.text.slice(next.start, next.end))?.[2]
  const before = file.text.slice(Math.max(0, token.start - 80), token.start)
  if (name === undefined || !/(?:[(,=<>~|+*/-]|[A-Za-z_]\s)\s*$/.test(before)) return null
  const span = { start: token.start, end: next.end }
  return problem(file, span, 'quoted-param', `quoted variable "${name}"`, 'psql would quote it', {
    hints: [`write :${name}; a parameter needs no quotes`],
  })
}

/** What other tools take for a parameter: `${id}`, `@id` (to PostgreSQL the absolute value of a column), `?`. */
function foreignParam(file: SqlFile, tokens: readonly Token[], index: number): Diagnostic | null {
  const written = (token: Token | undefined): string => (token ? file.text.slice(token.start, token.end) : '')
  const token = tokens[index]!
  const next = tokens[index + 1]
  if (written(token) === '$' && written(next) === '{') {
    const [all] = /^\$\{[^}\n\r]*\}?/.exec(file.text.slice(token.start))!
    const hints = [`a parameter is written :${/(\w+)\W*$/.exec(all)?.[1] ?? 'id'}; its value is sent beside the text`]
    const span = { start: token.start, end: token.start + all.length }
    return problem(file, span, 'foreign-param', `"${all}" in a query file`, 'not SQL', { hints })
  }
  if (/^=?@$/.test(written(token)) && next?.kind === 'identifier') {
    const name = written(next)
    const title = `to PostgreSQL "@${name}" is the absolute value of a column "${name}"`
    const hints = [`write :${name} if it is a parameter, abs(${name}) if not`]
    return problem(file, { start: token.end - 1, end: next.end }, 'foreign-param', title, 'no parameter', { hints })
  }
  if (token.kind !== 'operator' || !/^[=<>]*\?$/.test(written(token))) return null
  const [before, last] = tokens.slice(0, index).filter(isSignificant).slice(-2)
  const [first] = tokens.slice(index + 1).filter(isSignificant)
  return isPlaceholder(written(token), [written(before), written(last ?? before)], written(first))
    ? positionalParam(file, { ...token, start: token.end - 1 })
    : null
}

/** Whether a `?` stands where an operand should: as the jsonb operator it has one on each side. */
function isPlaceholder(written: string, [before, last]: readonly [string, string], next: string): boolean {
  if (last === '.' || (last === '(' && before.toLowerCase() === 'operator')) return false
  return written !== '?' || /^$|^[(,]$|^[~!@#^&|`+\-*/%<>=]+$/.test(last) || /^$|^[),;]$|^::$/.test(next)
}

/** A query is one statement, and none that ends or divides the transaction that it runs in. */
export function checkStatement(file: SqlFile, tokens: readonly Token[], query: string | null): Diagnostic[] {
  const words = tokens.filter(isSignificant)
  const command = transactionCommand(file.text, words)
  if (command) {
    const title = `transaction command "${file.text.slice(command.start, command.end)}" in a query file`
    const hints = ['db.unitOfWork(async (uow) => …) begins and ends a transaction, uow.savepoint(…) a part of it']
    return [problem(file, command, 'transaction-command', title, 'no unit of work would see it', { query, hints })]
  }
  const second = secondStatement(file.text, words)
  if (!second) return []
  const hints = ['give it a header of its own, "-- name: … :kind", or make one statement of both: with x as (…) …']
  const title = 'a query is one statement, here is a second one'
  return [problem(file, second, 'several-statements', title, 'the second statement', { query, hints })]
}

/** A warning: it can be run, and nothing comes of it. */
export function checkListen(file: SqlFile, tokens: readonly Token[], query: string): Diagnostic[] {
  const [first] = tokens.filter(isSignificant)
  if (!first || !isWord(file.text, first, 'listen')) return []
  const hints = ['open a pg.Client of your own for it; to notify: select pg_notify(:channel, :payload)']
  const details = { severity: 'warning', query, hints } as const
  return [problem(file, first, 'listen', 'LISTEN in a query file', 'no program will get what comes', details)]
}

/** A warning: `':email'` and `'%:words%'` are what they say, and no parameter. */
export function checkStrings(file: SqlFile, tokens: readonly Token[], query: string): Diagnostic[] {
  return tokens.flatMap((token) => {
    const [, before = '', name, after = ''] =
      /^'([%_]*):([A-Za-z_]\w*?)([%_]*)'$/.exec(file.text.slice(token.start, token.end)) ?? []
    if (token.kind !== 'string' || name === undefined) return []
    const joined = [before && `'${before}'`, `:${name}`, after && `'${after}'`]
      .filter((part) => part !== '')
      .join(' || ')
    const details = { severity: 'warning', query, hints: [`if a parameter is meant: ${joined}`] } as const
    return problem(file, token, 'param-in-string', `":${name}" inside quotes is no parameter`, 'a text', details)
  })
}

const transactionCommands = ['abort', 'begin', 'commit', 'end', 'release', 'rollback', 'savepoint', 'start']

/** SET TRANSACTION, SET LOCAL and SET CONSTRAINTS are none: they leave the transaction open. */
function transactionCommand(text: string, [first, next]: readonly Token[]): Token | undefined {
  const isPrepare = isWord(text, first, 'prepare') && isWord(text, next, 'transaction')
  return isPrepare || transactionCommands.some((command) => isWord(text, first, command)) ? first : undefined
}

function secondStatement(text: string, words: readonly Token[]): Span | null {
  // The body of `create function … begin atomic …; …; end` is full of semicolons.
  if (words.some((word, index) => isWord(text, word, 'begin') && isWord(text, words[index + 1], 'atomic'))) return null
  const statements: Token[][] = [[]]
  let depth = 0
  for (const word of words) {
    if (word.kind === 'punctuation' && text[word.start] === '(') depth++
    if (word.kind === 'punctuation' && text[word.start] === ')') depth--
    // Inside parentheses it is part of one statement: create rule … do (…; …)
    if (word.kind === 'semicolon' && depth <= 0) statements.push([])
    else statements.at(-1)!.push(word)
  }
  const second = statements.filter((statement) => statement.length > 0)[1]
  return second ? { start: second[0]!.start, end: second.at(-1)!.end } : null
}

function isWord(text: string, token: Token | undefined, word: string): boolean {
  return token?.kind === 'identifier' && text.slice(token.start, token.end).toLowerCase() === word
}

/** Occurrences of one parameter that contradict each other, and parameters that TypeScript could not tell apart. */
export function checkParams(file: SqlFile, params: readonly ParsedParam[], query: string | null): Diagnostic[] {
  return [...markConflicts(file, params, query), ...nameCollisions(file, params, query)]
}

function markConflicts(file: SqlFile, params: readonly ParsedParam[], query: string | null): Diagnostic[] {
  return params.flatMap((param) => {
    const marked = (mark: string): Span | undefined => param.spans.find((span) => file.text[span.end - 1] === mark)
    const places = [marked('?'), marked('!')].filter((span) => span !== undefined).sort((a, b) => a.start - b.start)
    const [first, second] = places
    if (!first || !second) return []
    const title = `":${param.name}" is marked both "?" (accepts null) and "!" (does not)`
    return problem(file, second, 'mark-conflict', title, 'contradicts the first mark', {
      query,
      related: [{ file, span: first, text: 'first mark' }],
      hints: ['mark it one way; one of its occurrences is enough'],
    })
  })
}

function nameCollisions(file: SqlFile, params: readonly ParsedParam[], query: string | null): Diagnostic[] {
  return params.flatMap((param, index) => {
    const property = camelCase(param.name)
    const other = params.slice(0, index).find((earlier) => camelCase(earlier.name) === property)
    if (!other) return []
    const title = `":${other.name}" and ":${param.name}" would both be "${property}" in TypeScript`
    return problem(file, param.spans[0]!, 'param-collision', title, 'the second', {
      query,
      related: [{ file, span: other.spans[0]!, text: 'the first' }],
      hints: ['write both the same way if they are one parameter, else rename one'],
    })
  })
}
