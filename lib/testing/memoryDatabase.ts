// memoryDatabase: the schema of the migrations in pg-mem, behind the same interface as a real database.

import type { ConnectionSource } from '../database/connection.ts'
import { type Database, databaseOver } from '../database/database.ts'
import { type NPlusOneOptions, watched } from '../database/observe/nPlusOne.ts'
import type { InsideUnitOptions } from '../database/unit/insideUnit.ts'
import type { UnitOfWork, UnitOfWorkOptions } from '../database/unit/unitOfWork.ts'
import { DatabaseClosedError, PlainsqlError, type QueryIdentity } from '../errors.ts'
import { MemoryConnection } from './connection.ts'
import { createEngine, type State } from './engine.ts'
import { defineIn } from './migrations.ts'
import { MemorySchema } from './schema.ts'
import { type SchemaOptions, schemaSources } from './schemaSources.ts'
import { openUnits, Store } from './store.ts'

export interface MemoryDatabaseOptions extends SchemaOptions, InsideUnitOptions, NPlusOneOptions {
  /** How long a writer waits for another one's unit of work before it is refused, in ms. Default 5000. */
  readonly lockTimeoutMs?: number | undefined
}

/** All data of a memory database at one moment. Keeping one costs nothing; it can be restored any number of times. */
export interface Snapshot {
  readonly takenAt: Date
}

export interface MemoryDatabase extends Database {
  snapshot(): Snapshot
  /**
   * Puts the data back, sequences included: to the snapshot, or to what it was when the database was made.
   * @throws PlainsqlError while a unit of work has written and is not over; for another database's snapshot
   */
  restore(snapshot?: Snapshot): void
}

/**
 * A database in this process, over pg-mem, made in milliseconds: for tests that run typed functions with no server.
 *
 * What it runs gives PostgreSQL's results; what pg-mem would get wrong is refused, tables and views that it cannot have by
 * the queries that use them. Known differences: sequences roll back with a unit of work or a failed statement, where
 * PostgreSQL leaves gaps; moments have milliseconds, not microseconds; texts are compared as in the locale "C"; the time
 * zone is UTC; of several constraints that a row breaks the error may name another one; writers run one after the other,
 * so that there are no deadlocks and no serialization failures to be met.
 *
 * @throws UnsupportedInMemoryError naming the migration or, later, the query, and the feature; PlainsqlError if pg-mem
 *   is not installed; MigrationFilesError; ConfigError if the schema is not there, or not UTF-8
 */
export async function memoryDatabase(options: MemoryDatabaseOptions = {}): Promise<MemoryDatabase> {
  const [engine, sources] = await Promise.all([createEngine(), schemaSources(options)])
  const schema = new MemorySchema()
  for (const source of sources) defineIn({ engine, schema }, source)

  const initial = engine.state()
  const store = new Store(initial, options.lockTimeoutMs ?? 5000)
  const states = new WeakMap<Snapshot, State>()
  let closed = false
  const connections: ConnectionSource = {
    answersCommit: true,
    async acquire(query: QueryIdentity | null) {
      if (closed) throw new DatabaseClosedError(query)
      const connection = new MemoryConnection({ engine, schema, store })
      return { connection, release: () => connection.release() }
    },
    async close() {
      closed = true
    },
  }
  const database = databaseOver(connections, options)
  const memory: MemoryDatabase = {
    ...database,
    unitOfWork<T>(work: (uow: UnitOfWork) => Promise<T>, unitOptions?: UnitOfWorkOptions): Promise<T> {
      return openUnits.run([...(openUnits.getStore() ?? []), {}], () => database.unitOfWork(work, unitOptions))
    },
    snapshot() {
      const snapshot = { takenAt: new Date() }
      states.set(snapshot, store.committed)
      return snapshot
    },
    restore(snapshot) {
      const state = snapshot ? states.get(snapshot) : initial
      if (!state) throw new PlainsqlError('the snapshot was taken of another memory database')
      if (store.isWritten) throw new PlainsqlError('a unit of work is still open: await it before restore()')
      store.committed = state
    },
  }
  return watched(memory, options)
}
