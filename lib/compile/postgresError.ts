// PostgreSQL's error about a statement becomes a diagnostic in the `.sql` file: mapped back to the whole token, with the
// parameters' own names, the server's hint, and "did you mean" from the catalog. Pure.

import type { Catalog } from './catalog.ts'
import { didYouMean } from './didYouMean.ts'
import type { Diagnostic, Label, ParsedQuery, Span } from './model.ts'
import { postgresPosition, tokenSpanAt } from './sourceText.ts'

/** The fields of an ErrorResponse that are read here (https://www.postgresql.org/docs/18/protocol-error-fields.html). */
export interface ServerError {
  readonly message: string
  readonly code?: string | undefined
  readonly detail?: string | undefined
  readonly hint?: string | undefined
  /** 1-based, in code points of the statement that was sent. */
  readonly position?: string | undefined
}

/** The names that exist, for "did you mean". */
export interface KnownNames {
  readonly catalog: Catalog | null
  readonly functions: readonly string[]
}

/** The diagnostic for an error that describing `query` gave. */
export function postgresError(query: ParsedQuery, error: ServerError, names: KnownNames): Diagnostic {
  const code = error.code ?? 'XX000'
  const title = withParamNames(error.message, query)
  const guessed = guesses(code, error.message, query, names)
  // PostgreSQL's own guess is nearly always ours too, and ours is made from all names.
  const serverHint = guessed.length > 0 && error.hint?.startsWith('Perhaps you meant') ? undefined : error.hint
  const hints = [
    ...guessed,
    ...paramHints(code, error, query),
    ...(guessed.length > 0 ? [] : habitHints(code, error, query)),
    ...[error.detail, serverHint].flatMap((text) => (text ? [withParamNames(text, query)] : [])),
  ]
  return { severity: 'error', code, title, labels: labelsOf(query, error), query: query.name, hints }
}

function labelsOf(query: ParsedQuery, error: ServerError): Label[] {
  const { file } = query
  const text = wordFor(error)
  const param = paramOf(error.message, query)
  if (error.position !== undefined) {
    const first = spanOf(query, Number(error.position))
    // A conflict is between two places of the same parameter: the one PostgreSQL points at comes first.
    const others = param && error.code === '42P08' ? param.spans.filter((span) => span.start !== first.start) : []
    return [{ file, span: first, text }, ...others.map((span) => ({ file, span, text: `:${param?.name} is here too` }))]
  }
  if (param) return param.spans.map((span, index) => ({ file, span, text: index === 0 ? text : '' }))
  return [{ file, span: query.nameSpan, text: '' }]
}

/** What stands behind the carets, by SQLSTATE (https://www.postgresql.org/docs/18/errcodes-appendix.html). */
const words: Readonly<Record<string, string>> = {
  '42601': 'not understood from here',
  '42703': 'no such column',
  '42P01': 'no such table',
  '42883': 'no such function or operator',
  '42704': 'no such type or object',
  '42702': 'more than one column has this name',
  '42803': 'neither grouped nor aggregated',
  '42804': 'of another type',
  '42P08': 'of another type here',
  '42P18': 'of which type?',
  '3F000': 'no such schema',
}

/** PostgreSQL uses these codes for other mistakes as well. */
const otherWords: readonly (readonly [message: RegExp, text: string])[] = [
  [/^(?:missing|invalid reference to) FROM-clause entry/, 'FROM has no such name here'],
  [/^INSERT has more /, ''],
  [/^(?:aggregate|window|set-returning) functions are not allowed/, ''],
]

function wordFor({ code = '', message }: ServerError): string {
  return otherWords.find(([pattern]) => pattern.test(message))?.[1] ?? words[code] ?? ''
}

function spanOf(query: ParsedQuery, position: number): Span {
  // An error at the end of the input points behind the last token: that one stands for it.
  const offset = Math.min(postgresPosition(query.sql, position), query.sql.length - 1)
  return tokenSpanAt(query.file.text, Math.min(query.toFile(offset), query.bodySpan.end - 1), query.bodySpan.start)
}

/** The parameter that the message names as `$n`. */
function paramOf(message: string, query: ParsedQuery): ParsedQuery['params'][number] | undefined {
  const index = Number(/\$(\d+)/.exec(message)?.[1])
  return query.params.find((param) => param.index === index)
}

function withParamNames(text: string, query: ParsedQuery): string {
  return text.replace(/\$(\d+)/g, (written, digits: string) => {
    const param = query.params.find(({ index }) => index === Number(digits))
    return param ? `:${param.name}` : written
  })
}

function paramHints(code: string, { message, detail }: ServerError, query: ParsedQuery): string[] {
  const param = paramOf(message, query)
  if (!param) return []
  if (code === '42P18') return [`say its type: ":${param.name}::text", or whichever it is`]
  if (code === '42P08') {
    // `text versus mood`: beside a literal the parameter is a text, and the other type is a column's, which fits both.
    const [, first, second] = /^(.+) versus (.+)$/.exec(detail ?? '') ?? []
    const type = [first, second].find((name) => name !== 'text') ?? 'text'
    return [`one parameter has one type: write a cast at each place, such as ":${param.name}::${type}"`]
  }
  return []
}

/** What is written elsewhere, or looks like something else, and what it is in PostgreSQL. */
function habitHints(code: string, { message, position }: ServerError, query: ParsedQuery): string[] {
  if (code === '3F000' && message.includes('"sqlc"'))
    return ['what sqlc calls sqlc.arg(id) is :id here, sqlc.narg(id) is :id?']
  if (position === undefined) return []
  const span = spanOf(query, Number(position))
  const written = query.file.text.slice(span.start, span.end)
  if (written.includes('\u00a0')) return ['it holds a no-break space (U+00A0), which PostgreSQL takes for a letter']
  if (code === '42703' && written.startsWith('"'))
    return [`a name stands in double quotes, a text in single ones: '${written.slice(1, -1)}'`]
  if (code !== '42601' || !written.startsWith(':')) return []
  const [, before = ''] = /(\w+)\s*$/.exec(query.file.text.slice(query.bodySpan.start, span.start)) ?? []
  const name = written.replace(/[?!]$/, '')
  if (/^in$/i.test(before)) return [`a list is one parameter: = any(${name})`]
  if (/^(?:interval|date|time|timestamp|timestamptz)$/i.test(before))
    return [`cast it: ${name}::${before.toLowerCase()}`]
  if (/^(?:from|join|into|update|table|only|using)$/i.test(before))
    return ['a parameter is a value, never the name of a table']
  return []
}

function guesses(code: string, message: string, query: ParsedQuery, { catalog, functions }: KnownNames): string[] {
  // English messages quote the name: `column "nmae" does not exist`, `function lenght(text) does not exist`, and
  // `column u.nmae does not exist` for a qualified one. In another language there is no guess.
  const name = /"([^"]+)"/.exec(message)?.[1] ?? /^(?:column|relation|function) ([^\s(]+)/.exec(message)?.[1]
  if (name === undefined) return []
  const word = name.split('.').at(-1)!
  const candidates =
    code === '42703' && catalog
      ? columnNames(query, catalog)
      : code === '42P01' && catalog
        ? relationNames(catalog)
        : code === '42883' && message.includes('(')
          ? new Map(functions.map((known) => [known, known]))
          : null
  const known = candidates?.get(word)
  // The function is there, but not for these arguments.
  if (code === '42883' && known !== undefined) return []
  if (code === '42P01' && known !== undefined && known !== name && message.startsWith('relation'))
    return [`there is ${known}: write it so, or set "searchPath"`]
  const guess = candidates && didYouMean(word, candidates.keys())
  return guess ? [`did you mean "${candidates.get(guess)}"?`] : []
}

/** Column name → how to call it, for the tables that the query mentions. */
function columnNames(query: ParsedQuery, catalog: Catalog): Map<string, string> {
  const mentioned = new Set(query.sql.toLowerCase().match(/[\w$\u0080-\uffff]+/g))
  const names = new Map<string, string>()
  for (const relation of catalog.relations.values()) {
    if (!mentioned.has(relation.name.toLowerCase())) continue
    for (const column of relation.columns) {
      if (!names.has(column.name)) names.set(column.name, `${relation.name}.${column.name}`)
    }
  }
  return names
}

function relationNames(catalog: Catalog): Map<string, string> {
  const names = new Map<string, string>()
  for (const { schema, name } of catalog.relations.values()) {
    names.set(name, schema === 'public' ? name : `${schema}.${name}`)
  }
  return names
}
