// timeout: 240
// needs: ../shared/corpora
// The verdicts on 1,414 queries of other projects, against what is known of their columns. A column in which a NULL was
// seen must not be non-null: that is the promise. Of those that never are NULL, at least 97% must be proven; what is
// not is printed by reason. All of it on every PostgreSQL at hand: their trees differ (before 16, for one, without the
// joins that can null a column).

import pg from 'pg'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { type Catalog, loadCatalog, loadDefinitions } from '../../lib/compile/catalog.ts'
import { describeStatements, type StatementDescription } from '../../lib/compile/describe.ts'
import { analyzeColumns } from '../../lib/compile/nullability.ts'
import { startEmbedded } from '../../lib/embedded/index.ts'
import { type Corpus, type CorpusQuery, loadCorpusSchema, readCorpora } from '../support/corpora.ts'
import { startSystemServer } from '../support/systemServer.ts'

interface Column {
  readonly place: string
  readonly label: string
  readonly nullable: boolean
  readonly reason: string
}

for (const version of [18, 17, 16]) {
  test(`on PostgreSQL ${version}`, async () => {
    const server = await startEmbedded({ version })
    try {
      await judgeAll(server.url)
    } finally {
      await server.stop()
    }
  })
}

const system = startSystemServer(15)
if (system !== null) {
  test('on PostgreSQL 15', () => judgeAll(system.url))
  test.after(() => system.stop())
} else console.log('PostgreSQL 15 is not installed on this machine')

/** No column in which a NULL was seen is non-null, and 97% of the others are. */
async function judgeAll(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url, pipeline: true })
  await client.connect()
  const columns: Column[] = []
  try {
    for (const corpus of readCorpora()) {
      for (const schema of Object.keys(corpus.schemas)) columns.push(...(await columnsOf(client, corpus, schema)))
    }
  } finally {
    await client.end()
  }

  const unsound = columns.filter(({ label, nullable }) => label === 'nullable!' && !nullable)
  assert.equal(unsound, [])

  const proven = columns.filter(({ label, nullable }) => label === 'not-null' && !nullable)
  const unproven = columns.filter(({ label, nullable }) => label === 'not-null' && nullable)
  const share = proven.length / (proven.length + unproven.length)
  console.log(`${columns.length} columns; proven: ${(share * 100).toFixed(1)}% of those never null; not proven:`)
  for (const [reason, places] of byReason(unproven)) console.log(`  ${places.length} × ${reason}: ${places.join(', ')}`)
  assert.ok(share >= 0.97)
}

/** The columns of a schema's queries. The schema is made in a transaction that is rolled back: a database takes 70 ms. */
async function columnsOf(client: pg.Client, corpus: Corpus, schema: string): Promise<Column[]> {
  const ddl = corpus.schemas[schema]!
  // One extension is not part of PostgreSQL; and an error would abort the transaction for all that comes after it.
  if (/create extension[^;]*vector/i.test(ddl)) return []
  const queries = corpus.queries.filter((query) => query.schema === schema && prepares(query))
  await client.query('begin')
  try {
    await loadCorpusSchema(client, ddl)
    const answers = await describeStatements(
      client,
      queries.map((query) => query.sql_n),
    )
    const catalog = await loadCatalog(client)
    const described = answers.map((answer, index) => {
      if ('error' in answer) throw new Error(`${queries[index]!.id} does not prepare: ${answer.error.message}`)
      return answer
    })
    await loadDefinitions(
      client,
      catalog,
      described.map(({ tree }) => tree),
    )
    return queries.flatMap((query, index) => judge(corpus, query, described[index]!, catalog))
  } finally {
    await client.query('rollback; reset all')
  }
}

function prepares(query: CorpusQuery): boolean {
  return (query as CorpusQuery & { readonly prepares_on_15: boolean }).prepares_on_15
}

function judge(corpus: Corpus, query: CorpusQuery, described: StatementDescription, catalog: Catalog): Column[] {
  const verdicts = analyzeColumns({ ...described, params: [] }, catalog)
  assert.is(verdicts.length, query.columns.length, `${query.id} has another number of columns`)
  return query.columns.flatMap(({ name, label, override }, index) => {
    const { nullable, reason } = verdicts[index]!.nullability
    return override ? [] : [{ place: `${corpus.corpus} ${query.id} ${name}`, label, nullable, reason }]
  })
}

function byReason(columns: readonly Column[]): [string, string[]][] {
  const groups = new Map<string, string[]>()
  for (const { reason, place } of columns) groups.set(reason, [...(groups.get(reason) ?? []), place])
  return [...groups].sort((a, b) => b[1].length - a[1].length)
}

test.run()
