// One connection, as a unit of work and the database see it: `wire.ts` over a socket, `plainConnection.ts` over any
// `pg` client; a test database brings its own, and everything above works the same. Free of pg's types, which users
// who look into our declarations may not have.

import type { QueryIdentity } from '../errors.ts'
import type { Executor, Query } from '../query/executor.ts'
import type { Observer } from './observe/observer.ts'
import type { PoolStats } from './pool/options.ts'

/** A connection with one owner. Statements run in call order. */
export interface Connection extends Executor {
  /**
   * Runs a query. One round trip.
   * @param prelude control statements (BEGIN, SET LOCAL, SAVEPOINT, …), one command each, to run first, in the same
   *   round trip where the connection can. If one fails, nothing behind it is run and its error is thrown. The owner
   *   sends nothing else until this call has settled.
   * @throws ParameterError before anything was sent, the prelude included
   */
  execute<Params, Row, Result>(
    query: Query<Params, Row, Result>,
    params: Params,
    prelude?: readonly string[],
  ): Promise<Result>
  /**
   * Whether a transaction was open when it last answered; absent where nobody knows: the client does not say so, or the
   * answer was an error of which it said nothing.
   */
  readonly inTransaction?: boolean | undefined
  /** Runs BEGIN, COMMIT, SAVEPOINT and the like; answers the command tag, which for COMMIT may be `ROLLBACK`. */
  control(sql: string): Promise<string>
  /** For how long the server has been owing an answer, in ms; 0 if it owes none. Absent where none can be late. */
  busyMs?(now: number): number
  /** Gives the connection up: what is in flight fails with a ConnectionError. Absent where `busyMs` is. */
  destroy?(cause: Error): void
  /**
   * Asks the server to cancel what it runs for this connection, by a CancelRequest on a socket of its own. Resolves
   * when the server has passed it on: what is sent afterwards cannot be hit. The statement then fails with 57014, or
   * was faster. If nothing runs, nothing happens. Absent where there is no server process.
   * @throws ConnectionError if the server cannot be reached
   */
  cancel?(): Promise<void>
}

/** What `acquire` hands out: a connection that must be given back. */
export interface Lease {
  readonly connection: Connection
  /** `statement_timeout` as the owner has set it for himself, in ms: so long he may be without an answer, too. */
  statementTimeoutMs?: number
  /** @param reusable false if the connection's state is unknown: it is destroyed */
  release(reusable: boolean): void
}

/** How a database closes. */
export interface CloseOptions {
  /** How long running work may go on before it is cancelled, in ms. Default: until it ends by itself. */
  readonly graceMs?: number | undefined
}

/** Where connections come from. */
export interface ConnectionSource {
  /** What its queries are told to. */
  readonly observer?: Observer
  /** That COMMIT is always answered, so that there is no fate of a commit to ask about: a database in this process. */
  readonly answersCommit?: true
  /**
   * A connection to oneself; at once if there is one at hand.
   * @param query whom it is for, to be named in errors
   * @param use what for, to be named in the errors of others; default: a unit of work
   * @throws AcquireTimeoutError, PoolOverloadedError, ConnectionError, DatabaseClosedError; or rejects with them
   */
  acquire(query: QueryIdentity | null, use?: 'call'): Lease | Promise<Lease>
  /** Runs a statement as a transaction of its own, if there is a better way than a connection to itself. */
  execute?<Params, Row, Result>(query: Query<Params, Row, Result>, params: Params): Promise<Result>
  stats?(): PoolStats
  close(options?: CloseOptions): Promise<void>
}
