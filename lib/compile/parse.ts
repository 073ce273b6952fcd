// The first stage: a `.sql` file in, its queries and all of its mistakes out. Pure, and it never throws.
//
//   -- name: listPostsByAuthor :many          the header: name, kind, flags
//   -- Posts of one author, newest first.     comment lines directly below it are documentation
//   select … where author_id = :author_id;    the statement, up to the next header or the end of the file

import { checkListen, checkParams, checkStatement, checkStrings, checkTokens } from './checks.ts'
import { flags as knownFlags } from './header.ts'
import { isSignificant, type Token } from './lexer.ts'
import type { Diagnostic, ParsedQuery, SqlFile } from './model.ts'
import { pascalCase } from './naming.ts'
import { problem } from './problem.ts'
import { type Section, splitSections } from './sections.ts'
import { startOf } from './sourceText.ts'
import { leadingComments, readStatement } from './statement.ts'

export interface ParsedFile {
  /** In the file's order; without those whose mistakes leave nothing sensible to hand to PostgreSQL. */
  readonly queries: readonly ParsedQuery[]
  /** In the file's order. */
  readonly diagnostics: readonly Diagnostic[]
}

/**
 * Reads a `.sql` file. `:name` is a parameter wherever PostgreSQL's lexer would not read something else; `:name?` and
 * `:name!` carry the author's word on null. A lone colon is left alone: a slice with a column as its bound is written
 * `x[1: n]`, one with a parameter `x[1 : :n]`, and `json_object('k': v)` likewise needs its space.
 */
export function parseSqlFile(file: SqlFile): ParsedFile {
  const queries: ParsedQuery[] = []
  const diagnostics: Diagnostic[] = []
  const [preamble, ...sections] = splitSections(file)

  diagnostics.push(...checkPreamble(file, preamble!.tokens, sections.length > 0))
  for (const section of sections) {
    const parsed = parseSection(file, section)
    diagnostics.push(...parsed.diagnostics)
    if (parsed.query) queries.push(parsed.query)
  }
  diagnostics.push(...checkNames(file, sections))

  const startOfFirst = (diagnostic: Diagnostic): number => diagnostic.labels[0]!.span.start
  return { queries, diagnostics: diagnostics.sort((a, b) => startOfFirst(a) - startOfFirst(b)) }
}

function checkPreamble(file: SqlFile, tokens: readonly Token[], hasQueries: boolean): Diagnostic[] {
  const found = checkTokens(file, tokens, null)
  const sql = tokens.filter(
    (token) => isSignificant(token) && token.kind !== 'meta-command' && token.kind !== 'semicolon',
  )
  if (sql.length > 0) {
    const span = { start: sql[0]!.start, end: sql.at(-1)!.end }
    const title = hasQueries ? 'SQL before the first header' : 'SQL without a header'
    const hints = ['put a header above it, such as -- name: listUsers :many']
    return [...found, problem(file, span, 'missing-header', title, 'belongs to no query', { hints })]
  }
  if (hasQueries || found.length > 0) return found
  const start = startOf(file.text)
  const hints = ['a query starts with a header, such as -- name: listUsers :many']
  return [
    problem(file, { start, end: start }, 'no-queries', 'the file holds no query', '', { severity: 'warning', hints }),
  ]
}

function parseSection(file: SqlFile, section: Section): { query: ParsedQuery | null; diagnostics: Diagnostic[] } {
  const header = section.header!
  const comments = leadingComments(file.text, section.tokens)
  const statement = readStatement(file, comments.rest)
  const mistakes = [
    ...checkTokens(file, comments.rest, header.name),
    // A header that could not be read may have meant anything: it is the one thing to mend.
    ...(header.name === null ? [] : checkStatement(file, comments.rest, header.name)),
    ...checkParams(file, statement?.params ?? [], header.name),
  ]
  if (!statement && header.name !== null) {
    const title = `the query "${header.name}" has no statement`
    const hints = ['write the statement below the header and its comments']
    mistakes.push(
      problem(file, header.nameSpan, 'empty-query', title, 'nothing follows', { query: header.name, hints }),
    )
  }
  const diagnostics = [...header.diagnostics, ...mistakes]
  if (!statement || mistakes.length > 0 || header.name === null || header.kind === null)
    return { query: null, diagnostics }

  diagnostics.push(...checkListen(file, comments.rest, header.name), ...checkStrings(file, comments.rest, header.name))

  // `-- unproven` may stand on a line of its own, too.
  const isFlag = (line: string): boolean => knownFlags.includes(line)
  const query: ParsedQuery = {
    file,
    name: header.name,
    kind: header.kind,
    docs: comments.lines
      .filter((line) => !isFlag(line))
      .join('\n')
      .replace(/^\n+|\n+$/g, ''),
    flags: [...new Set([...header.flags, ...comments.lines.filter(isFlag)])],
    nameSpan: header.nameSpan,
    kindSpan: header.kindSpan,
    ...statement,
  }
  return { query, diagnostics }
}

/** Two queries of one name, or of names that give the same type: `get_user` and `getUser` are both `GetUser`. */
function checkNames(file: SqlFile, sections: readonly Section[]): Diagnostic[] {
  const firsts = new Map<string, { name: string; span: { start: number; end: number } }>()
  return sections.flatMap(({ header }) => {
    if (!header || header.name === null) return []
    const type = pascalCase(header.name)
    const first = firsts.get(type)
    if (!first) {
      firsts.set(type, { name: header.name, span: header.nameSpan })
      return []
    }
    const isSame = first.name === header.name
    const title = isSame
      ? `two queries are called "${header.name}"`
      : `"${first.name}" and "${header.name}" would share the type names "${type}…"`
    return problem(file, header.nameSpan, isSame ? 'duplicate-name' : 'name-collision', title, 'the second', {
      query: header.name,
      related: [{ file, span: first.span, text: 'the first' }],
      hints: ['rename one of them'],
    })
  })
}
