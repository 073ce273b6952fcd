// Which statements have columns of a `*` in their result, whose names the generated code then has.

import { Client } from 'pg'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { describeStatements } from '../../lib/compile/describe.ts'
import { hasStar } from '../../lib/compile/stars.ts'
import { freshDatabase } from '../support/server.ts'

const stars = [
  'select * from t',
  'select*from t',
  'select t.* from t',
  'select id, s.t.* from s.t',
  'select id, * from t',
  'select *, id * 2 from t',
  'select all * from t',
  'select distinct * from t',
  'select distinct on (id) * from t',
  'select (t).* from t',
  'select * from (select id from t) x',
  '(select * from t)',
  '(select * from t) order by 1 limit 1',
  'with x as (select id from t) select * from x',
  'with x as (select id from t) (select * from x)',
  'select id, n from t union all select * from t',
  '(select id, n from t) except ((select * from t))',
  'table t',
  'with x as (select id from t) table x',
  'select id, n from t union table t',
  'insert into t values (1) returning *',
  'update t set n = n * 2 returning t.*',
  'delete from t returning id, *',
  'merge into t using t u on t.id = u.id when matched then delete returning *',
]

const none = [
  'select id from t',
  'select count(*) from t',
  'select id * n from t',
  'select (id) * n, (id) * (n) from t',
  'select id from t order by id * n',
  'select id from (select * from t) x',
  'select id from t where id in (select id * 2 from (select * from t) x)',
  'select array(select id from (select * from t) x)',
  'select exists (select * from t)',
  'with x as (select * from t) select id from x',
  'with x as (delete from t returning *) select id from x',
  'select id from t where exists (table t)',
  'select \'*\', id as "*" from t /* * */',
  'insert into t select * from t returning id',
  'insert into t select * from t',
  'update t set n = (select n from (select * from t) x limit 1) returning id * n, (select count(*) from t)',
]

test('stars of the result', async () => {
  const database = await freshDatabase(
    'create table t (id int primary key, n int); create schema s; create table s.t (id int)',
  )
  const client = new Client({ connectionString: database.url, pipeline: true })
  await client.connect()
  const statements = [...stars, ...none]
  const answers = await describeStatements(client, statements)
  await client.end()
  await database.drop()
  const found = statements.filter((sql, at) => {
    const answer = answers[at]!
    if ('error' in answer) throw answer.error
    return hasStar({ sql, tree: answer.tree })
  })
  assert.equal(found, stars)
})

test.run()
