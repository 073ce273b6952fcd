import { stripVTControlCharacters } from 'node:util'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { formatDiagnostics } from '../../lib/compile/diagnostics.ts'
import type { Diagnostic, Label, SqlFile } from '../../lib/compile/model.ts'

const users: SqlFile = {
  path: 'sql/users.sql',
  text: `-- name: getUserName :one
-- The name of one user.
select id,
       nmae
from users
where id = :id;
`,
}

/** A label on the first occurrence of `token`. */
function label(file: SqlFile, token: string, text: string): Label {
  const start = file.text.indexOf(token)
  return { file, span: { start, end: start + token.length }, text }
}

function diagnostic(labels: Label[], more: Partial<Diagnostic> = {}): Diagnostic {
  return {
    severity: 'error',
    code: '42703',
    title: 'column "nmae" does not exist',
    labels,
    query: null,
    hints: [],
    ...more,
  }
}

const wrongColumn = diagnostic([label(users, 'nmae', 'no such column')], {
  query: 'getUserName',
  hints: ['did you mean "users.name"?'],
})

function text(...diagnostics: Diagnostic[]): string {
  return formatDiagnostics(diagnostics, { format: 'text', color: false })
}

/** The frame alone: the code line and the caret line of a mark on `token`. */
function frame(code: string, token: string): string {
  const file = { path: 'a.sql', text: code }
  return text(diagnostic([label(file, token, '')]))
    .split('\n')
    .slice(3)
    .join('\n')
}

test('an error looks as in the README', () => {
  assert.is(
    text(wrongColumn),
    `error[42703] column "nmae" does not exist

  sql/users.sql:4:8  in getUserName
  3 │ select id,
  4 │        nmae
    │        ^^^^ no such column
  hint: did you mean "users.name"?`,
  )
})

test('context ends after two lines, at a comment and at an empty line', () => {
  const lines = (code: string): number => frame(code, 'X').split('\n').length - 2
  assert.equal(['X', 'a\nX', 'a\nb\nc\nX', '-- a\nb\nX', 'a\n\nX', 'a\nb\n-- X'].map(lines), [0, 1, 2, 1, 0, 0])
})

test('labels on one line share a frame, others and other files have their own', () => {
  const posts: SqlFile = { path: 'sql/posts.sql', text: 'select 1\n' }
  assert.is(
    text(
      diagnostic(
        [
          label(users, ':id', 'here'),
          label(users, 'where', 'and here'),
          label(users, 'id,', 'up here'),
          label(posts, '1', 'there'),
        ],
        {
          severity: 'warning',
          code: 'example',
          title: 'four places',
        },
      ),
    ),
    `warning[example] four places

  sql/users.sql:6:12
  4 │        nmae
  5 │ from users
  6 │ where id = :id;
    │            ^^^ here
    │ ----- and here
  sql/users.sql:3:8
  3 │ select id,
    │        --- up here
  sql/posts.sql:1:8
  1 │ select 1
    │        - there`,
  )
})

test('a span over several lines is underlined on its first one', () => {
  assert.is(
    text(diagnostic([label(users, 'nmae\nfrom users\nwhere', 'from here')]))
      .split('\n')
      .slice(-2)
      .join('\n'),
    '  4 │        nmae\n    │        ^^^^ from here (to line 6)',
  )
})

test('an empty span and one behind the end have one caret', () => {
  const at = (start: number): string =>
    text(diagnostic([{ file: { path: 'a.sql', text: 'select ' }, span: { start, end: start }, text: '' }]))
  assert.match(at(0), /│ \^$/)
  assert.match(at(7), /│ {8}\^$/)
})

test('line numbers are aligned where they grow', () => {
  const code = `${'\n'.repeat(8)}a\nX`
  assert.is(frame(code, 'X'), '   9 │ a\n  10 │ X\n     │ ^')
})

for (const [what, code, expected] of [
  ['tabs', 'a\t\tX', '  1 │ a       X\n    │         ^'],
  ['wide characters', "'日本語' X", "  1 │ '日本語' X\n    │          ^"],
  ['full-width forms', 'ＡＢ X', '  1 │ ＡＢ X\n    │      ^'],
  ['combining characters', "'e\u0301' X", "  1 │ 'e\u0301' X\n    │     ^"],
  ['emoji', "'😀👍🏽' X", "  1 │ '😀👍🏽' X\n    │        ^"],
  ['families and flags', "'👩‍👩‍👧🇸🇪' X", "  1 │ '👩‍👩‍👧🇸🇪' X\n    │        ^"],
  ['Hangul', "'한국' X", "  1 │ '한국' X\n    │        ^"],
] as const) {
  test(`carets stay below their token behind ${what}`, () => assert.is(frame(code, 'X'), expected))
}

test('carets are as wide as what they underline', () => {
  assert.is(frame("'日本' = 1", "'日本'"), "  1 │ '日本' = 1\n    │ ^^^^^^")
  assert.is(frame('a \t b', ' \t '), '  1 │ a    b\n    │  ^^^^')
})

test('nothing in a file or a message can steer the terminal', () => {
  const file = { path: 'a\x1b[2J.sql', text: "'\x1b[31m\u202e' X" }
  const output = text(diagnostic([label(file, 'X', 'a\x07b')], { title: 'a\x1b[0m\nb', hints: ['c\x1bd'] }))
  assert.not.match(output, /(?!\n)\p{Cc}|\u202e/u)
  assert.match(output, "'\ufffd[31m\ufffd' X")
})

test('a very long line is shown around its mark', () => {
  const code = `select ${'x, '.repeat(100)}WRONG${', y'.repeat(100)}`
  const [line, carets, ...rest] = frame(code, 'WRONG').split('\n') as [string, string]
  assert.equal(rest, [])
  assert.match(line, /^ {2}1 │ ….*WRONG.*…$/)
  assert.is(carets.indexOf('^^^^^'), line.indexOf('WRONG'))
  assert.ok(line.length <= 110)
})

test('a very long line at its start and at its end', () => {
  const atStart = frame(`WRONG ${'x'.repeat(200)}`, 'WRONG').split('\n') as [string, string]
  assert.is(atStart[1].indexOf('^^^^^'), atStart[0].indexOf('WRONG'))
  const atEnd = frame(`${'日'.repeat(200)} WRONG`, 'WRONG').split('\n') as [string, string]
  assert.match(atEnd[0], / WRONG$/)
  assert.match(atEnd[1], /\^{5}$/)
})

test('what concerns no file has a title and hints', () => {
  assert.is(
    text(diagnostic([], { hints: ['do\nthis'] })),
    'error[42703] column "nmae" does not exist\n\n  hint: do\n        this',
  )
  assert.is(text(diagnostic([])), 'error[42703] column "nmae" does not exist')
})

test('colours only add to the text', () => {
  const colored = formatDiagnostics([wrongColumn], { format: 'text', color: true })
  assert.is(stripVTControlCharacters(colored), text(wrongColumn))
  assert.ok(colored.includes('\x1b[31m^^^^ no such column\x1b[39m'))
  assert.ok(colored.includes('\x1b[2mselect id,\x1b[22m'))
})

test('diagnostics stand apart by an empty line; none give an empty text', () => {
  assert.is(text(wrongColumn, wrongColumn), `${text(wrongColumn)}\n\n${text(wrongColumn)}`)
  assert.is(text(), '')
})

test('json is one array, with places from 1 and exclusive ends', () => {
  const output = formatDiagnostics([{ ...wrongColumn, labels: [...wrongColumn.labels, label(users, ':id', 'why')] }], {
    format: 'json',
    color: true,
  })
  assert.equal(JSON.parse(output), [
    {
      severity: 'error',
      code: '42703',
      title: 'column "nmae" does not exist',
      path: 'sql/users.sql',
      line: 4,
      column: 8,
      endLine: 4,
      endColumn: 12,
      label: 'no such column',
      query: 'getUserName',
      hints: ['did you mean "users.name"?'],
      related: [{ path: 'sql/users.sql', line: 6, column: 12, endLine: 6, endColumn: 15, label: 'why' }],
    },
  ])
  assert.equal(JSON.parse(formatDiagnostics([], { format: 'json', color: false })), [])
})

test('github annotations are one line each and escaped', () => {
  const github = (one: Diagnostic): string => formatDiagnostics([one], { format: 'github', color: true })
  assert.is(
    github(wrongColumn),
    '::error file=sql/users.sql,line=4,col=8,endLine=4,endColumn=12,title=42703 in getUserName::' +
      'column "nmae" does not exist%0Ano such column%0Ahint: did you mean "users.name"?',
  )
  const odd = { path: 'a,b:100%.sql', text: 'x\ny' }
  assert.is(
    github(diagnostic([label(odd, 'x\ny', '')], { severity: 'warning', code: 'c', title: '50%: a, b' })),
    '::warning file=a%2Cb%3A100%25.sql,line=1,endLine=2,title=c::50%25: a, b',
  )
  assert.is(github(diagnostic([])), '::error title=42703::column "nmae" does not exist')
})

test.run()
