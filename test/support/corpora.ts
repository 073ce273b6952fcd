// The corpora of real projects' queries in ../shared/corpora (see its README.md), and their schemas.

import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import pg from 'pg'
import { withoutDumpMarkers } from '../../lib/compile/dumpMarkers.ts'
import { freshDatabase } from './server.ts'

export interface Corpus {
  readonly corpus: string
  readonly schemas: Readonly<Record<string, string>>
  readonly queries: readonly CorpusQuery[]
}

export interface CorpusQuery {
  readonly id: string
  readonly schema: string
  /** With `$1`, `$2`, … */
  readonly sql_n: string
  readonly columns: readonly {
    readonly name: string
    readonly type: string
    readonly label: 'nullable!' | 'not-null' | 'nullable?' | 'not-null?' | 'unknown'
    readonly override?: string
  }[]
}

const folder = resolve(import.meta.dirname, '../../../shared/corpora')

export function readCorpora(): Corpus[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .sort()
    .map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')) as Corpus)
}

/**
 * Loads a corpus's schema into an empty database. What this server cannot have (the extension "vector") is left out;
 * a schema that makes "public" itself finds it gone; one schema forgot a semicolon. Leaves the session's settings reset.
 */
export async function loadCorpusSchema(client: pg.Client, ddl: string): Promise<void> {
  if (/create schema "?public"?;/i.test(ddl)) await client.query('drop schema public')
  const statements = withoutDumpMarkers(ddl).replace(/\)\n\nCREATE TYPE/g, ');\n\nCREATE TYPE')
  try {
    await client.query(statements)
  } catch (error) {
    if (!/extension "vector"/.test((error as Error).message)) throw error
  }
  await client.query('reset all')
}

/**
 * Does each job on a database that is empty, two at a time. It is the same database, emptied after every job: to make one
 * takes ten times as long.
 */
export async function onEmptyDatabases<Job>(
  jobs: readonly Job[],
  work: (client: pg.Client, job: Job) => Promise<void>,
): Promise<void> {
  const open = [...jobs]
  const worker = async (): Promise<void> => {
    const database = await freshDatabase()
    const client = new pg.Client({ connectionString: database.url, pipeline: true })
    client.on('error', () => {})
    await client.connect()
    try {
      for (let job = open.shift(); job !== undefined; job = open.shift()) {
        await work(client, job)
        await client.query('reset all; discard temp')
        await client.query(emptySql)
      }
    } finally {
      await client.end()
      await database.drop()
    }
  }
  await Promise.all([worker(), worker()])
}

const emptySql = `
do $$
declare made text;
begin
  for made in select extname from pg_extension where extname <> 'plpgsql' loop
    execute format('drop extension if exists %I cascade', made);
  end loop;
  for made in select nspname from pg_namespace where nspname !~ '^pg_' and nspname <> 'information_schema' loop
    execute format('drop schema %I cascade', made);
  end loop;
  create schema public;
end $$`
