// Hand-written typed functions, as a generator would write them, and a database for each test file.

import type { Client } from 'pg'
import { createDatabase, type Database, type DatabaseOptions } from '../../lib/database/database.ts'
import { type Exec, exec, type Many, many, type Value, value } from '../../lib/query/kinds.ts'
import type { ParamWriter } from '../../lib/query/params.ts'
import type { RowReader } from '../../lib/query/row.ts'
import { freshDatabase } from '../support/server.ts'

/** A fresh database and what opens it. Call `done` after the last test. */
export async function openDatabase(
  schema = '',
  options: DatabaseOptions = {},
): Promise<{ db: Database; url: string; done: () => Promise<void> }> {
  const fresh = await freshDatabase(schema)
  const db = createDatabase({ url: fresh.url, ...options })
  return {
    db,
    url: fresh.url,
    done: async () => {
      await db.close()
      await fresh.drop()
    },
  }
}

let statements = 0

/** A `:many` query. The statement's name is new for every call. */
export function rows<Params = void, Row = unknown>(
  sql: string,
  read: (r: RowReader) => Row,
  write?: (w: ParamWriter, p: Params) => void,
  params: readonly string[] = [...sql.matchAll(/\$\d+/g)].map(([match]) => match.slice(1)),
): Many<Params, Row> {
  return many<Params, Row>({ ...identity(), sql, read, params, ...(write && { write }) })
}

/** A `:value` query of an int4. */
export function number(sql: string): Value<void, number> {
  return value<void, number>({ ...identity(), sql, read: (r) => r.int4(0) })
}

/** An `:exec` query without parameters. */
export function command(sql: string): Exec<void> {
  return exec<void>({ ...identity(), sql })
}

export const backendPid: Value<void, number> = number('select pg_backend_pid()')

/** What a promise rejects with. */
export async function failure(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => {
      throw new Error('expected an error, got none')
    },
    (error: unknown) => error,
  )
}

/** Looks again and again, for half a minute at most: a busy machine takes its time. */
export async function until(holds: () => unknown): Promise<void> {
  const deadline = performance.now() + 30_000
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error('it never came to hold')
    await sleep(10)
  }
}

/** Something to wait for that happens when the test says so. */
export function gate(): { readonly opened: Promise<void>; open(): void } {
  let open = (): void => {}
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return { opened, open: () => open() }
}

/** What statements wait for at the server, for as long as the test says. */
export interface Door {
  /** To be put into FROM: waits while the door is shut. */
  readonly passes: string
  shut(): Promise<void>
  open(): Promise<void>
}

/** @param client of the same database, outside of every pool */
export function door(client: Client): Door {
  const key = ++doors
  const run = async (call: string): Promise<void> => void (await client.query(`select ${call}(${key})`))
  return {
    passes: `pg_advisory_xact_lock_shared(${key})`,
    shut: () => run('pg_advisory_lock'),
    open: () => run('pg_advisory_unlock'),
  }
}

let doors = 0

export function sleep(ms: number): Promise<void> {
  return new Promise((done) => setTimeout(done, ms))
}

function identity(): { name: string; source: string; statement: string } {
  const name = `test${++statements}`
  return { name, source: `sql/test.sql:${statements}`, statement: name }
}
