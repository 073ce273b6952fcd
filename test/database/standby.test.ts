// timeout: 150
// A primary and its streaming standby change roles under load: what callers see meanwhile, and that nothing that was
// reported committed is lost, and nothing is there twice.
// wire only: the other way does not notice when there is no answer

import { setTimeout as sleep } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  CommitUnknownError,
  createDatabase,
  type Database,
  type PoolOptions,
  QueryError,
  value,
} from '../../lib/index.ts'
import { type Node, type Replication, startReplication } from '../support/replication.ts'
import { startProxy } from './proxy.ts'
import { addEntry, getFact, schema, startLoad, startReaders } from './standbyLoad.ts'
import { failure } from './support.ts'

type Open = (places: readonly string[], attrs: string, pool?: PoolOptions) => Database

const test = suite('standby')
const unhandled: unknown[] = []
process.on('unhandledRejection', (reason) => unhandled.push(reason))
test.after(() => assert.equal(unhandled, []))

const isStandby = value<void, boolean>({
  name: 'isStandby',
  source: 'test/database/standby.test.ts',
  statement: 'isStandby',
  sql: 'select pg_is_in_recovery()',
  read: (r) => r.bool(0),
})

for (const [fate, end] of [
  ['killed', (node) => node.kill()],
  ['shut down', (node) => node.stop()],
] as [string, (node: Node) => Promise<void>][]) {
  test(`the primary is ${fate}, the standby promoted: callers go on there, and nothing is lost or doubled`, async () => {
    await withReplication(async ({ primary, standby }, open) => {
      const places = [primary.place, standby.place]
      const db = open(places, 'read-write')
      const reads = open(places, 'standby')
      const load = startLoad(db, 'first')
      const readers = startReaders(reads)
      await load.progress(20)
      await end(primary)
      // So that everybody has come across the standby, which can be reached but takes no writes.
      await sleep(300)
      await standby.promote()
      await load.progress(20)
      await load.stop()
      assert.ok(load.losses > 0, 'nobody noticed')
      await load.check(standby)
      // The sessions of a standby live on when it is promoted.
      await readers.stop()
      assert.is(readers.losses, 0)

      // What was the primary comes back as a server that takes no writes, knowing nothing of what has happened since.
      await primary.start({ default_transaction_read_only: 'on' })
      const again = startLoad(db, 'second')
      await again.progress(20)
      await standby.restart('immediate')
      await again.progress(20)
      await again.stop()
      assert.ok(again.losses > 0, 'nobody noticed')
      await again.check(standby)

      const { total = 99, waiting, unreachable } = db.stats() ?? {}
      assert.ok(total <= 6)
      assert.equal({ waiting, unreachable }, { waiting: 0, unreachable: false })
    })
  })
}

test('the primary vanishes without a word: calls under way fail in bounded time, the others go on', async () => {
  await withReplication(async ({ primary, standby }, open) => {
    const proxy = await startProxy(primary.url)
    try {
      const times = { statementTimeoutMs: 500, answerTimeoutMs: 1_000, connectTimeoutMs: 500 }
      const db = open([new URL(proxy.url).host, standby.place], 'read-write', times)
      const load = startLoad(db, 'vanished')
      await load.progress(20)
      proxy.swallow('all')
      await standby.promote()
      await load.progress(20)
      await load.stop()
      assert.ok(load.losses > 0, 'nobody noticed')
      await load.check(standby)
      // With the defaults it would be more than a minute.
      assert.ok(load.slowestMs < 20_000, `a call took ${load.slowestMs} ms`)
    } finally {
      await proxy.close()
    }
  })
})

test('a primary that is made read-only keeps its sessions: writes are refused until the connections are renewed', async () => {
  await withReplication(async ({ primary, standby }, open) => {
    const places = [primary.place, standby.place]
    const renewing = open(places, 'read-write', { maxLifetimeMs: 1_000 })
    const lasting = open(places, 'read-write')
    const ways: [name: string, write: (key: string) => Promise<unknown>][] = []
    for (const [name, db] of [['renewing', renewing] as const, ['lasting', lasting] as const]) {
      ways.push([`${name} alone`, (key) => addEntry(db, { key, part: 1 })])
      ways.push([`${name} in a unit`, (key) => db.unitOfWork((uow) => addEntry(uow, { key, part: 1 }))])
    }
    for (const [name, write] of ways) await write(`before, ${name}`)

    await primary.run('alter system set default_transaction_read_only = on')
    await primary.run('select pg_reload_conf()')
    while ((await primary.run('show transaction_read_only'))[0]?.transaction_read_only !== 'on') await sleep(10)
    for (const [name, write] of ways) {
      const error = await failure(write(`refused, ${name}`))
      // Nothing has happened, and nothing is wrong with the connection: it is no ConnectionError.
      assert.instance(error, QueryError)
      assert.is((error as QueryError).sqlState, '25006')
    }
    for (const db of [renewing, lasting]) assert.is(await getFact(db, { id: 7 }), 'fact 7')

    await standby.promote()
    // Connections that are too old are not used again, and new ones are made to a server of the right kind.
    await sleep(1_500)
    // Those that are not: whoever demotes a server ends its sessions.
    await primary.run("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'standby'")
    for (const [name, write] of ways) await write(`after, ${name}`)
    const kept = await standby.run<{ key: string }>('select key from entries order by key')
    const expected = ways.flatMap(([name]) => [`before, ${name}`, `after, ${name}`]).sort()
    assert.equal(kept.map(({ key }) => key).sort(), expected)
  })
})

for (const attrs of ['standby', 'prefer-standby', 'read-only']) {
  test(`target_session_attrs=${attrs}: the standby, though the primary is named first`, async () => {
    await withReplication(async ({ primary, standby }, open) => {
      assert.is(await isStandby(open([primary.place, standby.place], attrs)), true)
    })
  })
}

test('target_session_attrs=prefer-standby: the primary, if there is no other', async () => {
  await withReplication(async ({ primary, standby }, open) => {
    await standby.kill()
    assert.is(await isStandby(open([standby.place, primary.place], 'prefer-standby')), false)
  })
})

test('a commit that the standby never got is not taken for committed when another transaction gets its id', async () => {
  await withReplication(async ({ primary, standby }, open) => {
    // A place for the new primary, at which it cannot be reached yet.
    const door = await startProxy(standby.url)
    const place = new URL(door.url).host
    await door.close()
    const db = open([primary.place, place], 'read-write')
    // Replication stops, and the commit waits for it.
    const [sender] = await primary.run<{ pid: number }>('select pid from pg_stat_replication')
    process.kill(sender?.pid ?? 0, 'SIGSTOP')
    const unit = failure(db.unitOfWork((uow) => addEntry(uow, { key: 'lost', part: 1 }), { verifyCommit: true }))
    const waiting = "select backend_xid::text as xid from pg_stat_activity where wait_event = 'SyncRep'"
    let xid = 0
    while (xid === 0) {
      xid = Number((await primary.run<{ xid: string }>(waiting))[0]?.xid ?? 0)
      await sleep(10)
    }
    const killed = primary.kill()
    await sleep(20)
    process.kill(sender?.pid ?? 0, 'SIGKILL')
    await killed
    await standby.promote()
    for (let last = 0; last < xid; ) {
      last = Number((await standby.run<{ xid: string }>('select pg_current_xact_id()::text as xid'))[0]?.xid)
    }
    const reopened = await startProxy(standby.url, Number(place.split(':')[1]))
    assert.instance(await unit, CommitUnknownError)
    assert.equal(await standby.run("select * from entries where key = 'lost'"), [])
    await reopened.close()
  })
})

/** @param work takes the servers and what opens databases on them, which are closed afterwards */
async function withReplication(work: (servers: Replication, open: Open) => Promise<void>): Promise<void> {
  const servers = await startReplication()
  const opened: Database[] = []
  try {
    await servers.primary.run(schema)
    await work(servers, (places, attrs, pool = {}) => {
      const url = `postgresql://postgres@${places.join(',')}/postgres?target_session_attrs=${attrs}`
      const db = createDatabase({ url, applicationName: 'standby', pool: { max: 6, ...pool } })
      opened.push(db)
      return db
    })
  } finally {
    await Promise.all(opened.map((db) => db.close({ graceMs: 0 })))
    await servers.stop()
  }
}

test.run()
