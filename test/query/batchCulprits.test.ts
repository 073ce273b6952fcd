// timeout: 120
// Which input PostgreSQL's errors are traced to: what it says of a table with all kinds of constraints, and, over random
// inputs, that no input is named which is not to blame.

import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { createDatabase, type Database } from '../../lib/database/database.ts'
import { QueryError } from '../../lib/errors.ts'
import { type AnyFunction, generated } from '../support/generated.ts'
import { freshDatabase, type TestDatabase } from '../support/server.ts'
import { failure } from './blog.ts'

const schema = `
create extension citext;
create domain amount as numeric(12, 2) check (value >= 0);
create domain fee as amount;
create table audit (id integer, name text unique);
create table people (
  id integer primary key,
  name varchar(6),
  mail citext unique,
  age integer check (age between 0 and 99),
  boss integer references people,
  token uuid unique,
  note text not null check (note <> 'bad' and length(note) < 66),
  score numeric check (score < 100),
  fee fee
);
create table badges (person integer not null references people, code text, unique (code, person));
create table letters (mail citext not null references people (mail) on update restrict);
create table desks (id integer primary key, person integer not null references people on delete cascade);
create table lamps (desk integer not null references desks);
create table guarded (id integer primary key, note text check (note <> 'bad'));

create function log_person() returns trigger language plpgsql as
  $$ begin insert into audit values (new.id, new.name); return null; end $$;
create trigger log after insert on people for each row when (new.name like 'log%') execute function log_person();
create function change_row() returns trigger language plpgsql as
  $$ begin new.note := translate(new.note, 'XYZ', 'bad'); return new; end $$;
create trigger change before insert on guarded for each row execute function change_row();

insert into people (id, name, mail, token, age, note)
select n, 'n' || n, 'm' || n, ('0000000' || n || '-0000-4000-8000-00000000000a')::uuid, 5 - n, 'x'
from generate_series(1, 4) n;
insert into badges values (1, 'a'), (2, 'b'), (1, 'c, d');
insert into letters values ('m1');
insert into desks values (3, 4);
insert into lamps values (3);
insert into audit values (0, 'log1')`

const sql = `
-- name: add :exec
insert into people (id, name, mail, age, boss, token, note)
values (:id, :name?, :mail?, :age?, :boss?, :token?, :note?);
-- name: addReturning :one
insert into people (id, mail, note, score) values (:id, :mail?, :note?, :score?) returning id;
-- name: pay :exec
update people set fee = :fee where id = :id;
-- name: addChanged :exec
insert into people (id, name, mail, age, note) values (:id + 1, upper(:name), lower(:mail), -(:age)::integer, :note);
-- name: put :one
insert into people (id, mail, age, note) values (:id, :mail, :age, :note)
on conflict (id) do update set mail = excluded.mail, age = people.age + :age, note = people.note returning id;
-- name: change :opt
update people set mail = :mail, age = :age, note = :note?, boss = :boss? where id = :id returning id;
-- name: grow :exec
update people set age = age + :by where id = :id;
-- name: changeMail :exec
update people set mail = :mail where id = :id;
-- name: drop :exec
delete from people where id = :id;
-- name: dropByAge :exec
delete from people where age = :age;
-- name: giveBadge :exec
insert into badges (person, code) values (:person, :code);
-- name: guard :exec
insert into guarded (id, note) values (:id, :note);
-- name: addGuarded :exec
insert into guarded (id, note) values (:id, (select min(name) from people where name::integer > 0 and note <> :note));`

let database: TestDatabase
let db: Database
let own: Record<string, AnyFunction>

test.before(async () => {
  database = await freshDatabase(schema)
  db = createDatabase({ url: database.url })
  own = (await generated(database.url, sql)).functions
})

test.after(async () => {
  await db.close()
  await database.drop()
})

const uuid = (digit: number): string => `0000000${digit}-0000-4000-8000-00000000000A`
const person = { name: null, mail: null, age: null, boss: null, token: null, note: 'x' }
const people = [10, 11, 12].map((id) => ({ ...person, id, age: id, mail: `new${id}`, token: uuid(id - 3) }))

/** The people, of whom the second is different. */
function but(second: object): Record<string, unknown>[] {
  return people.map((one, at) => ({ ...one, ...(at === 1 && second) }))
}

/** Inputs by their values. */
function list(names: readonly string[], ...values: readonly unknown[][]): Record<string, unknown>[] {
  return values.map((row) => Object.fromEntries(names.map((name, at) => [name, row[at]])))
}

const changes = ['id', 'mail', 'age', 'note', 'boss']
const badge = ['person', 'code']
const guarded = ['id', 'note']
const stored = ['id', 'mail', 'age', 'note']
const scored = ['id', 'mail', 'note', 'score']
const named = ['id', 'name', 'mail', 'age', 'note']

const table: readonly (readonly [
  what: string,
  name: string,
  inputs: Record<string, unknown>[],
  place: number | null,
])[] = [
  ['a key that is there', 'add', but({ mail: 'm1' }), 1],
  ['a uuid that is there', 'add', but({ token: `{${uuid(1)}}` }), 1],
  ['a key of two columns', 'giveBadge', list(badge, [1, 'b'], [1, 'a']), 1],
  ['a reference that leads nowhere', 'add', but({ boss: 99 }), 1],
  ['what CHECK refuses', 'add', but({ age: -1 }), 1],
  ['what CHECK refuses, in a long row', 'add', but({ note: 'é'.repeat(80) }), 1],
  ['what CHECK refuses of an upsert', 'put', but({ note: 'bad' }), 1],
  ['what CHECK refuses of an upsert that updates', 'put', list(stored, [7, 'a', 1, 'x'], [1, 'b', 97, 'y']), 1],
  ['what CHECK refuses of an update', 'change', list(changes, [1, 'a', 1, 'x', null], [2, 'b', -1, 'x', null]), 1],
  ['NULL where there must be something', 'add', but({ note: null }), 1],
  ['NULL in an update', 'change', list(changes, [1, 'a', 1, 'x', null], [2, 'b', 1, null, null]), 1],
  ['a row that is referred to', 'drop', list(['id'], [4], [2]), 1],
  ['a text that is no uuid', 'add', but({ token: 'new10' }), 1],
  ["a text that is not of a domain's type", 'pay', list(['id', 'fee'], [1, '2'], [2, '1,50']), 1],
  // Which of the two is refused depends on whether the key was there before.
  ['a key that two inputs have', 'add', but({ mail: 'new10' }), null],
  [
    'a row that could be of two inputs',
    'addReturning',
    list(scored, [12, null, 'bad', '13'], [13, null, 'bad', '12']),
    null,
  ],
  ['a reference that two inputs have', 'giveBadge', list(badge, [9, 'a'], [9, 'b']), null],
  ['a key with a comma in it', 'giveBadge', list(badge, [1, 'c, d'], [1, 'x']), null],
  ['a key that a function has made', 'addChanged', list(named, [8, 'a', 'M1', -1, 'x'], [9, 'm1', 'b', -1, 'x']), null],
  ['a row that is referred to, by its other columns', 'dropByAge', list(['age'], [4], [1]), null],
  ['a key that was referred to', 'changeMail', list(['id', 'mail'], [3, 'm1'], [1, 'new']), null],
  ['a row that went with another one, and is referred to', 'drop', list(['id'], [3], [4]), null],
  ['a row of another table', 'add', but({ name: 'log1' }), null],
  ['a row that a trigger has changed', 'guard', list(guarded, [1, 'XYZ'], [2, 'x']), null],
  ['a text that is in the table', 'addGuarded', list(guarded, [1, 'n1'], [2, 'x']), null],
]

for (const [what, name, inputs, place] of table) {
  test(`${what} ⇒ ${place === null ? 'no input' : `input [${place}]`}`, async () => {
    const error = (await failure(own[name]!.batch(db, inputs))) as QueryError
    assert.instance(error, QueryError)
    assert.equal(error.input, place === null ? null : { index: place, params: inputs[place] }, String(error.detail))
  })
}

const id = fc.integer({ min: 1, max: 9 })
const mail = fc.integer({ min: 1, max: 9 }).map((digit) => (digit > 6 ? `M${digit}` : `m${digit}`))
const values: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  id,
  person: id,
  boss: fc.option(id),
  by: fc.integer({ min: -4, max: 4 }),
  age: fc.constantFrom(-1, 0, 1, 2, 3, 4, 5, 96, 97),
  mail,
  name: fc.constantFrom('1', 'm1', 'M2', 'a  ', 'log1', 'null'),
  token: fc.option(id.map((digit) => (digit > 5 ? uuid(digit) : uuid(digit).toLowerCase()))),
  note: fc.constantFrom('bad', 'XYZ', 'x', '1', 'm1', '2, 3', 'null', 'é'.repeat(70), 'n'.repeat(70), ''),
  score: fc.constantFrom('1', '1.0', '100', '3'),
  fee: fc.constantFrom('1', '1.005', 'x', '', '-1', '99999999999'),
  code: fc.constantFrom('a', 'b', 'a, 1', '1'),
}

/** How many batches fail with an input, at least: those that never do are about what cannot be known. */
const fewest: Readonly<Record<string, number>> = { dropByAge: 0, guard: 0, addGuarded: 0 }

const rollback = new Error('rolled back')

test('no input is named without which PostgreSQL would have said the same', async () => {
  for (const [name, call] of Object.entries(own)) {
    const fields = Object.fromEntries(
      (call.query.params ?? []).map((param) => [param, values[param] ?? fc.constant(1)]),
    )
    let named = 0
    const errorOf = async (inputs: Record<string, unknown>[]): Promise<QueryError | null> => {
      const error = await failure(
        db.unitOfWork(async (uow) => {
          await call.batch(uow, inputs)
          throw rollback
        }),
      )
      if (error !== rollback) assert.instance(error, QueryError)
      return error === rollback ? null : (error as QueryError)
    }
    // All of them in one statement.
    const { apart = call.query.params?.keys() ?? [] } = call.query.batch ?? {}
    const meant = [...apart].map((number) => call.query.params?.[number] ?? '')
    const lists = fc.uniqueArray(fc.record(fields), {
      minLength: 2,
      maxLength: 4,
      selector: (input) => JSON.stringify(meant.map((param) => input[param])),
    })
    const property = fc.asyncProperty(lists, async (inputs) => {
      const error = await errorOf(inputs)
      const index = error?.input?.index
      if (error === null || index === undefined) return
      named++
      const without = await errorOf(inputs.filter((_, at) => at !== index))
      const said = ({ sqlState, serverError, detail }: QueryError) => [sqlState, serverError.message, detail]
      if (without !== null) assert.not.equal(said(without), said(error), `${name}: ${index}`)
    })
    await fc.assert(property, { numRuns: 80, seed: 3 })
    assert.ok(named >= (fewest[name] ?? 5), `${name}: ${named} were named`)
  }
})

test.run()
