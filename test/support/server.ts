// The PostgreSQL that tests run on, and databases on it.
// The runner starts one server for all files; a file that is run alone starts its own, which ends with its process.

import { randomBytes } from 'node:crypto'
import { Client } from 'pg'
import { makeDatabase } from '../../lib/embedded/makeDatabase.ts'
import { resolveServer, withDatabase } from '../../lib/embedded/resolve.ts'

export interface TestServer {
  readonly url: string
  databaseUrl(name: string): string
  /** Stops the server if it was started here; does nothing to one that others use. */
  stop(): Promise<void>
}

/** The runner's server (`PLAINSQL_TEST_SERVER`), else `DATABASE_URL`, else an embedded one. Every call answers the same. */
export function testServer(): Promise<TestServer> {
  server ??= start()
  return server
}

async function start(): Promise<TestServer> {
  const { PLAINSQL_TEST_SERVER, DATABASE_URL } = process.env
  const found = await resolveServer({ url: PLAINSQL_TEST_SERVER })
  // What the first connection to a database makes is copied with it, and the tests make hundreds of copies of this one.
  if (!PLAINSQL_TEST_SERVER && !DATABASE_URL) await onServer(found.databaseUrl('template1'), async () => {})
  return found
}

let server: Promise<TestServer> | undefined

export interface TestDatabase {
  readonly url: string
  /** Ends the connections that are left, and drops it. */
  drop(): Promise<void>
}

/** A database of its own, with the schema given. Takes about 20 ms. */
export async function freshDatabase(schemaSql = ''): Promise<TestDatabase> {
  const { url } = await testServer()
  const name = `test_${process.pid}_${randomBytes(4).toString('hex')}`
  await onServer(url, (client) => makeDatabase(client, name))
  const database = withDatabase(url, name)
  if (schemaSql !== '') await execute(database, schemaSql)
  return { url: database, drop: () => execute(url, `drop database if exists ${name} with (force)`) }
}

async function execute(url: string, sql: string): Promise<void> {
  await onServer(url, (client) => client.query(sql))
}

async function onServer(url: string, work: (client: Client) => Promise<unknown>): Promise<void> {
  const client = new Client(url)
  await client.connect()
  try {
    await work(client)
  } finally {
    await client.end()
  }
}
