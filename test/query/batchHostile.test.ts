// batch does what the calls do one by one: random statements over random schemas that are as hard on the forms as can be
// (test/support/hostile). More of them: `HOSTILE_SEEDS=100-199 node … test/query/batchHostile.test.ts`.
// wire only: it is about what the statements mean

import pg from 'pg'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { describeStatements } from '../../lib/compile/describe.ts'
import { createDatabase, type Database } from '../../lib/database/database.ts'
import type { Executor } from '../../lib/query/executor.ts'
import { type AnyFunction, generated } from '../support/generated.ts'
import { type HostileStatement, hostile } from '../support/hostile/statements.ts'
import { inputOf } from '../support/hostile/types.ts'
import { Random } from '../support/random.ts'
import { freshDatabase } from '../support/server.ts'

const [from = 1, to = from] = (process.env.HOSTILE_SEEDS ?? '5-7').split('-').map(Number)
const statementsPerSeed = 120
const trialsPerStatement = process.env.HOSTILE_SEEDS ? 5 : 3

const counts = { statements: 0, withForm: 0, trials: 0, answered: 0, failed: 0, documented: 0 }

for (let seed = from; seed <= to; seed++) {
  test(`batch does what the calls do: seed ${seed}`, async () => {
    const random = new Random(seed)
    const { schema, statements } = hostile(random, statementsPerSeed)
    const database = await freshDatabase(schema)
    const db = createDatabase({ url: database.url })
    const found: string[] = []
    try {
      const functions = await functionsOf(database.url, statements)
      for (const [at, statement] of statements.entries()) {
        const call = functions[`q${at}`]
        if (call === undefined || statement.params.length === 0) continue
        counts.statements++
        if (call.query.batch === undefined) continue
        counts.withForm++
        for (let trial = 0; trial < trialsPerStatement; trial++) {
          const inputs = Array.from({ length: random.below(6) }, () => inputOf(random, statement.params))
          const difference = await differenceOf(db, functions, call, statement, inputs)
          if (difference !== null)
            found.push(`${statement.sql}\n${call.query.batch.sql}\n${show(inputs)}\n${difference}`)
        }
      }
    } finally {
      await db.close()
      await database.drop()
    }
    assert.is(found.join('\n\n'), '')
  })
}

test('half of the statements have a form, and it is asked for something', () => {
  console.log(counts)
  assert.ok(counts.withForm > counts.statements / 2)
  assert.ok(counts.answered > counts.trials / 5)
  assert.ok(counts.failed < counts.trials / 2)
})

/** The statements that PostgreSQL and the generator take, what is in all tables, and what makes sequences start again. */
async function functionsOf(url: string, statements: readonly HostileStatement[]): Promise<Record<string, AnyFunction>> {
  const { valid, helpers } = await onServer(url, async (client) => {
    const texts = statements.map(({ sql }) => sql.replace(/:a(\d+)/g, '$$$1'))
    const answers = await describeStatements(client, texts, { withTrees: false })
    const { rows } = await client.query<{ name: string }>(
      "select oid::regclass::text as name from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace",
    )
    const dumps = rows.map(({ name }) => `select '${name} ' || whole::text as row from only ${name} as whole`)
    return {
      valid: answers.flatMap((answer, at) => ('error' in answer ? [] : [at])),
      helpers: `-- name: everything :values\n${dumps.join('\nunion all ')};
-- name: restart :many\nselect setval(seqrelid::regclass, 1000501, false) from pg_sequence;\n`,
    }
  })
  for (let taken = valid; ; ) {
    const queries = taken.map((at) => `-- name: q${at} :${statements[at]?.kind}\n${statements[at]?.sql};\n`)
    try {
      return (await generated(url, helpers + queries.join('\n'))).functions
    } catch (error) {
      const refused = new Set([...(error as Error).message.matchAll(/\bin q(\d+)/g)].map(([, at]) => Number(at)))
      if (refused.size === 0) throw error
      taken = taken.filter((at) => !refused.has(at))
    }
  }
}

async function onServer<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url, pipeline: true })
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}

interface Outcome {
  readonly result?: unknown
  readonly everything?: unknown
  readonly error?: string
}

/** What is different between a loop and a batch; null if nothing is, or only what the docs say. */
async function differenceOf(
  db: Database,
  functions: Record<string, AnyFunction>,
  call: AnyFunction,
  { kind, sql, ordered }: HostileStatement,
  inputs: readonly Record<string, unknown>[],
): Promise<string | null> {
  const shown = (rows: unknown): unknown => (ordered ? rows : (rows as unknown[]).map(show).sort())
  const one = await outcomeOf(db, functions, async (uow) => {
    const results: unknown[] = []
    for (const input of inputs) results.push(await call(uow, input))
    return kind === 'exec' ? results.reduce((sum: number, count) => sum + Number(count), 0) : results.map(shown)
  })
  const many = await outcomeOf(db, functions, async (uow) => {
    const results = await call.batch(uow, inputs)
    return Array.isArray(results) ? results.map(shown) : results
  })
  counts.trials++
  if (one.error) counts.failed++
  else if (/[1-9a-z]/i.test(show(one.result))) counts.answered++
  // Which of several errors comes first is nobody's promise.
  if ((one.error && many.error) || show(one) === show(many)) return null
  if (!isDocumented(one.error, many.error, sql)) return `  loop  ${show(one)}\n  batch ${show(many)}`
  counts.documented++
  return null
}

/** "What is different from single calls" in docs/bulk-writes.md. */
function isDocumented(one: string | undefined, many: string | undefined, sql: string): boolean {
  if (one !== undefined) return /^(?:23503|23505)/.test(one)
  if (many === undefined) return false
  // Whether PostgreSQL can run a FULL JOIN without a column of each side depends on what it makes of the other conditions.
  return /^(?:27000|0A000 FULL JOIN)/.test(many) || (/^23505/.test(many) && /\bset\b/.test(sql))
}

const rollback = new Error('rolled back')

/** What came of it and everything that was there afterwards, or the error. Nothing stays. */
async function outcomeOf(
  db: Database,
  { everything, restart }: Record<string, AnyFunction>,
  work: (uow: Executor) => Promise<unknown>,
): Promise<Outcome> {
  let seen: Outcome = {}
  await db
    .unitOfWork(async (uow) => {
      await restart!(uow, undefined as never)
      const result = await work(uow)
      seen = { result, everything: ((await everything!(uow, undefined as never)) as string[]).sort() }
      throw rollback
    })
    .catch((error: Error & { sqlState?: string }) => {
      if (error !== rollback) seen = { error: `${error.sqlState ?? error.name} ${error.message.split('\n')[0]}` }
    })
  return seen
}

/** As text that tells −0 from 0. What sequences gave is numbered by size: an upsert draws numbers that nobody gets. */
function show(value: unknown): string {
  const text = JSON.stringify(value, (_, item) => {
    if (typeof item === 'bigint') return `${item}n`
    return Number.isNaN(item) || Object.is(item, -0) ? (Object.is(item, -0) ? '-0' : 'NaN') : item
  })
  const drawn = [...new Set(text?.match(/\b1000\d{3}\b/g))].sort()
  return text?.replace(/\b1000\d{3}\b/g, (number) => `#${drawn.indexOf(number)}`) ?? ''
}

test.run()
