// What the tests of the unit of work share: a table of notes, an observer outside of every pool, and a count of what is
// sent, by query name or control statement, one entry per round trip.

import { setTimeout as sleep } from 'node:timers/promises'
import { Client } from 'pg'
import * as assert from 'uvu/assert'
import type { Connection, ConnectionSource, Lease } from '../../lib/database/connection.ts'
import { type Database, databaseOver } from '../../lib/database/database.ts'
import { type PoolOptions, poolSettings } from '../../lib/database/pool/options.ts'
import { pooledConnections } from '../../lib/database/pool/pool.ts'
import { readTargets } from '../../lib/database/pool/targets.ts'
import type { InsideUnitOptions } from '../../lib/database/unit/insideUnit.ts'
import { ConnectionError } from '../../lib/errors.ts'
import type { Query } from '../../lib/query/executor.ts'
import { type Exec, exec, type One, one, type Value, type Values, value, values } from '../../lib/query/kinds.ts'
import { freshDatabase } from './server.ts'

export const schema = `
create table notes (id int primary key, text text not null);
create table accounts (id int primary key, balance int not null check (balance >= 0));
insert into accounts select id, 100 from generate_series(1, 20) id;
create table children (id int primary key, note int references notes deferrable initially deferred);
`

const source = 'test/support/units.ts'

export interface Note {
  id: number
  text: string
}

export const addNote: Exec<Note> = exec({
  name: 'addNote',
  source,
  statement: 'addNote',
  sql: 'insert into notes (id, text) values ($1, $2)',
  params: ['id', 'text'],
  write: (w, p) => {
    w.int4(p.id)
    w.text(p.text)
  },
})

export const createNote: One<Note, Note> = one({
  name: 'createNote',
  source,
  statement: 'createNote',
  sql: 'insert into notes (id, text) values ($1, $2) returning id, text',
  params: ['id', 'text'],
  write: (w, p) => {
    w.int4(p.id)
    w.text(p.text)
  },
  read: (r) => ({ id: r.int4(0), text: r.text(1) }),
})

export const addChild: Exec<{ id: number; note: number }> = exec({
  name: 'addChild',
  source,
  statement: 'addChild',
  sql: 'insert into children (id, note) values ($1, $2)',
  params: ['id', 'note'],
  write: (w, p) => {
    w.int4(p.id)
    w.int4(p.note)
  },
})

export const noteIds: Values<void, number> = values({
  name: 'noteIds',
  source,
  statement: 'noteIds',
  sql: 'select id from notes order by id',
  read: (r) => r.int4(0),
})

export const backendPid: Value<void, number> = value({
  name: 'backendPid',
  source,
  statement: 'backendPid',
  sql: 'select pg_backend_pid()',
  read: (r) => r.int4(0),
})

export const isolation: Value<void, string> = value({
  name: 'isolation',
  source,
  statement: 'isolation',
  sql: "select current_setting('transaction_isolation') || ' ' || current_setting('transaction_read_only')",
  read: (r) => r.text(0),
})

export const setting: Value<{ name: string }, string> = value({
  name: 'setting',
  source,
  statement: 'setting',
  sql: 'select current_setting($1)',
  params: ['name'],
  write: (w, p) => w.text(p.name),
  read: (r) => r.text(0),
})

export const wait: Value<{ seconds: number }, string> = value({
  name: 'wait',
  source,
  statement: 'wait',
  sql: 'select pg_sleep($1)::text',
  params: ['seconds'],
  write: (w, p) => w.float8(p.seconds),
  read: (r) => r.text(0),
})

export const divide: Value<{ by: number }, number> = value({
  name: 'divide',
  source,
  statement: 'divide',
  sql: 'select 1 / $1::int',
  params: ['by'],
  write: (w, p) => w.int4(p.by),
  read: (r) => r.int4(0),
})

export const balance: Value<{ id: number }, number> = value({
  name: 'balance',
  source,
  statement: 'balance',
  sql: 'select balance from accounts where id = $1',
  params: ['id'],
  write: (w, p) => w.int4(p.id),
  read: (r) => r.int4(0),
})

export const changeBalance: Exec<{ id: number; by: number }> = exec({
  name: 'changeBalance',
  source,
  statement: 'changeBalance',
  sql: 'update accounts set balance = balance + $2 where id = $1',
  params: ['id', 'by'],
  write: (w, p) => {
    w.int4(p.id)
    w.int4(p.by)
  },
})

export interface TestBed {
  readonly db: Database
  /** What was sent since the last look, in order; `+` joins what went in one round trip. */
  sent(): string[]
  /** Outside of the pool. */
  readonly observer: Client
  /** How many connections have been acquired and not released, and how many were destroyed. */
  readonly held: { now: number; destroyed: number }
  /** Fails if anything is left: a held connection, an open transaction, a lock of the pool's. */
  assertClean(): Promise<void>
  close(): Promise<void>
}

export interface TestBedOptions extends InsideUnitOptions {
  readonly pool?: PoolOptions
  readonly url?: string
  /** Changes control statements on their way, to make them fail. */
  readonly spoil?: (sql: string) => string
  /**
   * Whether the connection is lost around a control statement: before it is sent, or before it is answered. Of `cancel`,
   * whether the CancelRequest is.
   */
  readonly lose?: (sql: string) => 'before' | 'after' | null
  /** Keeps a destroyed connection open, as when the network is gone and the server does not know; until `close`. */
  readonly leak?: boolean
}

/** A fresh database with the tables, a database over a watched pool, and an observer. */
export async function openTestBed({
  pool = { max: 4 },
  url,
  spoil,
  lose,
  leak = false,
  ...inside
}: TestBedOptions = {}): Promise<TestBed> {
  const own = url === undefined ? await freshDatabase(schema) : null
  const at = own?.url ?? (url as string)
  const observer = new Client(at)
  observer.on('error', () => {})
  await observer.connect()
  const held = { now: 0, destroyed: 0 }
  let log: string[] = []
  const leaked: Lease[] = []
  const pooled = pooledConnections(readTargets(at), poolSettings(pool), { application_name: 'unit' })
  const watched = watch(pooled, held, (entry) => log.push(entry), spoil, lose, leak ? leaked : null)
  const db = databaseOver(watched, inside)
  return {
    db,
    observer,
    held,
    sent: () => log.splice(0),
    async assertClean(): Promise<void> {
      assert.is(held.now, 0, 'a connection was not given back')
      let rows: unknown[] = []
      // A backend is idle a moment after its answer has come.
      for (let look = 0; look < 50; look++) {
        const left = await observer.query(
          `select state, query from pg_stat_activity
           where application_name = 'unit' and datname = current_database() and state <> 'idle'`,
        )
        rows = left.rows
        if (rows.length === 0) return
        await sleep(10)
      }
      assert.equal(rows, [], 'a transaction was left open')
    },
    async close(): Promise<void> {
      log = []
      for (const lease of leaked) lease.release(false)
      await db.close()
      await observer.end()
      await own?.drop()
    },
  }
}

function watch(
  connections: ConnectionSource,
  held: { now: number; destroyed: number },
  log: (entry: string) => void,
  spoil: (sql: string) => string = (sql) => sql,
  lose: (sql: string) => 'before' | 'after' | null = () => null,
  leaked: Lease[] | null = null,
): ConnectionSource {
  return {
    async acquire(query): Promise<Lease> {
      const lease = await connections.acquire(query)
      held.now++
      return {
        connection: recording(lease.connection, log, spoil, lose),
        release(reusable) {
          held.now--
          if (!reusable) held.destroyed++
          if (!reusable && leaked !== null) leaked.push(lease)
          else lease.release(reusable)
        },
      }
    },
    close: (options) => connections.close(options),
  }
}

function recording(
  connection: Connection,
  log: (entry: string) => void,
  spoil: (sql: string) => string,
  lose: (sql: string) => 'before' | 'after' | null,
): Connection {
  return {
    execute<P, R, T>(query: Query<P, R, T>, params: P, prelude?: readonly string[]): Promise<T> {
      log([...(prelude ?? []), query.name].join(' + '))
      return connection.execute(query, params, prelude?.map(spoil))
    },
    async control(sql) {
      log(sql)
      const lost = lose(sql)
      const tag = lost === 'before' ? '' : await connection.control(spoil(sql))
      if (lost !== null) throw new ConnectionError(null, new Error('lost by the test'))
      return tag
    },
    ...(connection.cancel === undefined
      ? {}
      : {
          cancel: async () => {
            log('cancel')
            if (lose('cancel') === null) await connection.cancel?.()
          },
        }),
  }
}

/** The error that a promise rejects with. */
export async function rejection(promise: Promise<unknown>): Promise<Error> {
  try {
    await promise
  } catch (error) {
    return error as Error
  }
  throw new Error('it was expected to reject, and did not')
}
