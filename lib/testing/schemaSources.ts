// The SQL that makes the schema of a database for tests: Up sections of migrations, and schema files.
// Its types are those of `plainsql/testing`: nothing of pg-mem, which may not be installed, is imported here.

import { withoutDumpMarkers } from '../compile/dumpMarkers.ts'
import { readText } from '../compile/readText.ts'
import { readMigrations } from '../migrate/files.ts'

export interface SchemaOptions {
  /** The folder of migrations, as node-pg-migrate's SQL files. Default `migrations`, unless there is a `schema`. */
  readonly migrations?: string | undefined
  /** SQL files (paths that end with `.sql`) or SQL, run in this order after the migrations. */
  readonly schema?: string | readonly string[] | undefined
}

/** A piece of SQL and where it stands. */
export interface SchemaSource {
  readonly name: string
  readonly path: string
  /** The whole file. */
  readonly text: string
  /** The part of the text to run. */
  readonly start: number
  readonly end: number
}

/** @throws MigrationFilesError; ConfigError if a folder or file is not there, or a file is not UTF-8 */
export async function schemaSources(options: SchemaOptions): Promise<SchemaSource[]> {
  const folder = options.migrations ?? (options.schema === undefined ? 'migrations' : undefined)
  const migrations = folder === undefined ? [] : await readMigrations(folder)
  const sources = migrations.map(({ name, file, up, upStart }) => ({
    ...{ name, path: file.path, text: file.text },
    ...{ start: upStart, end: upStart + up.length },
  }))
  for (const [index, schema] of [options.schema ?? []].flat().entries()) {
    // SQL ends otherwise, unless it is a path with a semicolon or a line break in it.
    const isFile = /^[^\n;]+\.sql$/.test(schema)
    const text = withoutDumpMarkers(isFile ? await readText(schema, `schema file ${schema}`) : schema)
    const path = isFile ? schema.replaceAll('\\', '/') : `options.schema[${index}]`
    sources.push({ name: 'schema', path, text, start: 0, end: text.length })
  }
  return sources
}
