// What PostgreSQL answers about queries: types and trees in the queries' order, however many, and errors as diagnostics at
// the right place of the .sql file.

import pg from 'pg'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { loadCatalog } from '../../lib/compile/catalog.ts'
import { describeQueries, describeStatements } from '../../lib/compile/describe.ts'
import { parseSqlFile } from '../../lib/compile/parse.ts'
import { nodes } from '../../lib/compile/tree.ts'
import { freshDatabase } from '../support/server.ts'

const database = await freshDatabase(`
  create table users (id int primary key, email text not null, full_name text);
  create table posts (id int primary key, author_id int not null);
`)
const client = new pg.Client({ connectionString: database.url, pipeline: true })
await client.connect()
const catalog = await loadCatalog(client)

test('parameter types, columns and the tree of each statement', async () => {
  const [select, exec, utility, failed] = await describeStatements(client, [
    'select id, email as mail, 1 + $1 as n from users where email = $2',
    'delete from users where id = $1',
    'listen x',
    'select nothing',
  ])
  assert.ok(select && !('error' in select))
  assert.equal(select.paramTypeOids, [23, 25])
  assert.equal(
    select.columns.map(({ name, typeOid, columnNumber }) => [name, typeOid, columnNumber]),
    [
      ['id', 23, 1],
      ['mail', 25, 2],
      ['n', 23, 0],
    ],
  )
  assert.is(nodes(select.tree!, 'targetList').length, 3)
  assert.ok(exec && !('error' in exec) && exec.tree && exec.columns.length === 0)
  assert.ok(utility && !('error' in utility) && utility.tree === null)
  assert.ok(failed && 'error' in failed && failed.error.code === '42703')
})

test('thousands of statements, errors among them, are answered in their order and in one round trip', async () => {
  const statements = Array.from({ length: 3000 }, (_, i) => (i % 100 === 7 ? `select nope${i}` : `select 1 as q${i}`))
  let writtenBeforeAnswers = 0
  let answered = false
  const { stream } = client.connection
  const { write } = stream
  stream.write = (chunk: unknown) => {
    if (!answered) writtenBeforeAnswers++
    return Reflect.apply(write, stream, [chunk])
  }
  client.connection.once('readyForQuery', () => {
    answered = true
  })
  const answers = await describeStatements(client, statements)
  stream.write = write

  // Parse, Describe and Sync of each, and the settings before and after.
  assert.is(writtenBeforeAnswers, 3 * statements.length + 2)
  answers.forEach((answer, i) => {
    if (i % 100 === 7) assert.ok('error' in answer && answer.error.message.includes(`nope${i}`))
    else assert.ok(!('error' in answer) && answer.columns[0]?.name === `q${i}` && answer.tree)
  })
})

test('without pipelining the answers are the same', async () => {
  const plain = new pg.Client(database.url)
  await plain.connect()
  const statements = ['select id from users', 'select nope', 'select $1::text as t']
  try {
    assert.equal(
      (await describeStatements(plain, statements)).map(shown),
      (await describeStatements(client, statements)).map(shown),
    )
  } finally {
    await plain.end()
  }
})

function shown(answer: object): string {
  return JSON.stringify('error' in answer ? (answer.error as Error).message : answer)
}

test('the settings are as before, and later statements send no trees', async () => {
  await describeStatements(client, ['select 1'])
  let notices = 0
  client.on('notice', () => notices++)
  const { rows } = await client.query("select current_setting('client_min_messages') as level")
  assert.equal(rows, [{ level: 'notice' }])
  assert.is(notices, 0)
})

test('a lost connection rejects', async () => {
  const doomed = new pg.Client(database.url)
  doomed.on('error', () => undefined)
  await doomed.connect()
  const described = describeStatements(doomed, ['select 1', 'select 2'])
  doomed.connection.stream.destroy()
  let rejected = false
  await described.catch(() => {
    rejected = true
  })
  assert.ok(rejected)
})

/** A query's text, and its error: code, title, what is marked with its word, and the hints. */
const errors: readonly (readonly [sql: string, error: readonly string[]])[] = [
  ['select id, fulname from users', ['42703', 'column "fulname" does not exist', '^ fulname: no such column']],
  [
    'select u.id, u.full_nam\nfrom users u',
    [
      '42703',
      'column u.full_nam does not exist',
      '^ u.full_nam: no such column',
      'hint: did you mean "users.full_name"?',
    ],
  ],
  [
    'select * from usres',
    ['42P01', 'relation "usres" does not exist', '^ usres: no such table', 'hint: did you mean "users"?'],
  ],
  [
    'select lenght(email) from users',
    [
      '42883',
      'function lenght(text) does not exist',
      '^ lenght: no such function or operator',
      'hint: did you mean "length"?',
    ],
  ],
  [
    'select email - 1 from users',
    ['42883', 'operator does not exist: text - integer', '^ -: no such function or operator'],
  ],
  ['select id from users where', ['42601', 'syntax error at end of input', '^ where: not understood from here']],
  ['select "é", \'ü\', nope from users', ['42703', 'column "é" does not exist', '^ "é": no such column']],
  ["select 'ü😀', nope from users", ['42703', 'column "nope" does not exist', '^ nope: no such column']],
  [
    'select id from users where :a = email and oops = 1',
    ['42703', 'column "oops" does not exist', '^ oops: no such column'],
  ],
  [
    'select 1 where :thing is null',
    [
      '42P18',
      'could not determine data type of parameter :thing',
      '^ :thing: of which type?',
      'hint: say its type: ":thing::text", or whichever it is',
    ],
  ],
  [
    'select :n, id + :n from users',
    [
      '42P08',
      'inconsistent types deduced for parameter :n',
      '^ :n: of another type here',
      '^ :n: :n is here too',
      'hint: one parameter has one type: write a cast at each place, such as ":n::integer"',
      'hint: integer versus text',
    ],
  ],
  ['select id, count(*) from users', ['42803', '', '^ id: neither grouped nor aggregated']],
]

for (const [sql, expected] of errors) {
  test(`error in: ${sql}`, async () => {
    const text = `-- name: before :many\nselect 1 as one;\n\n-- name: wrong :many\n-- ünïcode\n${sql};\n`
    const { queries } = parseSqlFile({ path: 'a.sql', text })
    const { described, diagnostics } = await describeQueries(client, queries, catalog)
    assert.equal(
      described.map(({ name }) => name),
      ['before'],
    )
    const [diagnostic] = diagnostics
    assert.ok(diagnostic && diagnostics.length === 1)
    assert.is(diagnostic.query, 'wrong')
    const lines = [
      diagnostic.code,
      diagnostic.title,
      ...diagnostic.labels.map(({ span, text: word }) => `^ ${text.slice(span.start, span.end)}: ${word}`),
      ...diagnostic.hints.map((hint) => `hint: ${hint}`),
    ]
    // The server's own hints differ from version to version: what is expected must be there, in this order.
    const wanted = expected.filter((line) => line !== '')
    assert.equal(
      lines.filter((line) => wanted.includes(line)),
      wanted,
      lines.join('\n'),
    )
  })
}

test('the place is right behind a query whose quote is never closed', async () => {
  const text =
    "-- name: open :many\nselect 'x;\n\n-- name: b :many\nselect idd, 'y' from users;\n\n-- name: c :many\nselect 'z';\n"
  const { queries } = parseSqlFile({ path: 'a.sql', text })
  const { diagnostics } = await describeQueries(client, queries, catalog)
  assert.equal(
    diagnostics.map(({ query, labels }) => [query, ...labels.map(({ span }) => text.slice(span.start, span.end))]),
    [['b', 'idd']],
  )
})

test.after(async () => {
  await client.end()
  await database.drop()
})

test.run()
