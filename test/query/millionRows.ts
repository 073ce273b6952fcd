// A million rows in one call, in a process whose heap has little more room than for the rows themselves.
// In: DATABASE_URL. Out: how many rows were written; the process dies if they are held more than once.

import { createDatabase, exec } from '../../lib/index.ts'

const create = exec<void>({
  name: 'create',
  source: 'million.sql:1',
  statement: 'create_million',
  sql: 'create table million (n int primary key, label text)',
})
// As `plainsql generate` writes it.
const insert = exec<{ n: number; label: string }>({
  name: 'insert',
  source: 'million.sql:3',
  statement: 'insert_million',
  sql: 'insert into million (n, label) values ($1, $2)',
  params: ['n', 'label'],
  write: (w, p) => {
    w.int4(p.n)
    w.text(p.label)
  },
  batch: {
    statement: 'insert_million_batch',
    sql: `insert into million (n, label) select input.p1, input.p2
from (select unnest($1::int4[]) as p1, unnest($2::text[]) as p2) as input`,
  },
})

const db = createDatabase({ url: process.env.DATABASE_URL })
await create(db)
console.log(
  await insert.batch(
    db,
    Array.from({ length: 1_000_000 }, (_, n) => ({ n, label: 'row' })),
  ),
)
await db.close()
