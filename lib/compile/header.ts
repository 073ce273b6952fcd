// One header comment in, `-- name: listUsers :many unproven`, its parts and whatever is wrong with it out.
// Comments that were meant as headers, those of sqlc, aiosql and PgTyped among them, are recognised and explained.

import { didYouMean } from './didYouMean.ts'
import type { Token } from './lexer.ts'
import type { Diagnostic, Kind, Span, SqlFile } from './model.ts'
import { camelCase, isIdentifier, isReserved } from './naming.ts'
import { problem } from './problem.ts'

export const kinds: readonly Kind[] = ['one', 'opt', 'many', 'value', 'values', 'exec']

/** Directives of the header besides the kind. `unproven`: do not warn that `:one` or `:opt` lacks a proof. */
export const flags: readonly string[] = ['unproven']

/** A header as far as it could be read; `name` and `kind` are null if they are missing or wrong. */
export interface Header {
  readonly span: Span
  readonly name: string | null
  readonly nameSpan: Span
  readonly kind: Kind | null
  readonly kindSpan: Span
  readonly flags: readonly string[]
  readonly diagnostics: readonly Diagnostic[]
}

/** Whether a comment is a header or was meant as one. `startsLine`: nothing but white space stands before it. */
export function isHeader(comment: string, startsLine: boolean): boolean {
  const found = header.exec(comment)
  return (found !== null && (startsLine || knownKind(found.groups!.kind) !== null)) || isNearMiss(comment)
}

export function parseHeader(file: SqlFile, token: Token, startsLine: boolean): Header {
  const comment = file.text.slice(token.start, token.end)
  const match = header.exec(comment)
  if (!match || !startsLine) return malformedHeader(file, token, comment, match !== null)

  const { name = '', kind: kindWord, rest = '' } = match.groups!
  const part = (group: string): Span => {
    const [start, end] = match.indices!.groups![group] ?? [comment.length, comment.length]
    return { start: token.start + start, end: token.start + end }
  }
  const nameSpan = part('name')
  const kindSpan = kindWord !== undefined ? part('kind') : rest ? part('rest') : nameSpan
  const kind = knownKind(kindWord)
  const words = kindWord === undefined ? [] : rest.split(/[\s,]+/).filter((word) => word !== '' && word !== '--')
  const kindProblem = kind || (!name && !kindWord) ? null : checkKind(file, kindSpan, kindWord, name, rest)
  // aiosql's `getUser^` is one mistake, not two.
  const nameProblem = kindProblem?.code === 'missing-kind' && aiosqlKind(name) ? null : checkName(file, nameSpan, name)
  const flagProblem = checkFlags(file, part('rest'), words)

  return {
    span: token,
    name: name || null,
    nameSpan,
    kind,
    kindSpan,
    flags: words.filter((word) => flags.includes(word)),
    diagnostics: [nameProblem, kindProblem, flagProblem]
      .filter((found) => found !== null)
      .map((found) => ({ ...found, query: name || null })),
  }
}

function knownKind(word: string | undefined): Kind | null {
  return kinds.find((kind) => `:${kind}` === word?.replace(/\s/g, '')) ?? null
}

/** `-- name: x :kind rest`, with white space and the capitals of "name" as one likes. */
const header = /^--\s*name\s*:\s*(?<name>[^\s:]*)\s*(?<kind>:\s*[^\s:]*)?\s*(?<rest>.*?)\s*$/di

/** `-- name x :one`, `-- query: x :one`, `-- @name x :one`, `-- getUser :one`; not a sentence with a colon in it. */
const lineNearMiss = new RegExp(
  `^--\\s*(?:@?(?:name|query|sql|function|fn)\\s*[:=]?\\s*)?(?<name>[\\w-]+)\\s+:(?<kind>${kinds.join('|')})\\s*$`,
  'i',
)
/** In a block comment: sqlc's other form, with `name:`, and PgTyped's, with `@name`. */
const blockNearMiss = /^\/\*\s*(?:name\s*:\s*(?<name>[\w-]+)\s*:(?<kind>\w+)\s*\*\/$|@name\s+(?<pgtyped>[\w-]+))/i

function isNearMiss(comment: string): boolean {
  return lineNearMiss.test(comment) || blockNearMiss.test(comment)
}

function malformedHeader(file: SqlFile, token: Token, comment: string, isInline: boolean): Header {
  const found = (header.exec(comment) ?? lineNearMiss.exec(comment) ?? blockNearMiss.exec(comment))?.groups ?? {}
  const name = found.name ?? found.pgtyped ?? 'x'
  const kind = found.kind?.replace(/^:/, '').toLowerCase() ?? 'many'
  const wrong = isInline ? 'a header needs a line of its own' : 'not the form of a header'
  return {
    span: token,
    name: null,
    nameSpan: token,
    kind: null,
    kindSpan: token,
    flags: [],
    diagnostics: [
      problem(file, token, 'malformed-header', `malformed header of "${name}"`, wrong, {
        query: name,
        hints: [`write -- name: ${suggestedName(name)} :${kind}`],
      }),
    ],
  }
}

function checkName(file: SqlFile, span: Span, name: string): Diagnostic | null {
  if (name === '') {
    return problem(file, span, 'missing-name', 'the query has no name', 'expected a name', {
      hints: ['write -- name: listUsers :many'],
    })
  }
  if (!isIdentifier(name)) {
    return problem(file, span, 'invalid-name', `"${name}" cannot be the name of a function`, 'not an identifier', {
      hints: [`did you mean "${suggestedName(name)}"?`],
    })
  }
  if (isReserved(camelCase(name))) {
    return problem(
      file,
      span,
      'reserved-name',
      `"${name}" cannot be the name of a function`,
      'reserved in JavaScript',
      {
        hints: [`say what it works on, such as "${camelCase(name)}User"`],
      },
    )
  }
  return null
}

/** What other tools' users write, and what it is called here. */
const foreignKinds: Readonly<Record<string, string>> = {
  ':execrows': ':exec',
  ':execresult': ':exec',
  ':batchexec': ':exec',
  ':batchone': ':one',
  ':batchmany': ':many',
  ':first': ':opt',
  ':maybe': ':opt',
  ':all': ':many',
  ':scalar': ':value',
  ':column': ':values',
}

/** aiosql writes the kind as an operator behind the name. */
const aiosqlKinds: readonly (readonly [suffix: string, kind: string])[] = [
  ['<!', ':one'],
  ['*!', ':exec'],
  ['!', ':exec'],
  ['^', ':opt'],
  ['$', ':value'],
]

function aiosqlKind(name: string): readonly [suffix: string, kind: string] | null {
  return aiosqlKinds.find(([suffix]) => name.endsWith(suffix)) ?? null
}

function checkKind(file: SqlFile, span: Span, word: string | undefined, name: string, rest: string): Diagnostic {
  const list = `the kinds are ${kinds.map((kind) => `:${kind}`).join(', ')}`
  if (word === undefined) {
    const text = rest ? 'expected the kind here' : 'expected a kind behind the name'
    const aiosql = aiosqlKind(name)
    const hints = aiosql
      ? [`aiosql's "${aiosql[0]}" is ${aiosql[1]} here: -- name: ${suggestedName(name)} ${aiosql[1]}`]
      : []
    if (rest) hints.push('every comment that starts with "name:" is a header')
    return problem(file, span, 'missing-kind', `the query "${name}" has no kind`, text, { hints: [list, ...hints] })
  }
  const meant =
    foreignKinds[word.toLowerCase()] ??
    didYouMean(
      word,
      kinds.map((kind) => `:${kind}`),
    )
  return problem(file, span, 'unknown-kind', `unknown kind "${word}"`, 'not a kind', {
    hints: meant ? [`did you mean "${meant}"?`, list] : [list],
  })
}

function checkFlags(file: SqlFile, rest: Span, words: readonly string[]): Diagnostic | null {
  const unknown = words.filter((word) => !flags.includes(word))
  if (unknown.length === 0) return null
  const text = file.text.slice(rest.start, rest.end)
  const start = rest.start + text.indexOf(unknown[0]!)
  const end = rest.start + text.lastIndexOf(unknown.at(-1)!) + unknown.at(-1)!.length
  const meant = didYouMean(unknown[0]!, flags)
  const named = unknown.map((word) => `"${word}"`).join(', ')
  return problem(
    file,
    { start, end },
    'unknown-flag',
    `unknown flag${unknown.length > 1 ? 's' : ''} ${named}`,
    'not a flag',
    {
      hints: [
        meant ? `did you mean "${meant}"?` : `known flags: ${flags.join(', ')}`,
        'documentation goes on comment lines of its own below the header',
      ],
    },
  )
}

/** `get-user^` → `getUser`. */
function suggestedName(name: string): string {
  const words = camelCase(name.replace(/[^\p{ID_Continue}$]+/gu, '_').replace(/_+$|\$$/u, ''))
  return isIdentifier(words) && !isReserved(words)
    ? words
    : `query${words.replace(/^./u, (first) => first.toUpperCase())}`
}
