// What `echo` and `slowQueryMs` print, line by line.

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { createDatabase, type Database, type DatabaseOptions } from '../../lib/database/database.ts'
import type { QueryEvent } from '../../lib/events.ts'
import { freshDatabase, type TestDatabase } from '../support/server.ts'
import { command, failure, number, rows, sleep } from './support.ts'

const test = suite('log')

let fresh: TestDatabase
test.before(async () => {
  fresh = await freshDatabase('create table t (n int primary key); insert into t values (1), (2), (3)')
})
test.after(() => fresh.drop())

const all = rows('select n from t', (r) => r.int4(0))
const insert = rows<{ n: number; text: string }, number>(
  'insert into t values ($1) returning length($2)',
  (r) => r.int4(0),
  (w, p) => {
    w.int4(p.n)
    w.text(p.text)
  },
)

/** The lines with times and numbers of transactions made equal. Connecting is waited for, so it is done before. */
async function printed(options: DatabaseOptions, run: (db: Database) => Promise<unknown>): Promise<string[]> {
  const lines: string[] = []
  await using db = createDatabase({ url: fresh.url, echo: (line) => lines.push(line), ...options })
  await Promise.all([all(db), db.unitOfWork((uow) => all(uow))])
  lines.length = 0
  await run(db)
  const first = Number(/^\[(\d+)/.exec(lines.find((line) => line.startsWith('[')) ?? '')?.[1])
  return lines.map((line) =>
    line
      .replace(/\d+(\.\d+)? ms/g, '? ms')
      .replace(/, \? ms of it waiting/, '')
      .replace(/^\[(\d+)/, (_, id) => `[#${Number(id) - first + 1}`),
  )
}

const at = ({ query }: { query: { name: string; source: string } }): string => `${query.name} (${query.source})`

test('a query: its name, place, rows and time', async () => {
  const lines = await printed({}, async (db) => {
    await all(db)
    await number('select 1')(db)
  })
  assert.is(lines[0], `${at(all)} 3 rows, ? ms`)
  assert.match(lines[1] ?? '', /^test\d+ \(sql\/test.sql:\d+\) 1 row, \? ms$/)
})

test('a query that failed says why, in one line and without values', async () => {
  const lines = await printed({}, async (db) => {
    await failure(insert(db, { n: 1, text: 'geheim' }))
  })
  assert.equal(lines, [
    `${at(insert)} failed: UniqueViolationError: duplicate key value violates unique constraint "t_pkey" [23505] ` +
      `in ${at(insert)}, ? ms`,
  ])
})

test('parameters are printed if asked for', async () => {
  const lines = await printed({ logParameters: true }, async (db) => {
    await failure(insert(db, { n: 1, text: 'geheim' }))
    await all(db)
  })
  assert.match(lines[0] ?? '', /, parameters \{"n":1,"text":"geheim"\}$/)
  assert.is(lines[1], `${at(all)} 3 rows, ? ms`)
})

test('parameters that are no JSON are printed as they are, and hurt nobody', async () => {
  const circular: Record<string, unknown> = { n: 'x' }
  circular.self = circular
  const lines = await printed({ logParameters: true }, async (db) => {
    await failure(insert(db, circular as never))
  })
  assert.match(lines[0] ?? '', "{ n: 'x', self: [Circular *1] }")
})

test('no line is made of what is not printed', async () => {
  let asked = 0
  const n = { toJSON: () => asked++ }
  await using db = createDatabase({ url: fresh.url, logParameters: true, slowQueryMs: 60_000 })
  await failure(insert(db, { n: n as never, text: 'x' }))
  assert.is(asked, 0)
})

test('units of work: BEGIN with its settings, COMMIT and ROLLBACK; a unit without a statement has none', async () => {
  const undo = new RangeError('undo')
  const lines = await printed({}, async (db) => {
    await db.unitOfWork((uow) => all(uow), { isolation: 'repeatable read', readOnly: true })
    await db.unitOfWork(async () => {})
    await failure(
      db.unitOfWork(async (uow) => {
        await all(uow)
        await all(uow)
        throw undo
      }),
    )
  })
  assert.equal(lines, [
    '[#1] BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY',
    `[#1] ${at(all)} 3 rows, ? ms`,
    '[#1] COMMIT after 1 statement, ? ms',
    '[#3] BEGIN',
    `[#3] ${at(all)} 3 rows, ? ms`,
    `[#3] ${at(all)} 3 rows, ? ms`,
    '[#3] ROLLBACK after 2 statements, ? ms, for RangeError: undo',
  ])
})

test('a retried unit counts its attempts', async () => {
  const conflict = command("do $$ begin raise exception using errcode = '40001'; end $$")
  const lines = await printed({}, async (db) => {
    let attempts = 0
    await db.unitOfWork(async (uow) => (++attempts === 1 ? conflict(uow) : all(uow)), { retry: { baseDelayMs: 1 } })
  })
  assert.equal(lines.slice(3), [
    '[#2, attempt 2] BEGIN',
    `[#2, attempt 2] ${at(all)} 3 rows, ? ms`,
    '[#2, attempt 2] COMMIT after 1 statement, ? ms',
  ])
})

test('slow queries are handed over, or warned of; quick ones are not', async () => {
  const slow = number('select 1 from pg_sleep(0.1)')
  const events: QueryEvent[] = []
  const lines = await printed({ echo: false, slowQueryMs: 90, onSlowQuery: (event) => events.push(event) }, slow)
  assert.equal(lines, [])
  assert.ok(events.some(({ query, durationMs }) => query === slow.query.name && durationMs >= 90))

  const warnings: string[] = []
  const { warn } = console
  console.warn = (line: string) => void warnings.push(line)
  try {
    await printed({ echo: false, slowQueryMs: 90 }, slow)
  } finally {
    console.warn = warn
  }
  const [warning = ''] = warnings.filter((line) => line.includes(slow.query.name))
  assert.match(warning, /^plainsql: slow query: test\d+ \(sql\/test\.sql:\d+\) 1 row, \d+ ms/)
})

test('true prints to stderr', async () => {
  const lines: string[] = []
  const { error } = console
  console.error = (line: string) => void lines.push(line)
  try {
    await using db = createDatabase({ url: fresh.url, echo: true })
    await all(db)
  } finally {
    console.error = error
  }
  assert.is(lines.length, 1)
  assert.match(lines[0] ?? '', /3 rows/)
})

test('an echo that throws does not hurt the query', async () => {
  const thrown: unknown[] = []
  const others = process.listeners('uncaughtException')
  process.removeAllListeners('uncaughtException')
  process.on('uncaughtException', (error) => void thrown.push(error.message))
  const echo = (): never => {
    throw new Error('echo')
  }
  try {
    await using db = createDatabase({ url: fresh.url, echo })
    assert.equal(await all(db), [1, 2, 3])
    await sleep(1)
  } finally {
    process.removeAllListeners('uncaughtException')
    for (const other of others) process.on('uncaughtException', other)
  }
  assert.equal(thrown, ['echo'])
})

test.run()
