// The columns of a `*` while the schema moves on under a running program: read as before, or an error; never one
// column under the name of another.

import { Client } from 'pg'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { DecodeError } from '../../lib/errors.ts'
import { memoryDatabase } from '../../lib/testing/index.ts'
import { openDatabase } from '../database/support.ts'
import { type AnyFunction, generated } from '../support/generated.ts'

const schema = `
create table users (id int primary key, email text not null);
create table posts (id int primary key, author_id int not null, title text not null);
insert into users values (1, 'ada@x');
insert into posts values (1, 1, 'first');`

const sql = `
-- name: whole :many
select * from users where id = :id;
-- name: limited :many
select * from users where id >= :id order by id limit 1;
-- name: withTitle :many
select u.*, p.title from users u join posts p on p.author_id = u.id where u.id = :id;
-- name: pairs :many
select * from users u join posts p on p.author_id = u.id and u.id = :id;
-- name: touch :opt
update users set email = email where id = :id returning *;
-- name: byName :many
select id, email from users where id = :id;
`
const names = ['whole', 'limited', 'withTitle', 'pairs', 'touch', 'byName']
const pair = { id: 1, email: 'ada@x', id2: 1, authorId: 1, title: 'first' }
const user = { id: 1, email: 'ada@x' }
const before = [[user], [user], [{ ...user, title: 'first' }], [pair], user, [user]]

const plain = process.env.PLAINSQL_PLAIN === '1'

type Functions = Record<string, AnyFunction>

/** What each function answers, called alone and for two inputs; of an error the column. */
async function answers(functions: Functions, db: Parameters<AnyFunction>[0], many: boolean): Promise<unknown[]> {
  const all: unknown[] = []
  for (const name of names) {
    const call = many
      ? functions[name]!.batch(db, [{ id: 1 }, { id: 0 }]).then((results) => (results as unknown[])[0])
      : functions[name]!(db, { id: 1 })
    all.push(await call.catch((error: unknown) => (error instanceof DecodeError ? error.column : error)))
  }
  return all
}

const cases: readonly [migration: string, alone: unknown[], many: unknown[]][] = [
  ['select', before, before],
  [
    // What comes behind all others does not matter, unless the position of the input stands there.
    'alter table users add secret text default $$s$$',
    [[user], [user], 'secret', 'secret', user, [user]],
    [[user], 'secret', 'secret', 'secret', 'secret', [user]],
  ],
  [
    // Called like the column that it takes the place of.
    'alter table users add title text default $$s$$',
    [[user], [user], 'title', 'title', user, [user]],
    [[user], 'title', 'title', 'title', 'title', [user]],
  ],
  [
    'drop table users; create table users (email text not null, id int primary key); insert into users values ($$ada@x$$, 1)',
    ['email', 'email', 'email', 'email', 'email', [user]],
    ['email', 'email', 'email', 'email', 'email', [user]],
  ],
]

for (const [migration, alone, many] of cases) {
  test(migration, async () => {
    const { db, url, done } = await openDatabase(schema)
    const client = new Client(url)
    await client.connect()
    try {
      const { functions } = await generated<Functions>(url, sql)
      // Prepared, in all of the ways.
      for (const batch of [false, true]) assert.equal(await answers(functions, db, batch), before)
      await client.query(migration)
      // Over client.query a statement that has become stale is an error once (0A000), and is not prepared from then on.
      if (plain) for (const batch of [false, true]) await answers(functions, db, batch)
      for (const _ of [1, 2]) {
        assert.equal(await answers(functions, db, false), alone)
        assert.equal(await answers(functions, db, true), many)
      }
    } finally {
      await client.end()
      await done()
    }
  })
}

test('many calls at once, of a statement that is described once for all', async () => {
  const { db, url, done } = await openDatabase(schema)
  const { functions } = await generated<Functions>(url, sql)
  const client = new Client(url)
  await client.connect()
  await client.query('alter table users add secret text')
  await client.end()
  const calls = Array.from({ length: 20 }, () => functions.withTitle!(db, { id: 1 }))
  const settled = await Promise.allSettled(calls)
  await done()
  const messages = settled.map((outcome) => outcome.status === 'rejected' && (outcome.reason as Error).message)
  assert.equal(
    [...new Set(messages)],
    [
      'column "secret" is not the one that the code was generated for: the statement gives id, email, secret, title ' +
        'instead of id, email, title; run `plainsql generate` and deploy in withTitle (sql/q.sql:6)',
    ],
  )
})

test('in memory as in PostgreSQL', async () => {
  const { url, done } = await openDatabase(schema)
  const { functions } = await generated<Functions>(url, sql)
  await done()
  const memory = await memoryDatabase({ schema })
  assert.equal(await answers(functions, memory, false), before)
  assert.equal(await answers(functions, memory, true), before)
  const other = await memoryDatabase({
    schema: schema
      .replace('id int primary key, email', 'id int primary key, name text, email')
      .replace("(1, 'ada@x')", "(1, 'a', 'ada@x')"),
  })
  assert.equal((await answers(functions, other, false)).slice(0, 2), ['name', 'name'])
})

test.run()
