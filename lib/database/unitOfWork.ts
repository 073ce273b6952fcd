// The unit of work: BEGIN, the caller's function, then COMMIT or ROLLBACK, on one connection.
// In: a lease and a function. Out: the function's result, or the first error that happened.

import { CommitAbortedError, QueryError, UnitOfWorkClosedError } from '../errors.ts'
import type { Executor, Query } from '../query/executor.ts'
import type { Connection, Lease } from './connection.ts'

/** A transaction as its function sees it: an executor that ends with the function. */
export interface UnitOfWork extends Executor {}

/**
 * Runs `work` in a transaction. Round trips: BEGIN, COMMIT and one per statement.
 *
 * The connection is released clean, or destroyed if it cannot be known to be.
 * @throws what `work` throws, after ROLLBACK, even if the rollback fails too; CommitAbortedError if a statement had
 *   failed and `work` went on regardless; QueryError if a deferred constraint fails at COMMIT
 */
export async function runUnitOfWork<T>(lease: Lease, work: (uow: UnitOfWork) => Promise<T>): Promise<T> {
  const { connection } = lease
  const uow = new OpenUnit(connection)
  let clean = false
  try {
    await connection.control('BEGIN')
    const result = await work(uow)
    uow.close()
    // PostgreSQL answers COMMIT of a failed transaction with success and the tag ROLLBACK.
    const tag = await connection.control('COMMIT')
    clean = true
    if (tag !== 'COMMIT') throw new CommitAbortedError(uow.firstError)
    return result
  } catch (error) {
    uow.close()
    clean ||= await rolledBack(connection)
    throw error
  } finally {
    lease.release(clean)
  }
}

/** Whether the connection is known to be out of the transaction. The error that led here matters more than this one. */
async function rolledBack(connection: Connection): Promise<boolean> {
  return connection.control('ROLLBACK').then(
    () => true,
    () => false,
  )
}

class OpenUnit implements UnitOfWork {
  #connection: Connection | null
  /** The first SQL error: what aborted the transaction. */
  firstError: unknown = undefined

  constructor(connection: Connection) {
    this.#connection = connection
  }

  async execute<Params, Row, Result>(query: Query<Params, Row, Result>, params: Params): Promise<Result> {
    if (this.#connection === null) throw new UnitOfWorkClosedError(query)
    try {
      return await this.#connection.execute(query, params)
    } catch (error) {
      if (error instanceof QueryError) this.firstError ??= error
      throw error
    }
  }

  close(): void {
    this.#connection = null
  }
}
