// What parameters accept, as a table: a query, and its parameters with `?` where they may be NULL, and the column whose
// type they follow; `[]` stands for a column that the elements of an array are compared with.

import pg from 'pg'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { loadCatalog, loadDefinitions } from '../../lib/compile/catalog.ts'
import { describeStatements } from '../../lib/compile/describe.ts'
import { analyzeParams } from '../../lib/compile/nullability.ts'
import { freshDatabase } from '../support/server.ts'

const schema = `
  create domain required as text not null;
  create table u (id int generated always as identity primary key, email text not null, name text, age int, req required);
  create table p (id int primary key, u_id int not null, note text, check (note is not null));
  create table defaults (a int not null default 1, b text default 'x');
  create view writable as select id as key, email as mail, name from u where age > 1;
`

const table: readonly (readonly [sql: string, params: string])[] = [
  // Targets.
  ['insert into u (email, name) values ($1, $2)', '$1 u.email, $2? u.name'],
  ['insert into u (email, name) values ($1, $2), ($3, null)', '$1 u.email, $2? u.name, $3 u.email'],
  ['insert into u (email, name) select $1, $2', '$1 u.email, $2? u.name'],
  ['insert into u (email, name) select $1, $2 where not exists (select from p)', '$1 u.email, $2? u.name'],
  ['insert into u (email, name) select $1, x.n from (select $2::text as n) x', '$1 u.email, $2? u.name'],
  ['with x as (select $1::text as n) insert into u (email, name) select n, n from x', '$1'],
  ["with x as (select $1::text as n) insert into u (email, name) select 'a', n from x", '$1? u.name'],
  ['insert into u (email, req) values (lower($1), $2)', '$1, $2 u.req'],
  ['insert into u (email, age) values ($1::varchar, $2::text::int)', '$1 u.email, $2? u.age'],
  ['insert into p values ($1, $2, $3)', '$1 p.id, $2 p.u_id, $3 p.note'],
  ['insert into defaults values ($1, $2)', '$1 defaults.a, $2? defaults.b'],
  ['insert into defaults (a) values (coalesce($1, 1))', '$1? defaults.a'],
  ['insert into writable (mail, name) values ($1, $2)', '$1 u.email, $2? u.name'],
  ["insert into u (email, name) values ($1, nullif($2, ''))", '$1 u.email, $2? u.name'],
  [
    'insert into p values ($1, $2, $3) on conflict (id) do update set note = $4, u_id = $5',
    '$1 p.id, $2 p.u_id, $3 p.note, $4 p.note, $5 p.u_id',
  ],
  ['update u set email = $1, name = $2 where id = $3', '$1 u.email, $2? u.name, $3 u.id'],
  ['update u set name = case when age > 1 then $1 else name end', '$1? u.name'],
  ['update u set (email, name) = ($1, $2)', '$1 u.email, $2? u.name'],
  [
    'update u set name = coalesce($1, name), email = coalesce($2, email) where id = $3',
    '$1? u.name, $2? u.email, $3 u.id',
  ],
  ['update u set age = age + $1', '$1'],
  ['merge into u using p on u.id = $1 when matched then update set name = $2', '$1 u.id, $2? u.name'],
  // The same parameter twice: what refuses NULL decides.
  ['update u set name = $1, email = $1', '$1'],
  ['update u set name = $1 where name = $1', '$1 u.name'],
  ['insert into u (email, name) values ($1, $1)', '$1'],
  // Comparisons.
  ['select * from u where email = $1 and age > $2', '$1 u.email, $2 u.age'],
  ['select * from u where $1 = name or name like $2', '$1 u.name, $2 u.name'],
  ['select * from u where id = any ($1)', '$1 u.id[]'],
  ['select * from u where name is not distinct from $1', '$1? u.name'],
  ['select * from u where age is distinct from $1', '$1? u.age'],
  ['select * from u where $1::int is null or age = $1', '$1? u.age'],
  ['select * from u where age = coalesce($1, age)', '$1? u.age'],
  ['select * from u where id in ($1, $2)', '$1, $2'],
  ['select * from u where age between $1 and $2', '$1 u.age, $2 u.age'],
  ['select * from (select email as mail from u) x where mail = $1', '$1 u.email'],
  ['select * from u join p on p.u_id = u.id and p.note = $1', '$1 p.note'],
  ['select * from u where exists (select from p where p.u_id = u.id and p.note = $1)', '$1 p.note'],
  ['delete from u where id = $1', '$1 u.id'],
  // Nothing is known.
  ['select $1::text', '$1'],
  ['select * from u limit $1 offset $2', '$1, $2'],
  ['select lower($1), concat($2::text)', '$1, $2'],
]

const database = await freshDatabase(schema)
const client = new pg.Client({ connectionString: database.url, pipeline: true })
await client.connect()
const catalog = await loadCatalog(client)
const answers = await describeStatements(
  client,
  table.map(([sql]) => sql),
)
await loadDefinitions(
  client,
  catalog,
  answers.flatMap((answer) => ('error' in answer ? [] : [answer.tree])),
)

for (const [index, [sql, expected]] of table.entries()) {
  test(sql, () => {
    const answer = answers[index]!
    if ('error' in answer) throw new Error(answer.error.message)
    const params = analyzeParams({ ...answer, params: [] }, catalog).map((param, position) => {
      const { nullability, origin, elementOrigin } = param
      const followed = origin ? ` ${origin.table}.${origin.column}` : ''
      const elements = elementOrigin ? ` ${elementOrigin.table}.${elementOrigin.column}[]` : ''
      return `$${position + 1}${nullability.nullable ? '?' : ''}${followed}${elements}`
    })
    assert.is(params.join(', '), expected)
  })
}

test.after(async () => {
  await client.end()
  await database.drop()
})

test.run()
