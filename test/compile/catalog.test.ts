// The catalog of a database with a little of everything: what is read at once, and what only when a query mentions it.

import pg from 'pg'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { type Catalog, loadCatalog, loadDefinitions, type Relation } from '../../lib/compile/catalog.ts'
import { describeStatements } from '../../lib/compile/describe.ts'
import { freshDatabase } from '../support/server.ts'

const database = await freshDatabase(`
  create schema app;
  create type app.mood as enum ('sad', 'ok', 'happy');
  alter type app.mood add value 'so-so' before 'ok';
  create type pair as (a int, b text[]);
  create domain positive as int check (value > 0);
  create domain required as positive not null default 1;
  create domain checked as text check (value <> '' and value is not null);
  create type span as range (subtype = float8);
  create table app.users (
    id int generated always as identity primary key, email varchar(80) not null unique, name text default 'x',
    doubled int generated always as (id * 2) stored, mood app.mood, dropped int
  );
  alter table app.users drop column dropped;
  alter table app.users add late text;
  comment on table app.users is 'People';
  comment on column app.users.email is 'Where to write to';
  create unique index by_name on app.users (lower(name)) where mood is not null;
  create unique index covering on app.users (email) include (name);
  create table posts (
    id int primary key, author int not null references app.users, a int, b int,
    check (a is not null or b is not null), unique (a, b) deferrable
  );
  create table parts (id int) partition by range (id);
  create table part_one partition of parts for values from (1) to (9);
  create function noop() returns trigger language plpgsql as 'begin return new; end';
  create trigger t before insert on posts for each row execute function noop();
  create view v as select id, upper(email) as mail from app.users;
  create view w as select mail from v;
  create function greet(name text, polite bool default true) returns text language sql as 'select $1';
`)
const client = new pg.Client({ connectionString: database.url, pipeline: true })
await client.connect()
const catalog = await loadCatalog(client)
const relation = (name: string, schema = 'public'): Relation => catalog.relationByName(name, schema)!

test('types are put together from their parts', () => {
  const { typeByName } = { typeByName: (name: string, schema?: string) => catalog.typeByName(name, schema)! }
  assert.equal(typeByName('mood', 'app').labels, ['sad', 'so-so', 'ok', 'happy'])
  assert.is(typeByName('_mood', 'app').element, typeByName('mood', 'app').oid)
  assert.is(typeByName('mood', 'app').array, typeByName('_mood', 'app').oid)
  assert.is(typeByName('int4').oid, 23)
  assert.is(typeByName('name').element, 0, 'a name can be subscripted, but is no array')
  assert.is(catalog.relations.get(typeByName('pair', 'public').relation)?.kind, 'composite type')
  assert.is(typeByName('span', 'public').rangeOf, typeByName('float8').oid)
  assert.is(typeByName('int4multirange').rangeOf, typeByName('int4range').oid)
  assert.equal(
    ['positive', 'required', 'checked'].map((name) => typeByName(name, 'public').notNull),
    [false, true, true],
  )
  assert.equal(
    ['positive', 'required'].map((name) => typeByName(name, 'public').hasDefault),
    [false, true],
  )
  assert.is(typeByName('required', 'public').base, typeByName('positive', 'public').oid)
})

test('a table: columns, comments, keys', () => {
  const users = relation('users', 'app')
  assert.is(users.comment, 'People')
  assert.equal(
    users.columns.map(({ number, name, notNull, identity, generated }) => [number, name, notNull, identity, generated]),
    [
      [1, 'id', true, 'always', null],
      [2, 'email', true, null, null],
      [3, 'name', false, null, null],
      [4, 'doubled', false, null, 'stored'],
      [5, 'mood', false, null, null],
      [7, 'late', false, null, null],
    ],
  )
  assert.is(users.columns[1]?.comment, 'Where to write to')
  assert.is(users.columns[1]?.modifier, 84)
  assert.is(users.columns[2]?.defaultTree?.tag, 'CONST')
  assert.equal(
    users.uniqueIndexes.map(({ name, primary, columns, predicate }) => [name, primary, columns, predicate !== null]),
    [
      ['users_pkey', true, [1], false],
      ['by_name', false, [0], true],
      ['covering', false, [2], false],
      ['users_email_key', false, [2], false],
    ],
  )
})

test('a table: constraints, triggers, partitions', () => {
  const posts = relation('posts')
  assert.equal(
    posts.checks.map(({ tree }) => tree.tag),
    ['BOOLEXPR'],
  )
  const [key] = posts.foreignKeys
  assert.equal([key?.columns, key?.target, key?.targetColumns], [[2], relation('users', 'app').oid, [1]])
  assert.equal(
    posts.uniqueIndexes.map(({ immediate }) => immediate),
    [true, false],
  )
  assert.is(posts.triggerTypes.length, 1)
  assert.equal(relation('parts').descendants, [relation('part_one').oid])
})

test('PostgreSQL’s own relations, functions, operators and views’ trees come with the queries that mention them', async () => {
  const fresh = await loadCatalog(client)
  const mentions = (of: Catalog): unknown[] => [
    of.relationByName('pg_class', 'pg_catalog')?.columns[1]?.name,
    of.relationByName('users_id_seq', 'app')?.kind,
    [...of.functions.values()].some(({ name }) => name === 'upper'),
    [...of.operators.values()].some(({ name }) => name === '~~'),
    of.viewTree(relation('w').oid)?.tag,
    of.viewTree(relation('v').oid)?.tag,
    [...of.functions.values()]
      .filter(({ oid }) => of.sqlBody(oid))
      .map(({ name, defaults }) => [name, defaults.length]),
  ]
  assert.equal(mentions(fresh), [undefined, undefined, false, false, undefined, undefined, []])

  const answers = await describeStatements(client, [
    "select relname from pg_class where relname like 'a%'",
    'select last_value from app.users_id_seq',
    "select mail, greet('x') from w",
  ])
  const trees = answers.map((answer) => ('error' in answer ? null : answer.tree))
  await loadDefinitions(client, fresh, trees)
  assert.equal(mentions(fresh), ['relname', 'sequence', true, true, 'QUERY', 'QUERY', [['greet', 1]]])

  let asked = 0
  const count = (): number => asked++
  client.connection.on('readyForQuery', count)
  await loadDefinitions(client, fresh, trees)
  client.connection.off('readyForQuery', count)
  assert.is(asked, 0, 'what is loaded is not asked for again')
})

test.after(async () => {
  await client.end()
  await database.drop()
})

test.run()
