// The server that all are measured on: BENCH_URL, or an embedded one on the loopback interface. The database is made new.

import { createServer } from 'node:net'
import pg from 'pg'
import { startEmbedded } from '../lib/embedded/index.ts'
import { cleanUp, data, schema } from './schema.ts'

export interface BenchServer {
  readonly url: string
  readonly version: string
  /** Empties what a work has written. */
  cleanUp(): Promise<void>
  /** Stops and starts the server; absent if it is not ours. */
  restart?: () => Promise<void>
  stop(): Promise<void>
}

export async function openServer(): Promise<BenchServer> {
  const embedded = process.env.BENCH_URL === undefined ? await startOnPort() : null
  const admin = process.env.BENCH_URL ?? (embedded?.url as string)
  await run(admin, 'drop database if exists plainsql_bench with (force)')
  await run(admin, 'create database plainsql_bench')
  const url = new URL(admin)
  url.pathname = '/plainsql_bench'
  await run(url.href, schema + data)
  const [row] = await run(url.href, 'show server_version')
  return {
    url: url.href,
    version: String(row?.server_version),
    cleanUp: async () => void (await run(url.href, cleanUp)),
    ...(embedded && { restart: embedded.restart }),
    stop: async () => embedded?.stop(),
  }
}

async function startOnPort(): Promise<{ url: string; restart: () => Promise<void>; stop: () => Promise<void> }> {
  const port = await freePort()
  const server = await startEmbedded({
    settings: { listen_addresses: '127.0.0.1', port: String(port), shared_buffers: '256MB' },
  })
  return {
    url: `postgresql://postgres@127.0.0.1:${port}/postgres`,
    restart: () => server.restart(),
    stop: () => server.stop(),
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((done) => server.once('listening', done))
  const { port } = server.address() as { port: number }
  await new Promise((done) => server.close(done))
  return port
}

async function run(url: string, sql: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client(url)
  await client.connect()
  try {
    return (await client.query(sql)).rows
  } finally {
    await client.end()
  }
}
