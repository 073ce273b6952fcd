// The database: an executor over a pool of connections, and the door to units of work.

import { PlainsqlError, type QueryIdentity } from '../errors.ts'
import type { Executor, Query } from '../query/executor.ts'
import { autocommit } from './autocommit.ts'
import { Cancellation, type CancelOptions } from './cancellation.ts'
import type { CloseOptions, ConnectionSource } from './connection.ts'
import { callSiteUnderLoad } from './observe/callSite.ts'
import { type LogOptions, logFor } from './observe/log.ts'
import { type NPlusOneOptions, watched } from './observe/nPlusOne.ts'
import { Observer } from './observe/observer.ts'
import { type Certificates, checkStartup, type PoolOptions, type PoolStats, poolSettings } from './pool/options.ts'
import { pooledConnections } from './pool/pool.ts'
import { readTargets } from './pool/targets.ts'
import { type InsideUnitOptions, scopeAround, scopeToJoin } from './unit/insideUnit.ts'
import { joinUnit, runUnitOfWork, type UnitOfWork, type UnitOfWorkOptions } from './unit/unitOfWork.ts'

/** Where a database is, and everything that can be set about it; nothing needs to be. */
export interface DatabaseOptions extends InsideUnitOptions, NPlusOneOptions, LogOptions {
  /**
   * `postgres://user:password@host:port/database`. What it does not say, or all of it if left out, comes from PGHOST,
   * PGPORT, PGUSER, PGPASSWORD, PGDATABASE and the others that docs/pool.md names.
   */
  readonly url?: string | undefined
  /**
   * Instead of that of the URL. A function is asked whenever a connection is made: for passwords that expire, such as the
   * tokens of RDS, Azure and Cloud SQL. What it throws is the cause of a ConnectionError.
   */
  readonly password?: string | (() => string | Promise<string>) | undefined
  /** TLS certificates as text, where there are no files for the URL's `sslrootcert`, `sslcert` and `sslkey`. */
  readonly ssl?: Certificates | undefined
  readonly pool?: PoolOptions | undefined
  /** Shown in pg_stat_activity. Default: that of the URL, else PGAPPNAME, else the name of the running script. */
  readonly applicationName?: string | undefined
}

/** A database, as an executor: every call is a transaction of its own, in one round trip, on any free connection. */
export interface Database extends Executor, AsyncDisposable {
  /**
   * Runs `work` in one transaction on one connection: commits when its promise resolves, rolls back when it rejects.
   * Await everything inside; the unit is over when `work` is. BEGIN rides with the first statement, so n statements
   * one after another are n + 1 round trips; a unit that runs none takes no connection.
   * @returns what `work` returns
   * @throws what `work` throws; CommitAbortedError if it swallowed the error of a statement; CommitUnknownError or
   *   NotCommittedError if the connection was lost during COMMIT; TimeoutError, CancelledError; DatabaseInsideUnitError
   *   inside another unit of the same database; TypeError for options that cannot be meant
   */
  unitOfWork<T>(work: (uow: UnitOfWork) => Promise<T>, options?: UnitOfWorkOptions): Promise<T>
  /**
   * The same database for calls that differ: `getUser(db.with({ signal, timeoutMs: 200 }), …)`. A call that may be
   * cancelled has a connection of its own while it runs, and the server really stops its statement.
   */
  with(options: CallOptions): Executor & Pick<Required<Executor>, 'unitOfWork'>
  /** The connections at this moment; null for a database that has none (pg-mem), which one of createDatabase never is. */
  stats(): PoolStats | null
  /**
   * Refuses new work, lets running work end (for `graceMs` at most, then the server cancels it) and closes every
   * connection. Safe to call twice. It does not wait for `afterCommit` hooks.
   * @throws PlainsqlError inside a unit of work, for whose end it would wait; with `graceMs` it ends the unit
   */
  close(options?: CloseOptions): Promise<void>
}

/** What createDatabase opens: a database that has connections. */
export interface PooledDatabase extends Database {
  stats(): PoolStats
}

/** What `db.with` sets for the calls through it. */
export interface CallOptions extends CancelOptions {
  /** Run outside of the unit of work around the call, on another connection, when that is meant. Default false. */
  readonly outsideUnit?: boolean | undefined
}

/**
 * Opens a database. Connections are made when they are first needed: a wrong host or password shows at the first call.
 * @throws TypeError for a URL that is none and for settings that are no text, RangeError for numbers that cannot be meant;
 *   what reading a certificate throws
 */
export function createDatabase(options: DatabaseOptions = {}): PooledDatabase {
  const targets = readTargets(options.url, process.env, options.ssl)
  const script = process.argv[1]?.split(/[\\/]/).at(-1) ?? 'plainsql'
  const { application_name: named = process.env.PGAPPNAME || script } = targets.config
  const client = {
    application_name: options.applicationName ?? named,
    ...(options.password !== undefined && { password: options.password }),
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
  }
  checkStartup('applicationName', client.application_name)
  const [first] = targets.list
  const identity = {
    name: targets.config.database ?? null,
    host: first?.host ?? null,
    port: first?.port ?? null,
    applicationName: client.application_name,
  }
  const observer = new Observer(identity, logFor(options), options.logParameters)
  const connections = pooledConnections(targets, poolSettings(options.pool ?? {}), client, observer)
  // A pool always has them.
  const database = databaseOver(connections, options) as PooledDatabase
  return watched(database, options)
}

/** A database over any source of connections: the pool, or a test database's. */
export function databaseOver(connections: ConnectionSource, inside: InsideUnitOptions = {}): Database {
  const outside: Executor = { execute: (query, params) => autocommit(connections, query, params), unitOfWork }

  const around = ({ outsideUnit }: CallOptions): InsideUnitOptions => (outsideUnit ? { guard: false } : inside)

  function here(query: QueryIdentity): Executor {
    return scopeToJoin(connections, query, inside, here) ?? outside
  }

  // Not async: a promise less on the way of every statement.
  function execute<Params, Row, Result>(query: Query<Params, Row, Result>, params: Params): Promise<Result> {
    try {
      const scope = scopeToJoin(connections, query, inside, execute)
      return (scope ?? outside).execute(query, params)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  function unitOfWork<T>(work: (uow: UnitOfWork) => Promise<T>, options: UnitOfWorkOptions = {}): Promise<T> {
    try {
      const scope = scopeToJoin(connections, null, around(options), unitOfWork)
      const openedAt = callSiteUnderLoad(unitOfWork)
      return scope === null ? runUnitOfWork(connections, work, options, openedAt) : joinUnit(scope, work, options)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  function withOptions(options: CallOptions): ReturnType<Database['with']> {
    const { signal, timeoutMs } = options
    const own = around(options)
    const alone: Executor = {
      execute(query, params) {
        const cancellation = new Cancellation(options)
        return autocommit(connections, query, params, cancellation).finally(() => cancellation.dispose())
      },
      unitOfWork: (work) => executor.unitOfWork(work),
    }
    // One for each unit that calls have joined: by it a batching scope tells whose calls may be put together.
    const joined = new WeakMap<UnitOfWork, Executor>()
    const on = (query: QueryIdentity, called: (...args: never[]) => unknown): Executor => {
      const scope = scopeToJoin(connections, query, own, called)
      if (scope === null) return alone
      const known = joined.get(scope) ?? scope.with(options)
      joined.set(scope, known)
      return known
    }
    const executor: Required<Executor> = {
      execute: async (query, params) => on(query, executor.execute).execute(query, params),
      async unitOfWork(work) {
        const scope = scopeToJoin(connections, null, own, executor.unitOfWork)
        return scope === null
          ? runUnitOfWork(connections, work, { signal, timeoutMs }, callSiteUnderLoad(executor.unitOfWork))
          : scope.savepoint((savepoint) => work(savepoint.with(options)))
      },
      here: (query) => on(query, executor.here),
    }
    return executor
  }

  async function close(closing: CloseOptions = {}): Promise<void> {
    const scope = closing.graceMs === undefined ? scopeAround(connections) : null
    if (scope === null) return connections.close(closing)
    const opened = scope.place === null ? '' : ` (opened at ${scope.place})`
    throw new PlainsqlError(
      `db.close() inside a unit of work${opened} would wait for that for ever: close db behind it`,
    )
  }

  return {
    execute,
    here,
    unitOfWork,
    with: withOptions,
    stats: () => connections.stats?.() ?? null,
    close,
    [Symbol.asyncDispose]: close,
  }
}
