// Makes errors out of what went wrong: of the server's the class that its SQLSTATE has, and those of transactions that
// begin or end where they should not.

import {
  CheckViolationError,
  ForeignKeyViolationError,
  NotNullViolationError,
  PlainsqlError,
  QueryError,
  type QueryIdentity,
  type ServerFields,
  UniqueViolationError,
} from '../errors.ts'

const byState: ReadonlyMap<string | undefined, typeof QueryError> = new Map([
  ['23502', NotNullViolationError],
  ['23503', ForeignKeyViolationError],
  ['23505', UniqueViolationError],
  ['23514', CheckViolationError],
])

/** @param cause the driver's error */
export function queryError(query: QueryIdentity | null, cause: Error & ServerFields): QueryError {
  const QueryErrorClass = byState.get(cause.code) ?? QueryError
  return new QueryErrorClass(query, cause)
}

/** Of a statement outside of a unit of work, whose connection is destroyed: nothing that it began is committed. */
export function leftOpen({ name, source }: QueryIdentity): PlainsqlError {
  return new PlainsqlError(`BEGIN outside of db.unitOfWork in ${name} (${source}): it was rolled back`)
}

/** Of a unit of work, after one of its statements. */
export function endedEarly(): PlainsqlError {
  return new PlainsqlError(
    'the transaction ended before its unit of work, by a COMMIT, ROLLBACK or PREPARE TRANSACTION among its statements: ' +
      'throw in it to roll back, and return to commit',
  )
}
