// The corpora of real projects' queries in ../shared/corpora (see its README.md), and their schemas.

import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type pg from 'pg'
import { withoutDumpMarkers } from '../../lib/compile/dumpMarkers.ts'

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
