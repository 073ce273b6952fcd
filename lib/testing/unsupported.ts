// The one error of the database in memory that PostgreSQL does not know.

import { PlainsqlError, type QueryIdentity } from '../errors.ts'

/**
 * The database in memory cannot run a statement with PostgreSQL's result, or is not known to. Nothing was changed.
 * The same call works on `testDatabase()`.
 */
export class UnsupportedInMemoryError extends PlainsqlError {
  /** What it is that cannot be run: `window functions`. */
  readonly feature: string

  constructor(query: QueryIdentity | null, feature: string, cause?: unknown) {
    const where = query === null ? '' : ` in ${query.name} (${query.source})`
    super(`memoryDatabase() does not support ${feature}${where}: use testDatabase() for what needs it`, query, {
      cause,
    })
    this.feature = feature
  }
}
