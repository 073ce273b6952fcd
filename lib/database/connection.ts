// One connection, as a unit of work and the database see it. `plainConnection` is the one over a `pg` client;
// a test database brings its own, and everything above works the same.

import { type Client, DatabaseError } from 'pg'
import { ConnectionError, type PlainsqlError, type QueryIdentity, queryError } from '../errors.ts'
import type { Executor, Query } from '../query/executor.ts'
import { decodeRows, encodeParams } from '../query/text.ts'
import { backendOf, cancelRequest } from './cancelRequest.ts'
import { noteSent, type Observer } from './observer.ts'
import type { PoolStats } from './pool.ts'

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
  /** Runs BEGIN, COMMIT, SAVEPOINT and the like; answers the command tag, which for COMMIT may be `ROLLBACK`. */
  control(sql: string): Promise<string>
  /** The server process behind the connection, as in pg_stat_activity; absent where there is none (a test database). */
  readonly processId?: number
  /**
   * Asks the server to cancel what it runs for this connection, by a CancelRequest on a socket of its own. Resolves
   * when the server has passed it on: what is sent afterwards cannot be hit. The statement then fails with 57014, or
   * was faster. If nothing runs, nothing happens. Absent where `processId` is.
   * @throws ConnectionError if the server cannot be reached
   */
  cancel?(): Promise<void>
}

/** What `acquire` hands out: a connection that must be given back. */
export interface Lease {
  readonly connection: Connection
  /** @param reusable false if the connection's state is unknown: it is destroyed */
  release(reusable: boolean): void
}

export interface CloseOptions {
  /** How long running work may go on before it is cancelled, in ms. Default: until it ends by itself. */
  readonly graceMs?: number
}

/** Where connections come from. */
export interface ConnectionSource {
  /** What its queries are told to. */
  readonly observer?: Observer
  /** @param query whom it is for, to be named in errors */
  acquire(query: QueryIdentity | null): Promise<Lease>
  /** Runs a statement as a transaction of its own, if there is a better way than a connection to itself. */
  execute?<Params, Row, Result>(query: Query<Params, Row, Result>, params: Params): Promise<Result>
  stats?(): PoolStats
  close(options?: CloseOptions): Promise<void>
}

/** PostgreSQL's texts as they are: the generated decoder parses them. */
const rawText = { getTypeParser: () => (text: string) => text }

export function plainConnection(client: Pick<Client, 'query'>): Connection {
  const backend = backendOf(client)
  return {
    async execute<Params, Row, Result>(
      query: Query<Params, Row, Result>,
      params: Params,
      prelude?: readonly string[],
    ): Promise<Result> {
      const values = encodeParams(query, params)
      noteSent(query, 1 + (prelude?.length ?? 0))
      for (const sql of prelude ?? []) await this.control(sql)
      const result = await client
        .query<(string | null)[]>({
          name: query.statement,
          text: query.sql,
          values,
          rowMode: 'array',
          types: rawText,
        })
        .catch((error: unknown) => {
          throw clientError(query, error)
        })
      const columns = result.fields.map((field) => field.name)
      return query.finish(decodeRows(query, columns, result.rows), result.rowCount ?? 0)
    },

    async control(sql: string): Promise<string> {
      const result = await client.query(sql).catch((error: unknown) => {
        throw clientError(null, error)
      })
      return result.command
    },

    ...(backend && { processId: backend.processId, cancel: () => cancelRequest(client) }),
  }
}

/** ERROR leaves the connection usable; FATAL, PANIC and everything that is not an answer of the server do not. */
function clientError(query: QueryIdentity | null, error: unknown): PlainsqlError {
  if (error instanceof DatabaseError && error.severity === 'ERROR') return queryError(query, error)
  return new ConnectionError(query, error as Error)
}
