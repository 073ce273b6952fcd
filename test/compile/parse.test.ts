import { readFileSync } from 'node:fs'
import path from 'node:path'
import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { formatDiagnostics } from '../../lib/compile/diagnostics.ts'
import { lex } from '../../lib/compile/lexer.ts'
import type { ParsedQuery } from '../../lib/compile/model.ts'
import { type ParsedFile, parseSqlFile } from '../../lib/compile/parse.ts'
import { assertGolden, goldenCases } from '../support/golden.ts'
import { sqlWithParams } from '../support/sqlText.ts'

const folder = path.resolve(import.meta.dirname, 'parse')

for (const name of goldenCases(folder, '.sql')) {
  test(name.replaceAll('-', ' '), () => {
    const text = readFileSync(path.join(folder, `${name}.sql`), 'utf8')
    assertGolden(path.join(folder, `${name}.txt`), dump(parseSqlFile({ path: `${name}.sql`, text })))
  })
}

test('a byte order mark and CRLF change nothing but the offsets', () => {
  const unix = '-- name: a :many\n-- Doc.\nselect :x\nfrom t;\n\n-- name: b :exec\ndelete from t where id = :id\n'
  const windows = `\ufeff${unix.replaceAll('\n', '\r\n')}`
  const summary = (text: string): unknown =>
    parseSqlFile({ path: 'a.sql', text }).queries.map(({ name, kind, docs, sql, toFile }) => ({
      name,
      kind,
      docs,
      sql: sql.replaceAll('\r\n', '\n'),
      starts: text.slice(toFile(0), toFile(0) + 6),
    }))
  assert.equal(parseSqlFile({ path: 'a.sql', text: windows }).diagnostics, [])
  assert.equal(summary(windows), summary(unix))
})

test('places count from behind the byte order mark', () => {
  const { diagnostics } = parseSqlFile({ path: 'a.sql', text: '\ufeffselect 1' })
  const [record] = JSON.parse(formatDiagnostics(diagnostics, { format: 'json', color: false }))
  assert.equal([record.line, record.column, record.endColumn], [1, 1, 9])
})

test('toFile: outside parameters every character of sql is the character in the file', () => {
  fc.assert(
    fc.property(sqlWithParams, ({ text: body }) => {
      const text = `-- name: before :one\nselect 1;\n-- name: x :many\n${body}`
      const query = parseSqlFile({ path: 'x.sql', text }).queries.find(({ name }) => name === 'x')
      if (!query) return
      const starts = new Set(query.params.flatMap((param) => param.spans.map((span) => span.start)))
      for (let offset = 0; offset < query.sql.length; offset++) {
        const at = query.toFile(offset)
        if (!starts.has(at)) assert.is(text[at], query.sql[offset])
      }
      assert.is(query.toFile(query.sql.length), query.bodySpan.end)
    }),
    { numRuns: 300 },
  )
})

test('PostgreSQL reads the rewritten text as the same tokens, with $n for each parameter', () => {
  fc.assert(
    fc.property(sqlWithParams, ({ text: body }) => {
      const text = `-- name: x :many\n${body}`
      const [query] = parseSqlFile({ path: 'x.sql', text }).queries
      if (!query) return
      const { start, end } = query.bodySpan
      const meant = words(text.slice(start, end)).map((word) => (word.startsWith('param') ? 'positional' : word))
      assert.equal(
        words(query.sql).map((word) => (word.startsWith('positional') ? 'positional' : word)),
        meant,
      )
    }),
    { numRuns: 300 },
  )
})

test('no text makes it throw, and every span lies inside the file', () => {
  const piece = fc.constantFrom(
    '-- name: ',
    'a ',
    ':one',
    ':many',
    '\n',
    '\r\n',
    "'",
    '"',
    '$$',
    '/*',
    '*/',
    ';',
    ':p',
    '?',
    '!',
    '\\set',
    '$1',
    'E',
    '(',
    '--',
    ' ',
    '\ufeff',
  )
  fc.assert(
    fc.property(fc.array(fc.oneof(piece, fc.string({ unit: 'grapheme', maxLength: 3 }))), (pieces) => {
      const text = pieces.join('')
      const { diagnostics } = parseSqlFile({ path: 'x.sql', text })
      for (const { span } of diagnostics.flatMap(({ labels }) => labels)) {
        assert.ok(span.start >= 0 && span.start <= span.end && span.end <= text.length)
      }
      for (const format of ['text', 'json', 'github'] as const) formatDiagnostics(diagnostics, { format, color: false })
    }),
    { numRuns: 1000 },
  )
})

function words(sql: string): string[] {
  return lex(sql)
    .filter((token) => token.kind !== 'space')
    .map((token) => `${token.kind} ${sql.slice(token.start, token.end)}`)
}

function dump({ queries, diagnostics }: ParsedFile): string {
  const parts = queries.map(dumpQuery)
  if (diagnostics.length > 0) parts.push(formatDiagnostics(diagnostics, { format: 'text', color: false }))
  return parts.join('\n\n')
}

function dumpQuery({ name, kind, flags, docs, sql, params }: ParsedQuery): string {
  const indented = (text: string): string => text.replace(/^(?=.)/gm, '    ')
  return [
    `${name} :${kind} ${flags.join(' ')}`.trim(),
    ...(docs ? ['  docs', indented(docs)] : []),
    '  sql',
    indented(sql),
    ...params.map(
      (param) =>
        `  $${param.index} ${param.name}${param.mark ?? ''} at ${param.spans.map(({ start }) => start).join(', ')}`,
    ),
  ].join('\n')
}

test.run()
