// Doing a unit of work again: when that is safe, and how long to wait before.

import { CancelledError, CommitUnknownError, ConnectionError, NotCommittedError, QueryError } from '../../errors.ts'

/** How often a unit of work is run again, how soon, and why beyond what may always pass. */
export interface RetryOptions {
  /** How often the unit is run at most, the first time included. Default 5. */
  readonly attempts?: number | undefined
  /** The wait before the second attempt is at most so long, in ms, and doubles each time. Default 10. */
  readonly baseDelayMs?: number | undefined
  /** No wait is longer, in ms. Default 1,000. */
  readonly maxDelayMs?: number | undefined
  /**
   * Whether to start again as well when the connection could not be made, was lost before COMMIT was sent, or was lost
   * during COMMIT and `verifyCommit` found that nothing was committed. Default false.
   */
  readonly connectionLoss?: boolean | undefined
}

/**
 * Whether the unit has failed for a reason that may pass: a serialization failure (40001), a deadlock (40P01), or a
 * statement that was prepared before the schema changed and is prepared anew the next time; wherever in the error's
 * causes. And if asked for, the loss of the connection. Never once it may have been committed.
 * @param thrown what the unit's function, or COMMIT, threw
 * @param failure what broke the unit first, which its function may have replaced by an error of its own
 */
export function mayPass(thrown: unknown, failure: unknown, { connectionLoss = false }: RetryOptions): boolean {
  if (thrown instanceof CommitUnknownError || thrown instanceof CancelledError) return false
  if (isRetryable(thrown) || isRetryable(failure)) return true
  return connectionLoss && [thrown, failure].some(isConnectionLoss)
}

/** Between 0 and the attempt's limit, so that units that collided do not collide again ("full jitter"). */
export function delayMs(attempt: number, { baseDelayMs = 10, maxDelayMs = 1_000 }: RetryOptions): number {
  return Math.random() * Math.min(maxDelayMs, baseDelayMs * 2 ** (attempt - 1))
}

function isRetryable(error: unknown, depth = 0): boolean {
  if (error instanceof QueryError) return error.retryable
  // Errors can be their own causes.
  return error instanceof Error && depth < 8 && isRetryable(error.cause, depth + 1)
}

function isConnectionLoss(error: unknown): boolean {
  return error instanceof ConnectionError || error instanceof NotCommittedError
}
