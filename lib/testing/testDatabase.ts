// testDatabase: an empty, migrated database on a real PostgreSQL for one test file. The migrations run once per server
// and content, into a template; each call copies it.

import { createHash, randomBytes } from 'node:crypto'
import { type Client, DatabaseError } from 'pg'
import { linesOf, postgresPosition } from '../compile/sourceText.ts'
import { createDatabase, type Database } from '../database/database.ts'
import { queryError } from '../database/failures.ts'
import type { NPlusOneOptions } from '../database/observe/nPlusOne.ts'
import type { InsideUnitOptions } from '../database/unit/insideUnit.ts'
import { connectOnce } from '../embedded/connectOnce.ts'
import { makeDatabase, type ResolvedServer, resolveServer } from '../embedded/index.ts'
import { type SchemaOptions, type SchemaSource, schemaSources } from './schemaSources.ts'

export interface TestDatabaseOptions extends SchemaOptions, InsideUnitOptions, NPlusOneOptions {
  /** A server to make the database on. Default: PLAINSQL_TEST_SERVER, else DATABASE_URL, else an embedded server. */
  readonly url?: string | undefined
}

export interface TestDatabase extends Database {
  /** For other clients, and for code that opens its own database. */
  readonly url: string
  /** Closes every connection and drops the database. Safe to call twice. */
  close(): Promise<void>
}

/**
 * A new database with the schema of the migrations, on a real PostgreSQL. The first call for a schema migrates a
 * template (`plainsql_template_…`, kept on the server), further ones copy it: about 15 ms on the embedded server. The
 * user of the URL must be allowed to create databases.
 *
 * There is no snapshot() and restore(): make one database per test, or run each test in a unit of work that throws.
 *
 * @throws QueryError naming the migration's file and line; EmbeddedServerError, NoServerError; MigrationFilesError;
 *   ConfigError if the schema is not there, or not UTF-8
 */
export async function testDatabase(options: TestDatabaseOptions = {}): Promise<TestDatabase> {
  const [server, sources] = await Promise.all([serverFor(options.url), schemaSources(options)])
  const name = `plainsql_test_${process.pid}_${randomBytes(6).toString('hex')}`
  await withClient(server.url, async (client) => {
    const template = await migratedTemplate(client, server, sources)
    await makeDatabase(client, name, template)
  })

  const url = server.databaseUrl(name)
  const { ambient = false, guard = true, detectNPlusOne = false } = options
  const database = createDatabase({ url, ambient, guard, detectNPlusOne })
  let closing: Promise<void> | undefined
  const close = (): Promise<void> => {
    closing ??= database.close().then(() =>
      // By force: whatever else the test connected to it has no use for it any more.
      withClient(server.url, async (client) => {
        await client.query(`drop database if exists ${name} with (force)`)
      }),
    )
    return closing
  }
  return { ...database, url, close, [Symbol.asyncDispose]: close }
}

/** An embedded server is started once per process, and ends with it. */
function serverFor(url: string | undefined): Promise<ResolvedServer> {
  if (url) return resolveServer({ url })
  shared ??= resolveServer({ url: process.env.PLAINSQL_TEST_SERVER })
  return shared
}

let shared: Promise<ResolvedServer> | undefined

/** The template's name. It is migrated under another one, so that what has the name is complete. */
async function migratedTemplate(
  client: Client,
  server: ResolvedServer,
  sources: readonly SchemaSource[],
): Promise<string> {
  const hash = createHash('sha256')
  for (const source of sources) hash.update(JSON.stringify(source.text.slice(source.start, source.end)))
  const digest = hash.digest('hex').slice(0, 16)
  const [template, draft] = [`plainsql_template_${digest}`, `plainsql_draft_${digest}`]
  // Other processes may want the same template at the same moment: one makes it, the others wait here.
  const lock = [BigInt.asIntN(64, BigInt(`0x${digest}`)).toString()]
  await client.query('select pg_advisory_lock($1)', lock)
  try {
    const { rowCount } = await client.query('select from pg_database where datname = $1', [template])
    if (rowCount === 0) {
      await client.query(`drop database if exists ${draft} with (force)`)
      await makeDatabase(client, draft)
      await withClient(server.databaseUrl(draft), async (draftClient) => {
        for (const source of sources) await migrate(draftClient, source)
      })
      // What the first connection to a database makes (pg_internal.init) is copied with it, where files are: half of the time.
      await withClient(server.databaseUrl(draft), async () => {})
      await client.query(`alter database ${draft} rename to ${template}`)
    }
  } finally {
    await client.query('select pg_advisory_unlock($1)', lock)
  }
  return template
}

async function migrate(client: Client, source: SchemaSource): Promise<void> {
  const sql = source.text.slice(source.start, source.end)
  await client.query(sql).catch((error: unknown) => {
    if (!(error instanceof DatabaseError)) throw error
    const offset = error.position ? postgresPosition(sql, Number(error.position)) : 0
    const { line } = linesOf(source.text).placeAt(source.start + offset)
    throw queryError({ name: source.name, source: `${source.path}:${line}` }, error)
  })
}

async function withClient<T>(url: string, work: (client: Client) => Promise<T>): Promise<T> {
  const client = await connectOnce(url)
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}
