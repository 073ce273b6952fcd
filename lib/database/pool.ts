// The connections of a database: a `pg-pool` whose clients are checked out one owner at a time and given back
// undamaged by SQL errors. Never `pool.query`: it destroys its connection on any error.

import { Client, type ClientConfig, type PoolClient } from 'pg'
import Pool from 'pg-pool'
import { AcquireTimeoutError, ConnectionError, DatabaseClosedError, type QueryIdentity } from '../errors.ts'
import { type Connection, type ConnectionSource, type Lease, plainConnection } from './connection.ts'
import { wireOver } from './wire.ts'

/** How many connections there are, and how long they are waited for and kept. */
export interface PoolOptions {
  /** Connections at most. Default 10: more seldom helps a server whose cores are busy. */
  readonly max?: number
  /** Idle connections that are kept for good. Default 0. */
  readonly min?: number
  /** How long a caller waits for a connection before AcquireTimeoutError, in ms. Default 30,000; 0 waits for ever. */
  readonly acquireTimeoutMs?: number
  /** After how long an idle connection is closed, in ms. Default 10,000; 0 never. */
  readonly idleTimeoutMs?: number
  /** After how long a connection is replaced, in ms. Default 30 minutes; 0 never. */
  readonly maxLifetimeMs?: number
}

const defaults = { max: 10, min: 0, acquireTimeoutMs: 30_000, idleTimeoutMs: 10_000, maxLifetimeMs: 30 * 60_000 }

/** What pg sends in its startup message: settings of the session, by name. */
interface Startup {
  getStartupConf(): Record<string, string>
}

/** A client whose session prints dates as our decoders read them, whatever the server, database or role say. */
class IsoClient extends Client {
  getStartupConf(): Record<string, string> {
    const inherited = Client.prototype as unknown as Startup
    return { ...inherited.getStartupConf.call(this), DateStyle: 'ISO' }
  }
}

/** @param client connection settings as `pg` takes them */
export function pooledConnections(client: ClientConfig, options: PoolOptions = {}): ConnectionSource {
  const { max, min, acquireTimeoutMs, idleTimeoutMs, maxLifetimeMs } = { ...defaults, ...options }
  const pool = new Pool({
    ...client,
    Client: IsoClient,
    max,
    min,
    connectionTimeoutMillis: acquireTimeoutMs,
    idleTimeoutMillis: idleTimeoutMs,
    maxLifetimeSeconds: maxLifetimeMs / 1000,
  })
  // An idle client that dies tells its pool, which has removed it already and needs no help; without a listener the
  // process would end. One that dies in use fails its statement, which is where the owner hears of it.
  pool.on('error', () => {})
  pool.on('connect', (connected) => connected.on('error', () => {}))
  let closing: Promise<void> | undefined

  return {
    async acquire(query: QueryIdentity | null): Promise<Lease> {
      if (closing) throw new DatabaseClosedError(query)
      const acquired = await pool.connect().catch((error: Error) => {
        if (closing) throw new DatabaseClosedError(query)
        if (error.message === 'timeout exceeded when trying to connect') {
          throw new AcquireTimeoutError(query, acquireTimeoutMs, { max, waiting: pool.waitingCount })
        }
        throw new ConnectionError(query, error)
      })
      return lease(acquired)
    },

    close(): Promise<void> {
      closing ??= pool.end()
      return closing
    },
  }
}

const connections: WeakMap<object, Connection> = new WeakMap()

function lease(client: PoolClient): Lease {
  let connection = connections.get(client)
  if (connection === undefined) {
    connection = (process.env.PLAINSQL_PLAIN ? null : wireOver(client as unknown as Client)) ?? plainConnection(client)
    connections.set(client, connection)
  }
  return { connection, release: (reusable) => client.release(!reusable) }
}
