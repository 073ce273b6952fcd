// A database that has the project's schema, for the time of one compilation: the live one that the settings name, or a
// scratch database made from schema files or migrations, on the server that `DATABASE_URL` names or an embedded one.

import { randomBytes } from 'node:crypto'
import { readdir, stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import pg from 'pg'
import { readTargets } from '../database/pool/targets.ts'
import { connectOnce } from '../embedded/connectOnce.ts'
import { makeDatabase, type ResolvedServer, resolveServer } from '../embedded/index.ts'
import { ConnectionError } from '../errors.ts'
import { readMigrations } from '../migrate/files.ts'
import { type Config, ConfigError } from './config.ts'
import { withoutDumpMarkers } from './dumpMarkers.ts'
import { isSignificant, lex } from './lexer.ts'
import type { Diagnostic, Span, SqlFile } from './model.ts'
import { problem } from './problem.ts'
import { readText } from './readText.ts'
import { postgresPosition, tokenSpanAt } from './sourceText.ts'

/** SQL that makes a part of the schema. `start` is where `sql` starts in the file. */
interface SchemaPart {
  readonly file: SqlFile
  readonly sql: string
  readonly start: number
}

/** A connection to a database with the schema. `close` drops what was made for it. */
export interface SchemaSession {
  readonly client: pg.Client
  /** What is wrong with the schema's own files; nothing can be described if there are any. */
  readonly diagnostics: readonly Diagnostic[]
  close(): Promise<void>
}

/**
 * Connects to a database with the project's schema.
 * @throws NoServerError if there is neither DATABASE_URL nor an embedded server; MigrationFilesError;
 *   ConfigError if the server is not reached, a schema file or the migrations folder is missing, a file is not UTF-8, or the
 *   role may not create databases
 */
export async function openSchema(folder: string, config: Config): Promise<SchemaSession> {
  if (config.databaseUrl !== null) {
    const { databaseUrl: url } = config
    const client = await connect(url, config).catch(
      notReached(url, '--database-url, or the setting "databaseUrl",', ''),
    )
    return { client, diagnostics: [], close: () => client.end() }
  }
  const parts = await schemaParts(folder, config)
  const server = await resolveServer()
  // A temporary server is ours alone: its own database will do.
  const scratch = server.embedded
    ? null
    : await createScratchDatabase(server).catch(
        notReached(server.url, 'DATABASE_URL', '; DATABASE_URL= npx plainsql generate takes the embedded server'),
      )
  let client: pg.Client | undefined
  const close = async () => {
    await client?.end()
    await scratch?.drop()
    await server.stop()
  }
  try {
    client = await connect(scratch?.url ?? server.url, config)
    return { client, diagnostics: await applyParts(client, parts), close }
  } catch (error) {
    await close()
    throw error
  }
}

/** Says where a URL comes from that leads nowhere: a variable of another project may be left over. It may hold a password. */
function notReached(url: string, origin: string, remedy: string): (error: unknown) => never {
  return (error) => {
    if (error instanceof ConnectionError) {
      const [first] = readTargets(url).list
      const server = `the server that ${origin} names, ${first?.host}:${first?.port}`
      throw new ConfigError(`no connection to ${server}: ${error.message}${remedy}`, null, { cause: error })
    }
    if (error instanceof TypeError)
      throw new ConfigError(`${origin}: ${error.message}${remedy}`, null, { cause: error })
    throw error
  }
}

async function connect(url: string, config: Config): Promise<pg.Client> {
  const client = await connectOnce(url, { application_name: 'plainsql generate', pipeline: true })
  if (config.searchPath !== null) await client.query("select set_config('search_path', $1, false)", [config.searchPath])
  return client
}

async function createScratchDatabase(server: ResolvedServer): Promise<{ url: string; drop(): Promise<void> }> {
  const name = `plainsql_generate_${randomBytes(6).toString('hex')}`
  const run = async (work: (client: pg.Client) => Promise<unknown>) => {
    const client = await connectOnce(server.url)
    try {
      await work(client)
    } finally {
      await client.end()
    }
  }
  await run((client) => makeDatabase(client, name)).catch((error: Error & { code?: string }) => {
    if (error.code !== '42501') throw error
    throw new ConfigError(
      `${error.message}, which is where the schema is built: give the role of DATABASE_URL the attribute CREATEDB, unset ` +
        'the variable to use the embedded server, or name a database that has the schema: --database-url postgres://…',
    )
  })
  return {
    url: server.databaseUrl(name),
    drop: () => run((client) => client.query(`drop database if exists ${name} with (force)`)),
  }
}

async function schemaParts(folder: string, config: Config): Promise<SchemaPart[]> {
  if (config.schema.length > 0) {
    return Promise.all(
      config.schema.map(async (path) => {
        const text = await readText(resolve(folder, path), `schema file ${path}`)
        return { file: { path: path.replaceAll('\\', '/'), text }, sql: text, start: 0 }
      }),
    )
  }
  const migrations = resolve(folder, config.migrations)
  if (!(await stat(migrations).catch(() => null))?.isDirectory()) {
    throw new ConfigError(
      `there is no folder ${config.migrations} in ${folder}: make the first migration (npx node-pg-migrate create -j sql "first"), ` +
        'or name the schema: plainsql generate --schema schema.sql, or --database-url postgres://…',
    )
  }
  const found = await readMigrations(migrations, config.migrations)
  const [subfolder] = found.length > 0 ? [] : await subfolders(migrations)
  if (subfolder !== undefined) {
    throw new ConfigError(
      `there is no .sql file in ${config.migrations}, only folders such as ${subfolder}: migrations of another tool, as Prisma's, ` +
        'are run by it. Then: plainsql generate --database-url postgres://…, or --schema with a dump',
    )
  }
  return found.map(({ file, up, upStart }) => ({ file, sql: up, start: upStart }))
}

async function subfolders(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true })
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name)
}

/** Stops at the first part that fails: those behind it would fail for want of it. */
async function applyParts(client: pg.Client, parts: readonly SchemaPart[]): Promise<Diagnostic[]> {
  // pg_dump's files empty the search_path; it must not stay so for the queries.
  const [before] = (await client.query<{ path: string }>("select current_setting('search_path') as path")).rows
  for (const part of parts) {
    try {
      await client.query(withoutDumpMarkers(part.sql))
    } catch (error) {
      if (!(error instanceof pg.DatabaseError)) throw error
      return [schemaError(part, error, await failurePlace(client, part, error))]
    }
  }
  await client.query("select set_config('search_path', $1, false)", [before?.path ?? 'public'])
  return []
}

/** Where PostgreSQL says the mistake is, else the statement that fails when the part is run again one by one. */
async function failurePlace(client: pg.Client, part: SchemaPart, error: pg.DatabaseError): Promise<Span> {
  const { text } = part.file
  if (error.position !== undefined) {
    return tokenSpanAt(text, part.start + postgresPosition(part.sql, Number(error.position)))
  }
  let start = part.start
  let cuts = 0
  for (const token of lex(text, part.start)) {
    if (token.kind !== 'semicolon') continue
    const first = lex(text.slice(0, token.end), start).find(isSignificant)
    // Alone, CREATE INDEX CONCURRENTLY is in no transaction, and would not fail.
    const before = error.code === inTransaction ? 'select 1;' : ''
    const statement = `${before}${withoutDumpMarkers(text.slice(start, token.end))}`
    const failure = await client.query(statement).catch((again: Error) => again)
    if (failure instanceof Error) {
      // Another error than before: the text was cut in the wrong place, as inside a BEGIN ATOMIC body, which goes on.
      if (failure.message !== error.message && ++cuts <= 20) continue
      if (failure.message !== error.message) break
      return { start: first?.start ?? start, end: token.end }
    }
    start = token.end
  }
  return { start: part.start, end: part.start }
}

/** "CREATE INDEX CONCURRENTLY cannot run inside a transaction block" */
const inTransaction = '25001'

/** What the scratch server lacks, or does otherwise, and what to do about it. */
function waysOut({ code, message }: pg.DatabaseError): string[] {
  if (code === '42704' && /^role "/.test(message)) {
    return [
      'the scratch server has no roles of yours: write the grant for those that exist (do $$ … if exists (select from pg_roles …) …), ' +
        'make the dump with pg_dump --no-owner --no-privileges, or generate from a database: --database-url …',
    ]
  }
  if (code === '0A000' && /^extension "/.test(message)) {
    return [
      'the embedded PostgreSQL brings its contrib extensions only: set DATABASE_URL to a server that has this one',
    ]
  }
  if (code === inTransaction) {
    return [
      'a file is sent as one transaction, by node-pg-migrate too. Make the index by hand, outside of migrations, and write ' +
        '"create index if not exists" here',
    ]
  }
  return []
}

function schemaError(part: SchemaPart, error: pg.DatabaseError, place: Span): Diagnostic {
  const hints = [error.detail, error.hint, ...waysOut(error)].filter((text) => text !== undefined)
  return problem(part.file, place, error.code ?? 'XX000', error.message, '', { hints })
}
