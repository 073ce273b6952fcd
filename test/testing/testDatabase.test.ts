import { Client } from 'pg'
import { createDatabase, QueryError } from 'plainsql'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { ConfigError, memoryDatabase, testDatabase } from '../../lib/testing/index.ts'
import { countUsers, createUser } from '../../sql/users.sql.ts'
import { rowsOf } from './query.ts'

const ada = { email: 'ada@example.com', hashedPassword: 'h', fullName: 'Ada' }

test('each call answers a migrated database of its own', async () => {
  await using first = await testDatabase()
  await using second = await testDatabase()
  await createUser(first, ada)
  assert.is(await countUsers(first), 1)
  assert.is(await countUsers(second), 0)
  assert.is.not(first.url, second.url)
})

test('many at once share one template', async () => {
  const schema = `create table made_once (id int); -- ${Date.now()}`
  const databases = await Promise.all(Array.from({ length: 4 }, () => testDatabase({ schema })))
  for (const db of databases) assert.equal(await rowsOf('select id from made_once', 'int4')(db, {}), [])
  await Promise.all(databases.map((db) => db.close()))
})

test('the database is gone after close, whoever is still connected, and close may be called twice', async () => {
  const db = await testDatabase()
  const other = new Client(db.url)
  other.on('error', () => {})
  await other.connect()
  await Promise.all([db.close(), db.close()])
  await db.close()
  const error: { code?: string } = await new Client(db.url).connect().then(
    () => assert.unreachable(),
    (reason) => reason,
  )
  assert.is(error.code, '3D000')
  await other.end().catch(() => {})
})

test('its url connects another role, by a parameter', async () => {
  await using db = await testDatabase()
  const owner = new Client(db.url)
  await owner.connect()
  // Roles are the whole server's.
  const role = `other_${process.pid}`
  await owner.query(`create role ${role} login password 'secret'`)
  try {
    const url = new URL(db.url)
    url.searchParams.set('user', role)
    await using other = createDatabase({ url: url.href, password: 'secret' })
    assert.equal(await rowsOf('select current_user::text as name', 'text')(other, {}), [[role]])
  } finally {
    await owner.query(`drop role ${role}`)
    await owner.end()
  }
})

test('an error in the schema names its place, and leaves no template behind', async () => {
  const schema = 'create table a (id int);\n\ncreate table b (id integr);'
  for (const _ of [1, 2]) {
    const error = await testDatabase({ schema }).catch((reason: unknown) => reason)
    assert.instance(error, QueryError)
    assert.is((error as QueryError).source, 'options.schema[0]:3')
    assert.is((error as QueryError).sqlState, '42704')
  }
})

for (const [what, options, message] of [
  ['a folder', { migrations: 'nope' }, /^there is no folder nope \(\//],
  ['a file', { schema: 'nope.sql' }, /^there is no schema file nope\.sql \(\//],
] as const) {
  test(`${what} that is not there is named, with where it was looked for`, async () => {
    for (const make of [testDatabase, memoryDatabase]) {
      const error = await make(options).catch((reason: unknown) => reason)
      assert.instance(error, ConfigError)
      assert.match((error as Error).message, message)
    }
  })
}

test.run()
