// Two PostgreSQL servers on ports of this machine, the second a streaming standby of the first, for what happens when they
// change roles. A commit on the first waits until the standby has it on disk, so what is committed survives the first.

import { chownSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Client, type QueryResultRow } from 'pg'
import { copyFolder, makeTemporaryFolder } from '../../lib/embedded/files.ts'
import { type EmbeddedServer, startEmbedded } from '../../lib/embedded/index.ts'
import { serverUser } from '../../lib/embedded/user.ts'
import { startWatchdog } from '../../lib/embedded/watchdog.ts'

export interface Node {
  /** `127.0.0.1:20123`: the same for all its life. */
  readonly place: string
  readonly url: string
  /** Runs SQL on a connection of its own. */
  run<Row extends QueryResultRow>(sql: string, values?: unknown[]): Promise<Row[]>
  /** Ends its main process by SIGKILL: every session ends without a word. Resolves when all its processes are gone. */
  kill(): Promise<void>
  /** Ends it in order: sessions are told, and the standby gets all that was written. */
  stop(): Promise<void>
  /** Starts it again, with more settings. */
  start(settings?: Readonly<Record<string, string>>): Promise<void>
  restart(mode: 'fast' | 'immediate'): Promise<void>
  /** Makes it a primary. Resolves when it takes writes. */
  promote(): Promise<void>
}

export interface Replication {
  readonly primary: Node
  readonly standby: Node
  stop(): Promise<void>
}

/** Takes about a second. */
export async function startReplication(): Promise<Replication> {
  const user = serverUser()
  const folder = makeTemporaryFolder(user)
  // It goes even if we are killed.
  const watchdog = startWatchdog(folder)
  const [first, second] = [join(folder, 'first'), join(folder, 'second')]
  await (await startEmbedded({ dataDirectory: first })).stop()
  // A copy of a server that was shut down is what a base backup would be.
  await copyFolder(first, second)
  const signal = join(second, 'standby.signal')
  writeFileSync(signal, '')
  if (user.other) chownSync(signal, user.uid, user.gid)

  const primary = new EmbeddedNode(first, await unusedPort())
  const standby = new EmbeddedNode(second, await unusedPort())
  const stop = async (): Promise<void> => {
    await Promise.all([primary.stop(), standby.stop()])
    await watchdog.release()
  }
  try {
    await primary.start({ synchronous_standby_names: 'standby' })
    const [host, port] = primary.place.split(':')
    await standby.start({
      primary_conninfo: `host=${host} port=${port} user=postgres application_name=standby`,
      wal_retrieve_retry_interval: '100ms',
    })
    const state = async (): Promise<unknown> => (await primary.run('select sync_state from pg_stat_replication'))[0]
    while (JSON.stringify(await state()) !== '{"sync_state":"sync"}') await sleep(10)
    return { primary, standby, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

/** For servers that nobody needs tomorrow. The memory in its data directory goes with it, however it ends. */
const settings = { fsync: 'off', shared_buffers: '32MB', dynamic_shared_memory_type: 'mmap' }

class EmbeddedNode implements Node {
  readonly place: string
  readonly url: string
  readonly #dataDirectory: string
  readonly #port: number
  #server: EmbeddedServer | null = null

  constructor(dataDirectory: string, port: number) {
    this.#dataDirectory = dataDirectory
    this.#port = port
    this.place = `127.0.0.1:${port}`
    this.url = `postgresql://postgres@${this.place}/postgres`
  }

  async start(more: Readonly<Record<string, string>> = {}): Promise<void> {
    this.#server = await startEmbedded({
      dataDirectory: this.#dataDirectory,
      settings: { ...settings, listen_addresses: '127.0.0.1', port: String(this.#port), ...more },
    })
  }

  async run<Row extends QueryResultRow>(sql: string, values: unknown[] = []): Promise<Row[]> {
    const client = new Client(this.url)
    client.on('error', () => {})
    await client.connect()
    try {
      return (await client.query<Row>(sql, values)).rows
    } finally {
      await client.end()
    }
  }

  async kill(): Promise<void> {
    if (this.#server !== null) process.kill(this.#server.processId, 'SIGKILL')
    await this.stop()
  }

  async restart(mode: 'fast' | 'immediate'): Promise<void> {
    await this.#server?.restart(mode)
  }

  async promote(): Promise<void> {
    await this.run('select pg_promote(true, 60)')
  }

  async stop(): Promise<void> {
    await this.#server?.stop()
    this.#server = null
  }
}

/** Below those that systems give to outgoing connections: nobody may take it while its server is away. */
async function unusedPort(): Promise<number> {
  for (;;) {
    const port = 15_000 + Math.floor(Math.random() * 10_000)
    const server = createServer()
    const free = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false))
      server.listen(port, '127.0.0.1', () => resolve(true))
    })
    if (!free) continue
    await new Promise((done) => server.close(done))
    return port
  }
}
