// timeout: 90
// What happens to callers while servers restart, backends are ended and networks swallow packets; and afterwards.

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { createDatabase, type Database } from '../../lib/database/database.ts'
import type { PoolOptions } from '../../lib/database/pool/options.ts'
import { startEmbedded } from '../../lib/embedded/index.ts'
import { CommitUnknownError, ConnectionError } from '../../lib/errors.ts'
import { value } from '../../lib/query/kinds.ts'
import { startProxy } from './proxy.ts'
import { command, failure, gate, number, rows, sleep, until } from './support.ts'

const test = suite('failover')
// One of its own: it will be restarted.
const server = await startEmbedded()
const opened: Database[] = []
const unhandled: unknown[] = []
process.on('unhandledRejection', (reason) => unhandled.push(reason))
test.after(async () => {
  await Promise.all(opened.map((db) => db.close({ graceMs: 0 })))
  await server.stop()
  assert.equal(unhandled, [])
})

function open(pool: PoolOptions, url = server.url): Database {
  const db = createDatabase({ url, pool })
  opened.push(db)
  return db
}

const pid = value<void, number>({ ...number('select pg_backend_pid()').query, readOnly: true })

for (const mode of ['fast', 'immediate'] as const) {
  test(`a server that restarts (${mode}): idle connections are replaced, and nobody notices`, async () => {
    const db = open({ max: 4 })
    const before = await Promise.all([1, 2, 3, 4].map(() => db.unitOfWork((uow) => pid(uow))))
    await server.restart(mode)
    const after = await Promise.all([1, 2, 3, 4].map(() => db.unitOfWork((uow) => pid(uow))))
    assert.is(after.filter((one) => before.includes(one)).length, 0)
  })
}

test('a server that restarts under load: calls fail with a ConnectionError or succeed, and all is well afterwards', async () => {
  const db = open({ max: 4 })
  const outcomes = { done: 0, failed: 0 }
  let stop = false
  const callers = Array.from({ length: 20 }, async (_, n) => {
    while (!stop) {
      try {
        await (n % 2 === 0 ? pid(db) : db.unitOfWork((uow) => number('select 1')(uow)))
        outcomes.done++
      } catch (error) {
        // The second if the connection was lost while a unit of work waited for the answer to COMMIT.
        assert.ok(error instanceof ConnectionError || error instanceof CommitUnknownError, String(error))
        outcomes.failed++
        await sleep(5)
      }
    }
  })
  await sleep(100)
  await server.restart('immediate')
  const { done } = outcomes
  await until(async () => outcomes.done > done + 500)
  stop = true
  await Promise.all(callers)
  // Second copies of reads may still be under way.
  await until(async () => db.stats()?.inFlight === 0)
  const { total = 99, waiting, unreachable } = db.stats() ?? {}
  assert.ok(total <= 4)
  assert.equal({ waiting, unreachable }, { waiting: 0, unreachable: false })
})

test('while the server cannot be reached callers fail at once, and one of them finds out that it is back', async () => {
  const proxy = await startProxy(server.url)
  const db = open({ max: 4 }, proxy.url)
  await pid(db)
  const { url } = proxy
  await proxy.close()
  // The first to try learn it from the system, the others from them.
  const errors = await Promise.all(Array.from({ length: 50 }, () => failure(pid(db))))
  for (const error of errors) {
    assert.instance(error, ConnectionError)
    assert.is((error as ConnectionError).code, 'ECONNREFUSED')
    assert.is((error as ConnectionError).statement, 'not sent')
  }
  const told = /no connection could be made \d+ ms ago \(.*ECONNREFUSED.*\), and none is tried again yet/
  const write = command('select 1')
  await until(async () => {
    const error = (await failure(write(db))) as ConnectionError
    assert.equal([error.statement, error.retryable], ['not sent', true])
    return told.test(error.message)
  })
  assert.is(db.stats()?.unreachable, true)
  const again = await startProxy(server.url, Number(new URL(url).port))
  await until(() =>
    pid(db).then(
      () => true,
      () => false,
    ),
  )
  assert.is(db.stats()?.unreachable, false)
  assert.ok(again.accepted <= 4, `${again.accepted} connections at once`)
  await db.close()
  await again.close()
})

test('a network that swallows packets: idle connections are found out by a ping, and replaced together', async () => {
  const proxy = await startProxy(server.url)
  const db = open({ max: 3, pingAfterIdleMs: 20, pingTimeoutMs: 100, connectTimeoutMs: 5_000 }, proxy.url)
  await Promise.all([1, 2, 3].map(() => db.unitOfWork((uow) => pid(uow))))
  await sleep(50)
  proxy.swallow('open')
  const made = proxy.accepted
  assert.type(await db.unitOfWork((uow) => pid(uow)), 'number')
  assert.is(proxy.accepted, made + 1)
  assert.is(db.stats()?.total, 1)
  await db.close()
  await proxy.close()
})

test('a network that swallows packets: a statement under way fails in bounded time', async () => {
  const proxy = await startProxy(server.url)
  const pool = { max: 3, statementTimeoutMs: 200, answerTimeoutMs: 400, connectTimeoutMs: 2_000 }
  const db = open(pool, proxy.url)
  await pid(db)
  proxy.swallow('all')
  const [read, unit] = await Promise.all([
    failure(command('select 1')(db)),
    failure(db.unitOfWork((uow) => number('select 1')(uow))),
  ])
  assert.instance(read, ConnectionError)
  assert.match((read as Error).message, /no answer for \d+ ms \(pool.answerTimeoutMs\)/)
  assert.instance(unit, ConnectionError)
  proxy.swallow('nothing')
  await until(() =>
    pid(db).then(
      () => true,
      () => false,
    ),
  )
  await db.close()
  await proxy.close()
})

test('a unit of work with a longer statement timeout has as much longer to be answered', async () => {
  const db = open({ statementTimeoutMs: 200, answerTimeoutMs: 400 })
  const slowly = number('select 1 from pg_sleep(2.5)')
  for (const statementTimeoutMs of [0, 20_000]) {
    assert.is(await db.unitOfWork((uow) => slowly(uow), { statementTimeoutMs }), 1)
  }
  // The next owner of the connection has no part in it.
  assert.match(((await failure(db.unitOfWork((uow) => slowly(uow)))) as Error).message, /statement timeout/)
  await db.close()
})

test('several hosts: the first that can be reached, and the next when it is gone', async () => {
  const one = await startProxy(server.url)
  const two = await startProxy(server.url)
  const ports = [one.url, two.url].map((url) => new URL(url).port)
  const url = `postgres://postgres@127.0.0.1:1,127.0.0.1:${ports[0]},127.0.0.1:${ports[1]}/postgres?sslmode=disable`
  const db = open({ max: 2 }, url)
  await pid(db)
  assert.equal([one.accepted > 0, two.accepted > 0], [true, false])
  await one.close()
  await until(() =>
    pid(db).then(
      () => true,
      () => false,
    ),
  )
  assert.ok(two.accepted > 0)
  await db.close()
  await two.close()
})

test('target_session_attrs: a server of the wrong kind is passed over', async () => {
  const proxy = await startProxy(server.url)
  const { port } = new URL(proxy.url)
  const at = `postgres://postgres@127.0.0.1:${port}/postgres?sslmode=disable&target_session_attrs=`
  const writes = open({ max: 1 }, `${at}read-write`)
  assert.type(await pid(writes), 'number')
  const standby = open({ max: 1 }, `${at}standby`)
  const error = (await failure(pid(standby))) as ConnectionError
  assert.match(error.message, `the server at 127.0.0.1:${port} is not standby (target_session_attrs)`)
  await Promise.all([writes.close(), standby.close()])
  await proxy.close()
})

test('a session has the timeouts and settings that the pool says', async () => {
  const settings = { search_path: 'pg_catalog', TimeZone: 'Asia/Kathmandu' }
  const db = open({ statementTimeoutMs: 1234, idleInTransactionTimeoutMs: 2345, settings })
  const show = async (name: string) => (await rows(`select current_setting('${name}')`, (r) => r.text(0))(db))[0]
  assert.is(await show('statement_timeout'), '1234ms')
  assert.is(await show('idle_in_transaction_session_timeout'), '2345ms')
  assert.is(await show('search_path'), 'pg_catalog')
  assert.is(await show('TimeZone'), 'Asia/Kathmandu')
})

test('one who tries for all the others, and is given a connection that became idle, does not keep them waiting', async () => {
  const proxy = await startProxy(server.url)
  const { port } = new URL(proxy.url)
  const url = `postgres://postgres@127.0.0.1:${port},127.0.0.1:1/postgres?sslmode=disable`
  const db = open({ max: 3, connectTimeoutMs: 400, lanes: false }, url)
  const [held, over] = [gate(), gate()]
  const holding = db.unitOfWork(async (uow) => {
    await pid(uow)
    held.open()
    await over.opened
  })
  await held.opened
  // New connections are taken and not answered; that of the unit goes on.
  proxy.silence(true)
  assert.instance(await failure(pid(db)), ConnectionError)
  await sleep(60)
  const tries = pid(db)
  await sleep(100)
  over.open()
  await holding
  assert.type(await tries, 'number')
  proxy.silence(false)
  await until(() =>
    Promise.all([1, 2].map(() => db.unitOfWork((uow) => number('select 1 from pg_sleep(0.05)')(uow)))).then(
      () => true,
      () => false,
    ),
  )
  assert.is(db.stats()?.unreachable, false)
  await db.close()
  await proxy.close()
})

test.run()
