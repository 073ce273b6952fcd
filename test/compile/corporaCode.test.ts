// timeout: 180
// needs: ../shared/corpora
// Real projects' queries through the whole generator: what PostgreSQL can prepare must become code that tsc accepts,
// what it cannot must be told at the right place. Prints the counts.

import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type pg from 'pg'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { analyze } from '../../lib/compile/analyze.ts'
import { loadCatalog, loadDefinitions } from '../../lib/compile/catalog.ts'
import { defaultConfig } from '../../lib/compile/config.ts'
import { describeQueries, describeStatements } from '../../lib/compile/describe.ts'
import { emitFile } from '../../lib/compile/emit.ts'
import { deriveForms } from '../../lib/compile/forms.ts'
import { lex } from '../../lib/compile/lexer.ts'
import type { Diagnostic, SqlFile } from '../../lib/compile/model.ts'
import { parseSqlFile } from '../../lib/compile/parse.ts'
import { type Corpus, loadCorpusSchema, onEmptyDatabases, readCorpora } from '../support/corpora.ts'

const root = resolve(import.meta.dirname, '../..')

/** A query of a corpus as plainsql has it, and what PostgreSQL says of the original. */
interface Outcome {
  id: string
  preparable: boolean
  diagnostics: readonly Diagnostic[]
  /** Whether the first label of every error is inside this query. */
  placed: boolean
}

test('what PostgreSQL prepares becomes code that tsc accepts; the rest gets a diagnostic at its line', async () => {
  const out = mkdtempSync(join(root, 'test/generated-'))
  const outcomes: Outcome[] = []
  try {
    const jobs = readCorpora().flatMap((corpus) => Object.keys(corpus.schemas).map((schema) => ({ corpus, schema })))
    await onEmptyDatabases(jobs, async (client, { corpus, schema }) => {
      outcomes.push(...(await compileSchema(client, corpus, schema, out)))
    })

    const preparable = outcomes.filter((outcome) => outcome.preparable)
    // These can be prepared and never succeed: read one by one, most are safeql's tests of the same check.
    const neverInserting = preparable.filter((outcome) => errors(outcome).some(({ code }) => code === 'missing-column'))
    const refused = preparable.filter((outcome) => errors(outcome).length > 0 && !neverInserting.includes(outcome))
    const silent = outcomes.filter((outcome) => !outcome.preparable && errors(outcome).length === 0)
    const misplaced = outcomes.filter((outcome) => !outcome.placed)
    console.log(
      `${outcomes.length} queries: ${preparable.length} prepare, ${preparable.length - refused.length} of them generated; ` +
        `${outcomes.length - preparable.length} do not, ${outcomes.length - preparable.length - silent.length} of them with a diagnostic`,
    )
    for (const { id, diagnostics } of refused)
      console.log(`refused: ${id}: ${diagnostics.map((d) => d.title).join('; ')}`)
    assert.equal(
      refused.map((outcome) => outcome.id),
      [],
    )
    assert.equal(
      silent.map((outcome) => outcome.id),
      [],
    )
    assert.equal(
      misplaced.map((outcome) => outcome.id),
      [],
    )
    assert.is(outcomes.length, 1414)
    assert.is(neverInserting.length, 17)
    assert.is(typecheck(out), '')
  } finally {
    rmSync(out, { recursive: true, force: true })
  }
})

function errors(outcome: Outcome): readonly Diagnostic[] {
  return outcome.diagnostics.filter((diagnostic) => diagnostic.severity === 'error')
}

/** Compiles all queries of one schema: twice, because whether a query returns rows decides its kind. */
async function compileSchema(client: pg.Client, corpus: Corpus, schema: string, out: string): Promise<Outcome[]> {
  await loadCorpusSchema(client, corpus.schemas[schema]!)
  const queries = corpus.queries.filter((query) => query.schema === schema)
  const answers = await describeStatements(
    client,
    queries.map((query) => query.sql_n),
  )
  const headers = answers.map((answer) => ('error' in answer || answer.columns.length > 0 ? 'many' : 'exec'))
  const sections = queries.map(({ sql_n }, index) => `-- name: q${index} :${headers[index]}\n${withNames(sql_n)}\n`)
  const file: SqlFile = { path: `${corpus.corpus}_${schema}.sql`, text: sections.join('\n') }
  const starts = sections.map((_, index) => sections.slice(0, index).join('\n').length)

  const parsed = parseSqlFile(file)
  const catalog = await loadCatalog(client)
  const { described, diagnostics } = await describeQueries(client, parsed.queries, catalog)
  await loadDefinitions(
    client,
    catalog,
    described.map((query) => query.tree),
  )
  const result = analyze(described, catalog, defaultConfig)
  const all = [...parsed.diagnostics, ...diagnostics, ...result.diagnostics]
  mkdirSync(out, { recursive: true })
  writeFileSync(
    join(out, `${file.path}.ts`),
    emitFile(file, await deriveForms(client, result.analyzed, catalog), 'plainsql'),
  )
  return queries.map(({ id }, index): Outcome => {
    const own = all.filter((diagnostic) => diagnostic.query === `q${index}`)
    const [start, end] = [starts[index]!, starts[index + 1] ?? file.text.length]
    return {
      id: `${corpus.corpus} ${schema} ${id}`,
      preparable: !('error' in answers[index]!),
      diagnostics: own,
      placed: own.every(({ labels }) => labels[0]!.span.start >= start && labels[0]!.span.end <= end),
    }
  })
}

/** `$1` → `:p1` */
function withNames(sql: string): string {
  return lex(sql)
    .map((token) => sql.slice(token.start, token.end))
    .map((text) => (/^\$\d+$/.test(text) ? `:p${text.slice(1)}` : text))
    .join('')
}

/** What tsc has to say; empty if nothing. */
function typecheck(folder: string): string {
  const config = join(folder, 'tsconfig.json')
  writeFileSync(config, JSON.stringify({ extends: join(root, 'tsconfig.json'), include: ['.'], exclude: [] }))
  try {
    execFileSync(join(root, 'node_modules/.bin/tsc'), ['-p', config], { encoding: 'utf8', cwd: root })
    return ''
  } catch (error) {
    return String((error as { stdout: string }).stdout)
  }
}

test.run()
