// The first thing that a newcomer runs, as a newcomer runs it: in a process of its own, judged by what it prints.
// wire only: the example runs in a process of its own

import { cp, mkdtemp, readFile, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from 'pg'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { runExample } from '../support/runExample.ts'
import { testServer } from '../support/server.ts'

test('without a server: on an embedded PostgreSQL', async () => {
  const { output, code } = await runExample('examples/quickstart.ts', { DATABASE_URL: undefined })
  assert.is(code, 0, output)
  assert.match(output, 'embedded: npm brought it, it ends with this process')
  assertStory(output)
})

test('with DATABASE_URL: beside that database, and nothing is left behind', async () => {
  const { url } = await testServer()
  const { output, code } = await runExample('examples/quickstart.ts', { DATABASE_URL: url })
  assert.is(code, 0, output)
  const [, database] = /in a database of our own: (plainsql_quickstart_\d+), dropped at the end/.exec(output) ?? []
  assert.ok(database, output)
  assertStory(output)

  const client = new Client(url)
  await client.connect()
  const left = await client.query('select from pg_database where datname = $1', [database])
  const tables = await client.query(
    `select from information_schema.tables where table_name in ('users', 'pgmigrations')`,
  )
  await client.end()
  assert.is(left.rowCount, 0)
  assert.is(tables.rowCount, 0)
})

test('a stale function is generated anew', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'plainsql-quickstart-'))
  try {
    for (const name of ['sql', 'migrations', 'examples', 'package.json', 'tsconfig.json']) {
      await cp(name, join(folder, name), { recursive: true })
    }
    for (const name of ['lib', 'node_modules']) await symlink(join(process.cwd(), name), join(folder, name))
    await rm(join(folder, 'sql/users.sql.ts'))

    const { output, code } = await runExample('examples/quickstart.ts', { DATABASE_URL: undefined }, [], folder)
    assert.is(code, 0, output)
    assert.match(output, '   wrote sql/users.sql.ts\n   41 queries in 4 files')
    assertStory(output)
    assert.is(await readFile(join(folder, 'sql/users.sql.ts'), 'utf8'), await readFile('sql/users.sql.ts', 'utf8'))
  } finally {
    await rm(folder, { recursive: true })
  }
})

test.after(async () => (await testServer()).stop())

/** What is the same in every run. */
function assertStory(output: string): void {
  const lines = output.split('\n').map((line) => line.trimEnd())
  const steps = lines.flatMap((line) => /^(\d\. .*?) +\d+ ms$/.exec(line)?.[1] ?? [])
  assert.equal(steps, [
    '1. A PostgreSQL to play with',
    '2. The schema: migrations/*.sql, run by node-pg-migrate',
    '3. Typed functions: sql/x.sql.ts beside every sql/x.sql',
    '4. Writing users and posts',
    '5. A page of users with their posts',
    '6. A unit of work that fails halfway',
  ])
  const told = (step: number): string[] => {
    const start = lines.findIndex((line) => line.startsWith(`${step}. `))
    return lines.slice(start + 1, lines.indexOf('', start)).map((line) => line.replace(/(\.sql):\d+/g, '$1:N').trim())
  }
  assert.is(told(2).length, 4)
  assert.equal(told(5), [
    'Ada Lovelace      Loops, Notes on the Analytical Engine',
    'Grace Hopper      The first bug',
    'alan@example.com  (no posts)',
    '2 round trips: listUsers, listPostsByAuthor',
  ])
  assert.equal(told(6), [
    'inside: Ada has 3 posts',
    'UniqueViolationError: duplicate key value violates unique constraint "users_email_key" [23505] ' +
      'in createUser (sql/users.sql:N)',
    'rolled back: Ada has 2 posts, as before',
  ])
  assert.match(output, /^Done in \d+\.\d s\.$/m)
}

test.run()
