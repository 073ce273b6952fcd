// timeout: 180
// needs: ../shared/corpora
// The witness: generated decoders meet random data. Real projects' queries, and queries made here over their tables, run
// on data under all constraints with random parameters; no decoder may meet a NULL that it did not expect, or a value that
// is not of its type, and no query that is proven to give one row may give two.
// A fixed seed and a third of the schemas; WITNESS_SEED=n npx tsx test/compile/witness.test.ts runs all of them.

import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type pg from 'pg'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { type AnalyzedQuery, analyze } from '../../lib/compile/analyze.ts'
import { loadCatalog, loadDefinitions } from '../../lib/compile/catalog.ts'
import { defaultConfig } from '../../lib/compile/config.ts'
import { describeQueries, describeStatements } from '../../lib/compile/describe.ts'
import { emitFile } from '../../lib/compile/emit.ts'
import { lex } from '../../lib/compile/lexer.ts'
import { parseSqlFile } from '../../lib/compile/parse.ts'
import { decodeRows } from '../../lib/query/text.ts'
import { loadCorpusSchema, onEmptyDatabases, readCorpora } from '../support/corpora.ts'
import type { AnyFunction } from '../support/generated.ts'
import { seeded } from '../support/randomRows.ts'
import { addRows, type WitnessValue, witnessValues } from '../support/witnessData.ts'

const root = resolve(import.meta.dirname, '../..')
const seed = Number(process.env.WITNESS_SEED ?? 1)
const runsPerState = process.env.WITNESS_SEED === undefined ? 3 : 10

interface Job {
  readonly name: string
  readonly ddl: string
  readonly statements: readonly string[]
}

const counts = { queries: 0, runs: 0, rows: 0, refused: 0, proven: 0 }
/** The first failure of each query. */
const failures = new Map<string, string>()

test('no decoder meets what it did not expect', async () => {
  const out = mkdtempSync(join(root, 'test/generated-'))
  try {
    const all = [...goldenJobs(), ...corpusJobs()]
    const jobs = process.env.WITNESS_SEED === undefined ? all.filter((job, at) => at % 3 === 0 || isLarge(job)) : all
    await onEmptyDatabases(jobs, (client, job) => witness(client, job, out))
  } finally {
    rmSync(out, { recursive: true, force: true })
  }
  console.log(
    `seed ${seed}: ${counts.queries} queries, ${counts.proven} of them proven to give one row at most; ` +
      `${counts.runs} runs gave ${counts.rows} rows, PostgreSQL refused ${counts.refused}`,
  )
  assert.is([...failures.values()].join('\n\n'), '')
  assert.ok(counts.rows > 10_000, `only ${counts.rows} rows`)
})

function isLarge(job: Job): boolean {
  return job.statements.length > 15
}

/** Our own golden cases: they hold what corpora lack, such as JSON that is nested. */
function goldenJobs(): Job[] {
  const folder = join(root, 'test/compile/generate')
  return readdirSync(folder).flatMap((name) => {
    const [ddl, sql] = ['schema.sql', 'query.sql'].map((file) => readFileSync(join(folder, name, file), 'utf8'))
    const { queries, diagnostics } = parseSqlFile({ path: name, text: sql! })
    if (diagnostics.length > 0) return []
    return [{ name, ddl: ddl!, statements: queries.map((query) => query.sql) }]
  })
}

function corpusJobs(): Job[] {
  return readCorpora().flatMap(({ corpus, schemas, queries }) =>
    Object.entries(schemas).map(([schema, ddl]) => ({
      name: `${corpus} ${schema}`,
      ddl,
      statements: queries.filter((query) => query.schema === schema).map((query) => query.sql_n),
    })),
  )
}

async function witness(client: pg.Client, job: Job, out: string): Promise<void> {
  const random = seeded(seed)
  await loadCorpusSchema(client, job.ddl)
  const queries = await compiled(client, [...job.statements, ...(await ownStatements(client))], out)
  const value = await witnessValues(client, random)
  await client.query("set statement_timeout = 500; set timezone = 'Asia/Kathmandu'")
  for (const rows of [0, 3, 12]) {
    await addRows(client, value, random, rows)
    for (const query of queries) {
      for (let run = 0; run < runsPerState; run++) await runOnce(client, job, query, value, random)
    }
  }
}

interface WitnessQuery {
  readonly analyzed: AnalyzedQuery
  readonly call: AnyFunction
  readonly isProven: boolean
}

let files = 0

/** All that PostgreSQL can prepare and that give rows, as `:opt`, so that it is told what is not proven. */
async function compiled(client: pg.Client, statements: readonly string[], out: string): Promise<WitnessQuery[]> {
  const answers = await describeStatements(client, statements)
  const usable = statements.filter((_, at) => {
    const answer = answers[at]!
    return !('error' in answer) && answer.columns.length > 0 && answer.tree !== null
  })
  const text = usable.map((sql, at) => `-- name: q${at} :opt\n${withNames(sql)}\n`).join('\n')
  const file = { path: `q${files++}.sql`, text }
  const catalog = await loadCatalog(client)
  const { described } = await describeQueries(client, parseSqlFile(file).queries, catalog)
  const trees = described.map((query) => query.tree)
  await loadDefinitions(client, catalog, trees)
  const { analyzed, diagnostics } = analyze(described, catalog, defaultConfig)
  const unproven = new Set(diagnostics.filter(({ code }) => code === 'unproven-cardinality').map(({ query }) => query))
  const formed = analyzed.map((query) => ({ ...query, readOnly: false, form: null, formReason: '' }))
  mkdirSync(out, { recursive: true })
  const path = join(out, `${file.path}.ts`)
  writeFileSync(path, emitFile(file, formed, join(root, 'lib/index.ts')))
  const functions = (await import(pathToFileURL(path).href)) as Record<string, AnyFunction>
  counts.queries += analyzed.length
  counts.proven += analyzed.length - unproven.size
  return analyzed.map((query) => ({
    analyzed: query,
    call: functions[query.name]!,
    isProven: !unproven.has(query.name),
  }))
}

/** In a transaction that is rolled back. */
async function runOnce(
  client: pg.Client,
  job: Job,
  { analyzed, call, isProven }: WitnessQuery,
  value: WitnessValue,
  random: () => number,
): Promise<void> {
  const values = analyzed.arguments.map(({ nullability, type }, at) => {
    if (nullability.nullable && random() < 0.3) return null
    return value(analyzed.paramTypeOids[at] ?? 0, {
      nullElements: type.codec.startsWith('nullable'),
      dimensions: Number(/Array(\d)$/.exec(type.codec)?.[1] ?? 1),
    })
  })
  if (values.includes(undefined)) return
  counts.runs++
  const [, answer] = await Promise.all([
    client.query('begin'),
    client
      .query({ text: call.query.sql, values, rowMode: 'array', types: { getTypeParser: () => (text: string) => text } })
      .catch(() => null),
    client.query('rollback'),
  ])
  if (answer === null) {
    counts.refused++
    return
  }
  const rows = answer.rows as (string | null)[][]
  counts.rows += rows.length
  const complain = (problem: string) =>
    failures.set(call.query.sql, `${job.name}: ${problem}\n${call.query.sql}\n-- ${JSON.stringify(values)}`)
  if (isProven && rows.length > 1) complain(`${rows.length} rows where one was proven`)
  try {
    decodeRows(
      call.query,
      answer.fields.map((field) => field.name),
      rows,
    )
  } catch (error) {
    complain((error as Error).message)
  }
}

/** For each table rows, documents and arrays of it, alone and where an outer join may not find it. */
async function ownStatements(client: pg.Client): Promise<string[]> {
  const { rows: tables } = await client.query<{ name: string; columns: string[] }>(`
    select c.oid::regclass::text as name,
           (select array_agg(quote_ident(a.attname) order by a.attnum) from pg_attribute a
            where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped) as columns
    from pg_class c
    where c.relkind in ('r', 'v', 'm', 'p') and not c.relispartition
      and c.relnamespace::regnamespace::text !~ '^pg_|^information'
    order by c.oid limit 12`)
  return tables.flatMap(({ name, columns }, at) => {
    if (columns === null) return []
    const other = tables[(at + 1) % tables.length]!.name
    const pairs = columns.slice(0, 40).map((column) => `'${column.replaceAll("'", "''")}', b.${column}`)
    return [
      `select a, to_jsonb(a) as doc, array(select b from ${other} b) as others, row(a.*) as fields from ${name} a`,
      `select a, b, to_json(a) as one, to_jsonb(b) as two, jsonb_build_object(${pairs.join(', ')}) as built,
              row_to_json((select x from (select b.*) x)) as row
       from ${other} a left join ${name} b on random() < 0.3`,
      `select coalesce(json_agg(b) filter (where b.${columns[0]} is not null), '[]') as some, jsonb_agg(b) as every,
              array_agg(b.${columns.at(-1)}) as list, json_agg(json_build_array(b.${columns[0]}, b.${columns.at(-1)})) as pairs
       from ${name} b right join ${other} a on random() < 0.3 group by a.ctid`,
      `select distinct b.${columns[0]}, count(*) from ${name} b group by b.${columns[0]} limit 5`,
    ]
  })
}

/** `$1` → `:p1`, and without the author's word on NULL, which does not hold for random data. */
function withNames(sql: string): string {
  return lex(sql)
    .map(({ kind, start, end }) => {
      const text = sql.slice(start, end)
      return kind === 'positional' ? `:p${text.slice(1)}` : text.replace(/^"(\w+)[!?]"$/, '"$1"')
    })
    .join('')
}

test.run()
