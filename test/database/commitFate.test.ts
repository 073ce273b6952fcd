// What the truth about a commit rests on: which transaction ids a crash of the server gives out twice, and how that is
// prevented (PostgreSQL 17 and later) or noticed (before).

import { mock } from 'node:test'
import { Client } from 'pg'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Connection, ConnectionSource, Lease } from '../../lib/database/connection.ts'
import { plainConnection } from '../../lib/database/plainConnection.ts'
import { CommitFate } from '../../lib/database/unit/commitFate.ts'
import { flushing, type TransactionMark, type Verdict, watching } from '../../lib/database/unit/commitFateQueries.ts'
import { type EmbeddedServer, startEmbedded } from '../../lib/embedded/index.ts'
import {
  CommitUnknownError,
  ConnectionError,
  DatabaseClosedError,
  NotCommittedError,
  QueryError,
} from '../../lib/errors.ts'
import type { Query } from '../../lib/query/executor.ts'

let server: EmbeddedServer

test.before(async () => {
  server = await startEmbedded({ settings: { synchronous_commit: 'on' } })
})
test.after(() => server.stop())

async function connected<T>(run: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client(server.url)
  client.on('error', () => {})
  await client.connect()
  try {
    return await run(client)
  } finally {
    await client.end().catch(() => {})
  }
}

type Statements = typeof flushing

/** The mark of a transaction that a crash ends, and what is said of it when the next transaction has committed. */
async function crashed(statements: Statements): Promise<{ mark: TransactionMark; next: string; verdict: Verdict }> {
  const mark = await connected(async (client) => {
    // Everything before is on disk, so that nothing but the mark itself brings its id there.
    await client.query('checkpoint')
    await client.query('begin')
    const taken = await statements.mark(plainConnection(client), undefined)
    await server.restart('immediate')
    return taken
  })
  return connected(async (client) => {
    const { rows } = await client.query('select pg_current_xact_id()::text as xid')
    return { mark, next: rows[0].xid, verdict: await statements.verdict(plainConnection(client), mark) }
  })
}

test('a crash gives a transaction id out again, and then the status is that of a stranger', async () => {
  const { mark, next, verdict } = await crashed(watching)
  assert.is(next, mark.xid)
  assert.is(verdict.status, 'committed')
  // Which is why it is not believed.
  assert.is.not(verdict.life, mark.life)
})

test('an id that was flushed is never given out again', async () => {
  const { mark, next, verdict } = await crashed(flushing)
  assert.ok(BigInt(next) > BigInt(mark.xid))
  assert.is(verdict.status, 'aborted')
  assert.is(verdict.life, mark.life)
})

test('a clean restart loses no id, and leaves the life as it is', async () => {
  for (const statements of [watching, flushing]) {
    const mark = await connected(async (client) => {
      await client.query('begin')
      const taken = await statements.mark(plainConnection(client), undefined)
      await client.query('commit')
      return taken
    })
    await server.restart('fast')
    const verdict = await connected((client) => statements.verdict(plainConnection(client), mark))
    assert.equal(verdict, { status: 'committed', life: mark.life })
  }
})

test('an ordinary role may ask', async () => {
  await connected(async (client) => {
    await client.query('create role ordinary; set role ordinary')
    for (const statements of [watching, flushing]) {
      const mark = await statements.mark(plainConnection(client), undefined)
      assert.is((await statements.verdict(plainConnection(client), mark)).status, 'committed')
    }
  })
})

/** A server that answers what it is told to. */
function serverThat(answers: {
  version: number
  status: string | null
  life: string
  error?: Error
}): ConnectionSource {
  const connection: Connection = {
    async execute<P, R, T>(query: Query<P, R, T>): Promise<T> {
      if (query.name === 'serverVersion') return answers.version as T
      if (query.name.startsWith('markTransaction')) return { xid: '7', backend: 1, life: 'first' } as T
      if (answers.error) throw answers.error
      return { status: answers.status, life: answers.life } as T
    },
    control: async (sql) => sql,
  }
  return { acquire: async () => ({ connection, release: () => {} }), close: async () => {} }
}

const lost = new ConnectionError(null, new Error('lost'))
const future = new QueryError(null, Object.assign(new Error('transaction ID 7 is in the future'), { code: '22023' }))
const denied = new QueryError(null, Object.assign(new Error('permission denied'), { code: '42501' }))

const verdicts = [
  { version: 180_000, status: 'committed', life: 'first', settled: null },
  { version: 180_000, status: 'aborted', life: 'first', settled: NotCommittedError },
  { version: 180_000, status: 'committed', life: 'another', settled: CommitUnknownError },
  { version: 160_000, status: 'committed', life: 'first', settled: null },
  { version: 160_000, status: 'committed', life: 'another', settled: CommitUnknownError },
  { version: 160_000, status: 'aborted', life: 'another', settled: NotCommittedError },
  { version: 160_000, status: null, life: 'first', settled: CommitUnknownError },
  { version: 160_000, status: null, life: 'first', error: future, settled: NotCommittedError },
  { version: 180_000, status: null, life: 'first', error: denied, settled: CommitUnknownError },
  { version: 180_000, status: null, life: 'first', error: new DatabaseClosedError(null), settled: CommitUnknownError },
] as const

test('what is made of each answer', async () => {
  for (const { settled, ...answers } of verdicts) {
    const source = serverThat(answers)
    const fate = new CommitFate(source)
    await fate.prepare()
    await fate.mark(async (query) => (await source.acquire(null)).connection.execute(query, undefined))
    const outcome = await fate.settle(lost).then(
      () => null,
      (error: Error) => error,
    )
    if (settled === null) {
      assert.is(outcome, null)
    } else {
      assert.instance(outcome, settled)
      assert.is((outcome as NotCommittedError).transactionId, '7')
      assert.is(outcome?.cause, lost)
    }
  }
})

test('it is asked for 30 seconds, also where a connection could be waited for without end', async () => {
  const server = serverThat({ version: 180_000, status: 'committed', life: 'first' })
  let releases = 0
  let give = (_: Lease): void => {}
  const busy: ConnectionSource = { ...server, acquire: () => new Promise((resolve) => (give = resolve)) }
  const fate = new CommitFate(busy)
  const lease = await server.acquire(null)
  await fate.mark((query) => lease.connection.execute(query, undefined))
  mock.timers.enable({ apis: ['setTimeout'] })
  try {
    const outcome = fate.settle(lost).catch((thrown: unknown) => thrown)
    mock.timers.tick(30_000)
    const error = await outcome
    assert.instance(error, CommitUnknownError)
    assert.match((error as Error).message, /could not be reached within 30000 ms/)
  } finally {
    mock.timers.reset()
  }
  give({ ...lease, release: () => releases++ })
  await new Promise(setImmediate)
  assert.is(releases, 1)
})

test('without a mark nobody can tell', async () => {
  const fate = new CommitFate(serverThat({ version: 180_000, status: 'committed', life: '' }))
  const error = await fate.settle(lost).catch((thrown: unknown) => thrown)
  assert.instance(error, CommitUnknownError)
  assert.is((error as CommitUnknownError).transactionId, null)
})

test.run()
