// Runs a folder of migrations through node-pg-migrate's own runner, so that its table `pgmigrations` is what
// `npx node-pg-migrate` expects. In: a URL and a folder. Out: the names of the migrations that were run.

import type { RunnerOption } from 'node-pg-migrate'
import { connectOnce } from '../embedded/connectOnce.ts'
import { MigrationFailedError, MigrationFilesError, MigrationToolMissingError } from './errors.ts'
import { checkMigrations, cutMigration, type Migration, readFolder } from './files.ts'

export interface ApplyMigrationsOptions {
  /** `postgres://user:password@host:port/database`. Left out: PGHOST, PGPORT, PGUSER, PGPASSWORD and PGDATABASE. */
  readonly url?: string | undefined
  readonly folder: string
  /** Default `up`. */
  readonly direction?: 'up' | 'down'
  /** How many migrations at most. Default: all of them for `up`, one for `down`. */
  readonly count?: number
}

/**
 * Runs the migrations that were not run yet (`up`), or takes back the last ones (`down`), all in one transaction on a
 * connection of its own, which is closed when the promise settles. JavaScript and TypeScript migrations are welcome.
 *
 * @returns the names of the migrations, in the order in which they were run
 * @throws MigrationToolMissingError if node-pg-migrate is not installed; MigrationFilesError, before anything is run;
 *   ConnectionError; MigrationFailedError, after which the database is as it was, but for an
 *   empty `pgmigrations`
 */
export async function applyMigrations(options: ApplyMigrationsOptions): Promise<string[]> {
  const { url, folder, direction = 'up', count } = options
  const files = await readFolder(folder)
  const diagnostics = checkMigrations(files).filter((diagnostic) => diagnostic.code !== 'migration-not-sql')
  if (diagnostics.length > 0) throw new MigrationFilesError(diagnostics)

  const { runner } = await nodePgMigrate()
  // Of our own, not the runner's: that one is not closed yet when the runner is done.
  const client = await connectOnce(url)
  const log = new RunnerLog()
  const bounds = count === undefined ? {} : { count }
  try {
    const run = await runner({ ...settings, ...bounds, dbClient: client, dir: folder, direction, logger: log })
    return run.map((migration) => migration.name)
  } catch (error) {
    const migration = files.map(cutMigration).find((candidate) => candidate.name === log.current)
    throw new MigrationFailedError(direction, migration ?? null, error as Error)
  } finally {
    // With the connection goes node-pg-migrate's advisory lock, whatever happened.
    await client.end()
  }
}

/** What `npx node-pg-migrate` has for defaults. `singleTransaction` left out is false here, against the docs. */
const settings = {
  migrationsTable: 'pgmigrations',
  schema: ['public'],
  checkOrder: true,
  singleTransaction: true,
  verbose: false,
} as const satisfies Partial<RunnerOption>

/** Says nothing, but remembers which migration is being run: node-pg-migrate's errors do not tell. */
class RunnerLog {
  /** The name of the migration that was started last; null before the first one. */
  current: Migration['name'] | null = null

  info(message: string): void {
    this.current = /^### MIGRATION (.*) \((?:UP|DOWN)\) ###$/.exec(message)?.[1] ?? this.current
  }
  warn(): void {}
  error(): void {}
}

/** @param load replaced in tests */
export async function nodePgMigrate(
  load: () => Promise<typeof import('node-pg-migrate')> = () => import('node-pg-migrate'),
): Promise<typeof import('node-pg-migrate')> {
  try {
    return await load()
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'ERR_MODULE_NOT_FOUND' && /'node-pg-migrate'/.test(message)) throw new MigrationToolMissingError()
    throw error
  }
}
