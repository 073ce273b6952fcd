// A database that nobody will miss: on an embedded PostgreSQL, or, where DATABASE_URL names a server, beside the one
// that it names. Never that one itself: it may be somebody's.

import { Client } from 'pg'
import { resolveServer } from '../../lib/embedded/index.ts'

export interface Playground extends AsyncDisposable {
  readonly url: string
  /** Where it is, in words. */
  readonly description: string
}

/** @param name the database's; the process's number is added to it */
export async function openPlayground(name: string): Promise<Playground> {
  const server = await resolveServer()
  const database = `${name}_${process.pid}`
  await execute(server.url, `create database ${database}`)
  return {
    url: server.databaseUrl(database),
    description: server.embedded
      ? 'embedded: npm brought it, it ends with this process'
      : `DATABASE_URL's server, in a database of our own: ${database}, dropped at the end`,
    async [Symbol.asyncDispose](): Promise<void> {
      if (!server.embedded) await execute(server.url, `drop database ${database} with (force)`)
      await server.stop()
    },
  }
}

async function execute(url: string, sql: string): Promise<void> {
  const client = new Client(url)
  await client.connect()
  try {
    await client.query(sql)
  } finally {
    await client.end()
  }
}
