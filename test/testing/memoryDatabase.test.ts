import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { DatabaseClosedError, PlainsqlError, UniqueViolationError } from 'plainsql'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { createEngine } from '../../lib/testing/engine.ts'
import { memoryDatabase, testDatabase, UnsupportedInMemoryError } from '../../lib/testing/index.ts'
import { openUnits, Store } from '../../lib/testing/store.ts'
import { countUsers, createUser, getUser } from '../../sql/users.sql.ts'
import { typescriptFlags } from '../support/nodeFlags.ts'
import { settled } from './blog.ts'
import { rowsOf } from './query.ts'

const ada = { email: 'ada@example.com', hashedPassword: 'h', fullName: 'Ada' }
const bob = { email: 'bob@example.com', hashedPassword: 'h', fullName: 'Bob' }

const rejection = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    (value) => assert.unreachable(`resolved to ${JSON.stringify(value)}`),
    (reason: unknown) => reason,
  )

test('snapshots are restored any number of times, sequences included', async () => {
  const db = await memoryDatabase()
  await createUser(db, ada)
  const snapshot = db.snapshot()
  for (const _ of [1, 2]) {
    assert.is((await createUser(db, bob)).id, 2)
    db.restore(snapshot)
    assert.is(await countUsers(db), 1)
  }
  db.restore()
  assert.is(await countUsers(db), 0)
  assert.is((await createUser(db, bob)).id, 1)
})

test('restore refuses to pull the data from under a unit of work, and strange snapshots', async () => {
  const [db, other] = [await memoryDatabase(), await memoryDatabase()]
  await db.unitOfWork(async (uow) => {
    await createUser(uow, ada)
    assert.throws(() => db.restore(), /a unit of work is still open: await it before restore\(\)/)
  })
  assert.throws(
    () => db.restore(other.snapshot()),
    (error: unknown) => error instanceof PlainsqlError,
  )
})

test('rows are copies: changing them changes nothing', async () => {
  const db = await memoryDatabase({ schema: `create table t (j jsonb); insert into t values ('{"a": [1]}')` })
  const query = rowsOf('select j from t', 'json')
  const [[document]] = (await query(db, {})) as [[{ a: number[] }]]
  document.a.push(2)
  assert.equal(await query(db, {}), [[{ a: [1] }]])
})

test('a closed database refuses work', async () => {
  const db = await memoryDatabase()
  await db.close()
  await db.close()
  assert.instance(await rejection(getUser(db, { id: 1 })), DatabaseClosedError)
})

test('constraints have the names that PostgreSQL gives them', async () => {
  const schema = `
    create table a_table_with_a_name_of_more_than_thirty_characters (id int primary key, and_such_a_column_of_many_more_characters int unique);
    create table p (id int primary key, n int check (n > 0), m int, unique (n, m), unique (m, n), check (n < m), check (n > 1));
    alter table p rename to q;
    alter table q add column e text unique;
    alter table q add constraint named unique (e, m);
    create unique index on q (lower(e));
    create unique index on q (m) where n is null;`
  await using postgres = await testDatabase({ schema })
  const memory = await memoryDatabase({ schema })
  const long = 'a_table_with_a_name_of_more_than_thirty_characters'
  for (const sql of [
    `insert into ${long} values (1, 1), (1, 2)`,
    `insert into ${long} values (1, 1), (2, 1)`,
    'insert into q values (1, 2, 3), (2, 2, 3)',
    'insert into q values (1, 0, 3)',
    'insert into q values (1, 5, 3)',
    'insert into q values (1, 1, 3)',
    "insert into q values (1, 2, 3, 'e'), (2, 2, 4, 'e')",
    "insert into q values (1, 2, 3, 'e'), (2, 2, 4, 'E')",
    'insert into q (id, m) values (1, 3), (2, 3)',
  ]) {
    const query = rowsOf(sql, '')
    assert.equal(await settled(query(memory, {})), await settled(query(postgres, {})), sql)
  }
})

test('a schema that pg-mem cannot have is refused with its place', async () => {
  for (const [schema, place, feature] of [
    ['create table a (id int);\n\ncreate table b (c char(3))', 3, /the type char/],
    [
      'create function f() returns int language plpgsql as $$ begin return 1; end $$',
      1,
      /"create function" in a schema/,
    ],
    ['create table a (id int primary key references a (id) on update cascade)', 1, /ON UPDATE CASCADE/],
    ['create table a (x int, y int generated always as (x + 1) stored)', 1, /expression in "add generated"/],
    ['create table a (x int);\nalter table a rename column x to y', 2, /rename column/],
    ['create domain d as int', 1, /its syntax/],
    [
      'create extension if not exists citext with schema public cascade;\ncreate table t (c citext)',
      2,
      /the type citext/,
    ],
    ['create extension "uuid-ossp";\ncreate table t (id uuid default uuid_generate_v4())', 2, /uuid_generate_v4\(\)/],
    ['create type pair as (a int, b int)', 1, /"create composite type" in a schema/],
    ['create table t (r int4range)', 1, /the type int4range/],
    ['create table t (id int) partition by range (id)', 1, /its syntax/],
    ['create sequence s', 1, /"create sequence" in a schema/],
    ['create schema app', 1, /"create schema" in a schema/],
    ['create materialized view v as select 1', 1, /"create materialized view" in a schema/],
  ] as const) {
    const error = (await rejection(memoryDatabase({ schema }))) as UnsupportedInMemoryError
    assert.instance(error, UnsupportedInMemoryError)
    assert.is(error.source, `options.schema[0]:${place}`)
    assert.match(error.feature, feature)
  }
})

test('only the Up sections of migrations are run, in order, and schema files after them', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'plainsql-memory-'))
  try {
    await writeFile(
      join(folder, '10_b.sql'),
      '-- Up Migration\ninsert into t values (1);\n-- Down Migration\ndrop table t;',
    )
    await writeFile(
      join(folder, '2_a.sql'),
      "-- Up Migration\ncreate table t (id int primary key); comment on table t is 'a;b';",
    )
    const [seeds, broken] = [join(folder, '..', `${Date.now()}.sql`), `\n\ninsert into t values (1)`]
    await writeFile(seeds, 'insert into t values (2);')
    const db = await memoryDatabase({ migrations: folder, schema: [seeds, 'insert into t values (3)'] })
    await rm(seeds)
    assert.equal(await rowsOf('select id from t order by id', 'int4')(db, {}), [[1], [2], [3]])
    const error = (await rejection(memoryDatabase({ migrations: folder, schema: broken }))) as UniqueViolationError
    assert.instance(error, UniqueViolationError)
    assert.is(error.source, 'options.schema[0]:3')
  } finally {
    await rm(folder, { recursive: true })
  }
})

test('views, enums and uuids, and an extension that nothing needs', async () => {
  const schema = `
    create extension if not exists pgcrypto;
    create type mood as enum ('sad', 'ok');
    create table t (id uuid primary key default gen_random_uuid(), m mood not null default 'ok', a int);
    create view calm as select id, a from t where m = 'ok' and not (a = 1 and m = 'sad');`
  const db = await memoryDatabase({ schema })
  await rowsOf('insert into t (a) values (1), (2)', '')(db, {})
  await rowsOf('insert into t (m) values ($1)', '', [['mood', 'sad']])(db, {})
  assert.equal(await rowsOf('select a from calm order by a', 'int4?')(db, {}), [[1], [2]])
  const found = (await rowsOf('select id from t', 'text')(db, {})) as [string][]
  assert.is(new Set(found.flat()).size, 3)
})

test('a writer that waits for the unit it is inside of is refused at once', async () => {
  const engine = await createEngine()
  const store = new Store(engine.state(), 60_000)
  const unit = {}
  await store.lock(unit, null)
  const error = await openUnits.run([unit], () =>
    rejection(store.lock({}, { name: 'createUser', source: 'sql/users.sql:1' })),
  )
  assert.instance(error, UnsupportedInMemoryError)
  assert.match((error as Error).message, /pass the unit instead of the database\) in createUser \(sql\/users\.sql:1\)/)
})

test('so is a write outside of the unit that was asked for inside of it', async () => {
  const db = await memoryDatabase()
  const outside = db.with({ outsideUnit: true })
  const error = await rejection(
    db.unitOfWork(async (uow) => {
      await createUser(uow, ada)
      await createUser(outside, bob)
    }),
  )
  assert.instance(error, UnsupportedInMemoryError)
  assert.is(await countUsers(db), 0)
})

test('a writer that waits too long is refused, and those behind it go on', async () => {
  const engine = await createEngine()
  const store = new Store(engine.state(), 1)
  const [first, second] = [{}, {}]
  await store.lock(first, null)
  assert.match(((await rejection(store.lock(second, null))) as Error).message, /waited for 1 ms/)
  const third = store.lock(second, null)
  store.unlock(first)
  await third
})

test('statements of a unit run in call order, even if one of them waits', async () => {
  const db = await memoryDatabase()
  const other = db.unitOfWork(async (uow) => {
    await createUser(uow, ada)
    await new Promise((resolve) => setImmediate(resolve))
  })
  const counted = await db.unitOfWork(async (uow) => {
    const [, count] = await Promise.all([createUser(uow, bob), countUsers(uow)])
    return count
  })
  await other
  assert.is(counted, 2)
})

test('without pg-mem the error says how to get it', async () => {
  const hook = `export const resolve = (name, context, next) => {
    if (name === 'pg-mem') throw new Error('Cannot find package')
    return next(name, context)
  }`
  const url = (code: string) => `data:text/javascript,${encodeURIComponent(code)}`
  const register = `import { register } from 'node:module'; register(${JSON.stringify(url(hook))})`
  const code = `import { memoryDatabase } from './lib/testing/index.ts'; await memoryDatabase().catch((e) => console.log(e.message))`
  const args = [...typescriptFlags, '--import', url(register), '--input-type=module', '--eval', code]
  const { stdout } = await promisify(execFile)(process.execPath, args)
  assert.is(stdout, 'memoryDatabase() runs on pg-mem, which could not be loaded: npm i -D pg-mem\n')
})

test.run()
