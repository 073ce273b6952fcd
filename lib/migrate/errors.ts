// What can be wrong with migrations: with the files, before anything is run, and with running them.

import type { Diagnostic } from '../compile/model.ts'
import { linesOf, postgresPosition } from '../compile/sourceText.ts'
import { PlainsqlError } from '../errors.ts'
import type { Migration } from './files.ts'

/** Files of a migrations folder that node-pg-migrate would fail on, or run otherwise than they read. */
export class MigrationFilesError extends PlainsqlError {
  /** Every problem of the folder; the generator prints them with code frames. */
  readonly diagnostics: readonly Diagnostic[]

  constructor(diagnostics: readonly Diagnostic[]) {
    super(diagnostics.map(inOneLine).join('\n'))
    this.diagnostics = diagnostics
  }
}

function inOneLine(diagnostic: Diagnostic): string {
  const [label] = diagnostic.labels
  const hints = diagnostic.hints.map((hint) => `\n  hint: ${hint}`).join('')
  if (!label) return `${diagnostic.title}${hints}`
  const { line, column } = linesOf(label.file.text).placeAt(label.span.start)
  return `${label.file.path}:${line}:${column}: ${diagnostic.title}: ${label.text}${hints}`
}

/** node-pg-migrate is an optional dependency, and it is not there. */
export class MigrationToolMissingError extends PlainsqlError {
  constructor() {
    super('node-pg-migrate, which runs the migrations, is not installed: npm install --save-dev node-pg-migrate')
  }
}

/** node-pg-migrate or PostgreSQL gave up. Everything was rolled back, migrations that had succeeded included. */
export class MigrationFailedError extends PlainsqlError {
  /** The name of the migration that failed; null if none had been started. */
  readonly migration: string | null
  /** Its file, and the place in it if PostgreSQL tells: `migrations/1795383363104_create-users.sql:4:3`. */
  override readonly source: string | null
  readonly direction: 'up' | 'down'
  /** PostgreSQL's SQLSTATE; null if it was not PostgreSQL that gave up. */
  readonly sqlState: string | null

  constructor(
    direction: 'up' | 'down',
    migration: Migration | null,
    cause: Error & { code?: string; position?: string },
  ) {
    const source = migration && sourceOf(direction, migration, Number(cause.position ?? 0))
    const sqlState = cause.code ?? null
    const where = source === null ? '' : `${source}: `
    super(
      `${where}${cause.message}${sqlState ? ` [${sqlState}]` : ''}; "${direction}" was rolled back as a whole`,
      null,
      {
        cause,
      },
    )
    this.migration = migration?.name ?? null
    this.source = source
    this.direction = direction
    this.sqlState = sqlState
  }
}

/** @param position 1-based, in the part that was sent; 0 if it is not known */
function sourceOf(
  direction: 'up' | 'down',
  { file, up, upStart, down, downStart }: Migration,
  position: number,
): string {
  if (position === 0) return file.path
  const [sql, start] = direction === 'up' ? [up, upStart] : [down ?? '', downStart ?? 0]
  const place = linesOf(file.text).placeAt(start + postgresPosition(sql, position))
  return `${file.path}:${place.line}:${place.column}`
}
