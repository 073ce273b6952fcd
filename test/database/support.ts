// Hand-written typed functions, as a generator would write them, and a database for each test file.

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

export function sleep(ms: number): Promise<void> {
  return new Promise((done) => setTimeout(done, ms))
}

function identity(): { name: string; source: string; statement: string } {
  const name = `test${++statements}`
  return { name, source: `sql/test.sql:${statements}`, statement: name }
}
