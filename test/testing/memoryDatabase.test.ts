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

test('what a schema has that cannot be had is refused where it is used, with its place', async () => {
  for (const [schema, sql, refusal] of [
    ['create table a (id int);\n\ncreate table b (c char(3))', 'select id from a', null],
    [
      'create table a (id int);\n\ncreate table b (c char(3))',
      'select c from b',
      '"b", because of the type char (…:3)',
    ],
    ['create domain d as int; create table t (n d)', 'delete from t', '"t", because of the type d (…:1)'],
    ['create type pair as (a int, b int); create table t (p pair)', 'select p from t', '"t", because of the type pair'],
    ['create table t (id int) partition by range (id)', 'select id from t', '"t", because of its syntax'],
    [
      'create table t (r int4range); create view v as select r from t',
      'select r from v',
      '"v", because of "t", because of',
    ],
    [
      'create table t (c inet primary key, r int4range);\ncreate table u (c inet references t (c))',
      'select c from u',
      '"u", because of "t"',
    ],
    ['create table t (r int4range); alter table t rename to u; create table t (id int)', 'select id from t', null],
    [
      'create table t (r int4range); alter table t rename to u',
      'select r from u',
      '"u", because of the type int4range',
    ],
    ['create table t (r int4range); drop table t; create table t (id int)', 'select id from t', null],
    [
      'create materialized view v as select 1 as n',
      'select n from v',
      '"v", because of "create materialized view" in a schema',
    ],
    ['create schema app; create table app.t (id int); create table t (id int)', 'select id from t', null],
    [
      'create schema app; create table app.t (id int)',
      'select id from app.t',
      '"app.t", because of tables outside of the schema "public"',
    ],
    [
      'create table t (x int, y int generated always as (x + 1) stored)',
      'select x from t',
      '"t", because of expression in "add generated"',
    ],
    [
      'create table t (x int);\nalter table t rename column x to y',
      'select y from t',
      '"t", because of "alter table … rename column" (…:2)',
    ],
    [
      'create table t (id int references t (id) on update cascade)',
      'select id from t',
      '"t", because of ON UPDATE CASCADE',
    ],
    [
      'create extension citext with schema public cascade;\ncreate table t (c citext)',
      'select c from t',
      '"t", because of the type citext (…:2)',
    ],
    [
      'create table t (id uuid default uuid_generate_v4())',
      'select id from t',
      '"t", because of the function uuid_generate_v4()',
    ],
    [
      'create table t (r int4range); insert into t values (null); create table u (id int)',
      'delete from u',
      'DELETE where tables that it cannot have were filled, and may refer to others',
    ],
    [
      'create table t (n int); insert into t values (1); update t set n = abs(n)',
      'select n from t',
      '"t", because of the function abs()',
    ],
    ['create table t (n int); update t set n = abs(n)', 'select n from t', null],
    ['create unique index on t (id) include (n)', 'insert into t values (1)', 'changes of "t", because of its syntax'],
    [`${triggered}`, 'select id from child', null],
    [`${triggered}`, 'insert into child (id) values (1)', 'changes of "child", because of its syntax'],
    [`${triggered}`, 'update child set id = 2', 'changes of "child", because of its syntax'],
    [`${triggered}`, 'insert into parent (id) values (1)', null],
    [`${triggered}`, 'delete from parent', 'changes of "child", because of its syntax'],
  ] as const) {
    const needed = schema.startsWith('create unique') ? `create table t (id int, n int); ${schema}` : schema
    const db = await memoryDatabase({ schema: needed })
    const error = await rowsOf(sql, '')(db, {}).then(
      () => null,
      (reason: unknown) => reason,
    )
    if (refusal === null) assert.is(error, null, sql)
    else {
      assert.instance(error, UnsupportedInMemoryError)
      const feature = (error as UnsupportedInMemoryError).feature.replaceAll('options.schema[0]', '…')
      assert.ok(feature.startsWith(refusal), feature)
    }
  }
})

const triggered = `
  create table parent (id int primary key);
  create table child (id int, parent_id int references parent (id) on delete cascade);
  create function f() returns trigger language plpgsql as $$ begin return null; end $$;
  create trigger changed before insert on child for each row execute function f()`

test('a schema of which nobody knows what is there without a statement is refused with its place', async () => {
  for (const [schema, place, feature] of [
    ['create table a (id int);\n\ndo $$ begin create table b (id int); end $$', 3, /"do" in a schema/],
    ['\ncreate rule r as on insert to a do nothing', 2, /its syntax/],
    ["select setval('s', 3)", 1, /setval/],
    ["create type mood as enum ('a'); alter type mood rename to m", 1, /rename|alter enum/],
  ] as const) {
    const error = (await rejection(memoryDatabase({ schema }))) as UnsupportedInMemoryError
    assert.instance(error, UnsupportedInMemoryError)
    assert.is(error.source, `options.schema[0]:${place}`)
    assert.match(error.feature, feature)
  }
})

test("pg_dump's schemas and those of other tools: settings, qualified names, quoted types, indexes by btree", async () => {
  const db = await memoryDatabase({
    schema: `
      SET statement_timeout = 0;
      SET client_encoding = 'UTF8';
      SELECT pg_catalog.set_config('search_path', '', false);
      CREATE TYPE "public"."mood" AS ENUM ('sad', 'ok');
      ALTER TYPE mood ADD VALUE 'great';
      CREATE TABLE public.t (id integer NOT NULL, m "public"."mood" DEFAULT 'ok'::public.mood, "fullName" text);
      ALTER TABLE ONLY public.t ADD CONSTRAINT t_pkey PRIMARY KEY (id);
      CREATE SEQUENCE public.t_id_seq AS integer START WITH 1 INCREMENT BY 1 NO MINVALUE NO MAXVALUE CACHE 1;
      ALTER SEQUENCE public.t_id_seq OWNED BY public.t.id;
      CREATE TABLE public.u (id bigint NOT NULL, t_id integer);
      ALTER TABLE public.u ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (SEQUENCE NAME public.u_id_seq START WITH 1
        INCREMENT BY 1 NO MINVALUE NO MAXVALUE CACHE 1);
      ALTER TABLE ONLY public.u ADD FOREIGN KEY (t_id) REFERENCES public.t(id);
      CREATE TABLE v (t_id integer REFERENCES t ON DELETE CASCADE, UNIQUE (t_id), FOREIGN KEY (t_id) REFERENCES "t");
      CREATE TABLE tree (name text NOT NULL, id integer PRIMARY KEY, parent_id integer REFERENCES tree);
      CREATE TABLE pairs (a int, b int, c int, d int, PRIMARY KEY (a, b), FOREIGN KEY (c, d) REFERENCES pairs);
      CREATE UNIQUE INDEX "t_m" ON "public"."t" USING btree ("m");
      ALTER TABLE ONLY public.t ALTER COLUMN id SET DEFAULT nextval('public.t_id_seq'::regclass);
      INSERT INTO public.t (m) VALUES ('sad'), ('great')`,
  })
  assert.equal(await rowsOf('insert into u (t_id) values (2), (1) returning id, t_id', 'int8 int4')(db, {}), [
    [1, 2],
    [2, 1],
  ])
  assert.equal(await rowsOf("select id from public.t where m > 'ok'", 'int4')(db, {}), [[2]])
  assert.is(
    ((await settled(rowsOf("insert into t values (3, 'sad')", '')(db, {}))) as { constraint: string }).constraint,
    't_m',
  )
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
