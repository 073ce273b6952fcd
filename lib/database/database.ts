// The database: an executor over a pool of connections, and the door to units of work.

import { ConnectionError } from '../errors.ts'
import type { Executor, Query } from '../query/executor.ts'
import type { ConnectionSource } from './connection.ts'
import { type PoolOptions, pooledConnections } from './pool.ts'
import { runUnitOfWork, type UnitOfWork } from './unitOfWork.ts'

export interface DatabaseOptions {
  /**
   * `postgres://user:password@host:port/database`. Left out or undefined: PGHOST, PGPORT, PGUSER, PGPASSWORD and
   * PGDATABASE, as libpq reads them.
   */
  readonly url?: string | undefined
  readonly pool?: PoolOptions
  /** Shown in pg_stat_activity. Default: the name of the running script. */
  readonly applicationName?: string
}

/** A database, as an executor: every call is a transaction of its own, in one round trip, on any free connection. */
export interface Database extends Executor, AsyncDisposable {
  /**
   * Runs `work` in one transaction on one connection: commits when its promise resolves, rolls back when it rejects.
   * Await everything inside; the unit is over when `work` is.
   * @returns what `work` returns
   * @throws what `work` throws; CommitAbortedError if it swallowed the error of a statement
   */
  unitOfWork<T>(work: (uow: UnitOfWork) => Promise<T>): Promise<T>
  /** Waits for running work, closes every connection and refuses new work. Safe to call twice. */
  close(): Promise<void>
}

/**
 * Opens a database. Connections are made when they are first needed: a wrong URL shows at the first call.
 */
export function createDatabase(options: DatabaseOptions = {}): Database {
  const client = {
    ...(options.url === undefined ? {} : { connectionString: options.url }),
    application_name: options.applicationName ?? process.argv[1]?.split('/').at(-1) ?? 'plainsql',
    keepAlive: true,
  }
  return databaseOver(pooledConnections(client, options.pool))
}

/** A database over any source of connections: the pool, or a test database's. */
export function databaseOver(connections: ConnectionSource): Database {
  return {
    async execute<Params, Row, Result>(query: Query<Params, Row, Result>, params: Params): Promise<Result> {
      const lease = await connections.acquire(query)
      try {
        const result = await lease.connection.execute(query, params)
        lease.release(true)
        return result
      } catch (error) {
        lease.release(!(error instanceof ConnectionError))
        throw error
      }
    },
    async unitOfWork<T>(work: (uow: UnitOfWork) => Promise<T>): Promise<T> {
      return runUnitOfWork(await connections.acquire(null), work)
    },
    close: () => connections.close(),
    [Symbol.asyncDispose]: () => connections.close(),
  }
}
