// A database from its first connection to close(): what it survives, and what it says when it is over.

import { once } from 'node:events'
import type { AddressInfo, Socket } from 'node:net'
import { createServer } from 'node:net'
import { Client } from 'pg'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { createDatabase } from '../../lib/database/database.ts'
import { message } from '../../lib/database/wire/messages.ts'
import { AcquireTimeoutError, ConnectionError, DatabaseClosedError, type QueryError } from '../../lib/errors.ts'
import { value } from '../../lib/query/kinds.ts'
import { ready, startFakeServer } from './fakeServer.ts'
import { backendPid, command, failure, gate, number, openDatabase, rows, sleep, until } from './support.ts'

const test = suite('lifecycle')
const unhandled: unknown[] = []
process.on('unhandledRejection', (reason) => unhandled.push(reason))

test('nothing connects before the first call; a wrong address is a ConnectionError with its code', async () => {
  await using db = createDatabase({ url: 'postgres://nobody@127.0.0.1:1/none' })
  const error = (await failure(backendPid(db))) as ConnectionError
  assert.instance(error, ConnectionError)
  assert.is(error.code, 'ECONNREFUSED')
  assert.match(error.message, `ECONNREFUSED] in ${backendPid.query.name} (sql/test.sql:`)
})

for (const [what, asked] of [
  ['breaks', (socket) => socket.destroy()],
  ['falls silent', () => {}],
] as [string, (socket: Socket) => void][]) {
  test(`a connection that ${what} while it is asked for target_session_attrs is a ConnectionError in time`, async () => {
    const server = await startFakeServer(asked)
    const url = `${server.url}&target_session_attrs=primary`
    await using db = createDatabase({ url, pool: { connectTimeoutMs: 200 } })
    const error = (await failure(backendPid(db))) as ConnectionError
    assert.instance(error, ConnectionError)
    assert.match(error.message, what === 'breaks' ? 'terminated' : 'no answer within 200 ms (target_session_attrs)')
    await server.close()
    assert.equal(unhandled, [])
  })
}

test('close() waits for running work, refuses new work, and can be called twice', async () => {
  const { db, done } = await openDatabase()
  const running = number('select 7 from pg_sleep(0.1)')(db)
  await sleep(20)
  const closing = db.close()
  const error = (await failure(backendPid(db))) as Error
  assert.instance(error, DatabaseClosedError)
  assert.match(error.message, 'the database was closed')
  assert.is(await running, 7)
  await Promise.all([closing, db.close()])
  await done()
})

test('close() lets calls end that came before, be it before the first connection', async () => {
  const { db, done } = await openDatabase('', { pool: { max: 2 } })
  const calls = Array.from({ length: 20 }, (_, n) => number(`select ${n}`)(db))
  await db.close()
  assert.equal(
    await Promise.all(calls),
    calls.map((_, n) => n),
  )
  await done()
})

test('close({ graceMs }): what still runs is cancelled, what waits is refused, and nothing new is started', async () => {
  const { db, url, done } = await openDatabase('', { pool: { max: 1 } })
  const slow = value<void, number>({ ...number('select 1 from pg_sleep(30)').query, readOnly: true })
  await backendPid(db)
  const reads = Array.from({ length: 4 }, () => failure(slow(db)))
  await sleep(50)
  const units = [1, 2].map(() => failure(db.unitOfWork((uow) => backendPid(uow))))
  const start = performance.now()
  await db.close({ graceMs: 100 })
  assert.ok(performance.now() - start < 10_000)
  const errors = await Promise.all([...reads, ...units])
  assert.is((errors[0] as QueryError).sqlState, '57014')
  for (const error of errors.slice(1)) assert.instance(error, DatabaseClosedError)
  await assertNoConnections(url)
  await done()
})

test('close({ graceMs }) does not wait for a unit of work that waits for something else', async () => {
  const { db, url, done } = await openDatabase('', { pool: { max: 1 } })
  let goOn = () => {}
  const unit = failure(
    db.unitOfWork(async (uow) => {
      await backendPid(uow)
      await new Promise<void>((resolve) => {
        goOn = resolve
      })
      await backendPid(uow)
    }),
  )
  await sleep(50)
  const waiting = failure(db.unitOfWork((uow) => backendPid(uow)))
  const start = performance.now()
  await db.close({ graceMs: 100 })
  assert.ok(performance.now() - start < 10_000)
  assert.instance(await waiting, DatabaseClosedError)
  await assertNoConnections(url)
  // Its connection is gone, and it gives it back nevertheless.
  goOn()
  assert.instance(await unit, ConnectionError)
  assert.equal(unhandled, [])
  await done()
})

test('close({ graceMs }): a server that says nothing any more is not waited for', async () => {
  const server = await startFakeServer(() => {})
  const db = createDatabase({ url: server.url, pool: { max: 2 } })
  const calls = [failure(backendPid(db)), failure(db.unitOfWork((uow) => backendPid(uow)))]
  await sleep(100)
  const start = performance.now()
  await db.close({ graceMs: 0 })
  assert.ok(performance.now() - start < 10_000)
  for (const error of await Promise.all(calls)) assert.instance(error, ConnectionError)
  await server.close()
  assert.equal(unhandled, [])
})

test('close({ graceMs }): nor is a server that lets nobody in', async () => {
  const silent = createServer((socket) => void socket.resume()).listen(0, '127.0.0.1')
  await once(silent, 'listening')
  const { port } = silent.address() as AddressInfo
  const db = createDatabase({ url: `postgres://me@127.0.0.1:${port}/x?sslmode=disable` })
  const calls = [failure(backendPid(db)), failure(db.unitOfWork((uow) => backendPid(uow)))]
  await sleep(50)
  const start = performance.now()
  await db.close({ graceMs: 0 })
  for (const error of await Promise.all(calls)) assert.instance(error, DatabaseClosedError)
  // No socket is left that would keep the process running.
  silent.close()
  await once(silent, 'close')
  assert.ok(performance.now() - start < 5_000)
})

const parameterStatus = message('S', 'TimeZone\0Europe/Vienna\0')
for (const cut of [0, 1, 4, 5, 9, parameterStatus.length]) {
  test(`a message of which ${cut} bytes come with the end of the login`, async () => {
    const answer = Buffer.concat([message('1', ''), message('2', ''), message('C', 'DELETE 0\0'), ready])
    let rest = parameterStatus.subarray(cut)
    const server = await startFakeServer(
      (socket) => {
        socket.write(Buffer.concat([rest, answer]))
        rest = Buffer.alloc(0)
      },
      parameterStatus.subarray(0, cut),
    )
    const db = createDatabase({ url: server.url, pool: { max: 1, lanes: false, answerTimeoutMs: 1_000 } })
    assert.equal([await command('delete from t')(db), await command('delete from t')(db)], [0, 0])
    await db.close({ graceMs: 100 })
    await server.close()
  })
}

test('backends that are killed while idle are replaced, and nothing is unhandled', async () => {
  const { db, url, done } = await openDatabase('', { pool: { max: 3 } })
  const ask = () => Promise.all([1, 2, 3].map(() => db.unitOfWork((uow) => backendPid(uow))))
  const before = await ask()
  const admin = new Client(url)
  await admin.connect()
  await admin.query('select pg_terminate_backend(pid) from unnest($1::int[]) pid', [before])
  await admin.end()
  await until(() => db.stats()?.total === 0)
  const after = await ask()
  assert.is(after.filter((pid) => before.includes(pid)).length, 0)
  await done()
  assert.equal(unhandled, [])
})

test('a backend that is killed in use fails its statement with a ConnectionError, and is replaced', async () => {
  const { db, done } = await openDatabase('', { pool: { max: 1 } })
  const error = (await failure(command('select pg_terminate_backend(pg_backend_pid())')(db))) as ConnectionError
  assert.instance(error, ConnectionError)
  assert.is(error.code, '57P01')
  assert.type(await backendPid(db), 'number')
  await done()
})

test('a caller whose time is up while a connection is being made has waited too long; the server is not to blame', async () => {
  // It takes connections and says nothing.
  const server = createServer(() => {}).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  const db = createDatabase({ url: `postgres://127.0.0.1:${port}/x`, pool: { acquireTimeoutMs: 50 } })
  for (const call of [db.unitOfWork((uow) => number('select 1')(uow)), number('select 1')(db)]) {
    const error = (await failure(call)) as Error
    assert.instance(error, AcquireTimeoutError)
    assert.match(
      error.message,
      /^no connection could be made within 50 ms \(pool\.acquireTimeoutMs\) in .*: the server does not /,
    )
  }
  assert.is(db.stats()?.unreachable, false)
  await db.close({ graceMs: 0 })
  server.close()
})

test('a caller who waits too long is told so', async () => {
  const { db, done } = await openDatabase('', { pool: { max: 1, acquireTimeoutMs: 500 } })
  const [held, over] = [gate(), gate()]
  const holding = db.unitOfWork(async (uow) => {
    await backendPid(uow)
    held.open()
    await over.opened
  })
  await held.opened
  const error = (await failure(db.unitOfWork((uow) => backendPid(uow)))) as Error
  assert.instance(error, AcquireTimeoutError)
  assert.match(error.message, 'within 500 ms')
  over.open()
  await holding
  await done()
})

test("dates do not depend on the server's DateStyle", async () => {
  const { db, url, done } = await openDatabase()
  const admin = new Client(url)
  await admin.connect()
  await admin.query(
    `do $$ begin execute format('alter database %I set datestyle = ''german''', current_database()); end $$`,
  )
  await admin.end()
  const day = rows<void, Date>(`select timestamptz '2026-11-22 21:14:05.5Z' as at`, (r) => r.timestamptz(0))
  for (let run = 0; run < 2; run++) assert.equal(await day(db), [new Date('2026-11-22T21:14:05.500Z')])
  const text = rows<void, string>(`select '2026-11-22'::date as day`, (r) => r.text(0))
  assert.equal(await text(db), ['2026-11-22'])
  await done()
})

async function assertNoConnections(url: string): Promise<void> {
  const admin = new Client(url)
  await admin.connect()
  const others =
    'select count(*)::int as n from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()'
  // The server notices in its own time.
  for (let times = 0; (await admin.query(others)).rows[0].n > 0; times++) {
    assert.ok(times < 200, 'a connection is left')
    await sleep(10)
  }
  await admin.end()
}

test.run()
