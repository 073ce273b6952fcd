// timeout: 120
// Money transfers by 16 workers, while backends are killed at random and the server is restarted, crashes included.
// At the end no money was lost or made, and every transfer that was reported committed is there exactly once.
//
// 20 s, and in CI another 20 over client.query; 3,000 transfers at least each time; longer and otherwise by hand:
//   PLAINSQL_CHAOS_SECONDS=600 PLAINSQL_CHAOS_SEED=7 npx tsx test/database/chaos.test.ts

import { setTimeout as sleep } from 'node:timers/promises'
import { Client } from 'pg'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { createDatabase } from '../../lib/database/database.ts'
import { startEmbedded } from '../../lib/embedded/index.ts'
import { CommitUnknownError, TimeoutError } from '../../lib/errors.ts'
import type { UnitOfWork, UnitOfWorkOptions } from '../../lib/index.ts'
import { exec } from '../../lib/query/kinds.ts'
import { letOthersGoFirst } from '../support/background.ts'

const seconds = Number(process.env.PLAINSQL_CHAOS_SECONDS ?? 20)
const seed = Number(process.env.PLAINSQL_CHAOS_SEED ?? 1)
const atLeast = 3_000
const workers = 16
const accounts = 100
const opening = 1_000

const schema = `
create table accounts (id int primary key, balance int not null);
insert into accounts select id, ${opening} from generate_series(1, ${accounts}) id;
-- No primary key: a transfer that was made twice must show, not fail.
create table transfers (key text not null, source int not null, target int not null, amount int not null);
`

interface Transfer {
  readonly key: string
  readonly source: number
  readonly target: number
  readonly amount: number
}

const change = exec<{ id: number; by: number }>({
  name: 'change',
  source: 'test/database/chaos.test.ts',
  statement: 'change',
  sql: 'update accounts set balance = balance + $2 where id = $1',
  params: ['id', 'by'],
  write: (w, p) => {
    w.int4(p.id)
    w.int4(p.by)
  },
})

const record = exec<Transfer>({
  name: 'record',
  source: 'test/database/chaos.test.ts',
  statement: 'record',
  sql: 'insert into transfers values ($1, $2, $3, $4)',
  params: ['key', 'source', 'target', 'amount'],
  write: (w, p) => {
    w.text(p.key)
    w.int4(p.source)
    w.int4(p.target)
    w.int4(p.amount)
  },
})

type Outcome = 'committed' | 'timed out' | 'unknown'

test('16 workers, killed backends, crashes: the sum is unchanged, nothing is lost, nothing is doubled', async () => {
  // A commit that was answered must survive the crash of the server: the default, but not that of a test server.
  letOthersGoFirst()
  const server = await startEmbedded({ settings: { synchronous_commit: 'on' } })
  try {
    await onServer(server.url, (client) => client.query(schema))
    const db = createDatabase({ url: server.url, applicationName: 'chaos', pool: { max: workers } })
    const outcomes = new Map<string, Outcome>()
    const start = performance.now()
    const runsFor = (): number => (performance.now() - start) / 1000
    const committed = (): number => [...outcomes.values()].filter((outcome) => outcome === 'committed').length
    // Where the machine is slow, a little longer: until there are enough.
    const over = (): boolean => runsFor() > seconds && (committed() >= atLeast || runsFor() > seconds + 50)

    let attempts = 0
    const work = async (worker: number): Promise<void> => {
      const random = randomFrom(seed * 1_000 + worker)
      for (let number = 0; !over(); number++) {
        const transfer = randomTransfer(`${worker}-${number}`, random)
        const options = randomOptions(random)
        const unit = db.unitOfWork(async (uow) => {
          attempts++
          await make(uow, transfer, random)
        }, options)
        const outcome = await unit.then(() => 'committed' as const, outcomeOf)
        // The server is of version 17 or later, so it can always tell.
        assert.ok(outcome !== 'unknown' || !options.verifyCommit, 'asked, and still not known')
        outcomes.set(transfer.key, outcome)
      }
    }

    const faults = { killed: 0, restarts: 0, crashes: 0 }
    const random = randomFrom(seed)
    const killing = async (): Promise<void> => {
      while (!over()) {
        await sleep(20 + random() * 150)
        faults.killed += await onServer(server.url, killOne).catch(() => 0)
      }
    }
    const restarting = async (): Promise<void> => {
      for (let turn = 0; !over(); turn++) {
        await sleep(4_000 + random() * 4_000)
        const mode = turn % 4 === 3 ? 'fast' : 'immediate'
        await server.restart(mode)
        faults[mode === 'fast' ? 'restarts' : 'crashes']++
      }
    }
    const all = await Promise.allSettled([
      ...Array.from({ length: workers }, (_, worker) => work(worker)),
      killing(),
      restarting(),
    ])
    for (const result of all) if (result.status === 'rejected') throw result.reason

    const stats = { seed, seconds: Math.round(runsFor()), ...faults, attempts, transfers: outcomes.size }
    await onServer(server.url, async (client) => {
      const open = await client.query(
        `select state, query from pg_stat_activity where application_name = 'chaos' and state <> 'idle'`,
      )
      assert.equal(open.rows, [], 'a transaction was left open')
      await db.close()
      const made = await client.query('select key, count(*)::int as times from transfers group by key')
      const times = new Map<string, number>(made.rows.map((row) => [row.key, row.times]))
      const wrong = (outcome: Outcome, allowed: readonly number[]): string[] =>
        [...outcomes].flatMap(([key, is]) => (is === outcome && !allowed.includes(times.get(key) ?? 0) ? [key] : []))
      assert.equal(wrong('committed', [1]), [], 'reported committed, and not there exactly once')
      assert.equal(wrong('timed out', [0]), [], 'reported rolled back, and there')
      assert.equal(wrong('unknown', [0, 1]), [], 'there twice')
      assert.equal(
        [...times.keys()].filter((key) => !outcomes.has(key)),
        [],
        'never reported',
      )
      const sums = await client.query(`
        select (select sum(balance)::int from accounts) as sum, count(*)::int as wrong
        from accounts a
        where balance <> ${opening}
          + (select coalesce(sum(amount), 0) from transfers where target = a.id)
          - (select coalesce(sum(amount), 0) from transfers where source = a.id)`)
      assert.equal(sums.rows, [{ sum: accounts * opening, wrong: 0 }])
      const count = (outcome: Outcome): number => [...outcomes.values()].filter((is) => is === outcome).length
      console.log({ ...stats, committed: count('committed'), timedOut: count('timed out'), unknown: count('unknown') })
    })
    assert.ok(committed() >= atLeast, `only ${committed()} transfers were made`)
    assert.ok(faults.killed > 20 && faults.crashes >= 2, 'too few faults to mean anything')
  } finally {
    await server.stop()
  }
})

async function make(uow: UnitOfWork, { source, target, amount, key }: Transfer, random: () => number): Promise<void> {
  await change(uow, { id: source, by: -amount })
  if (random() < 0.1) await uow.savepoint((sp) => change(sp, { id: target, by: amount }))
  else await change(uow, { id: target, by: amount })
  if (random() < 0.5) uow.add(record, { source, target, amount, key })
  else await record(uow, { source, target, amount, key })
}

function randomTransfer(key: string, random: () => number): Transfer {
  const source = 1 + Math.floor(random() * accounts)
  const target = 1 + ((source + Math.floor(random() * (accounts - 1))) % accounts)
  return { key, source, target, amount: 1 + Math.floor(random() * 10) }
}

function randomOptions(random: () => number): UnitOfWorkOptions {
  const isolations = ['read committed', 'repeatable read', 'serializable'] as const
  return {
    isolation: isolations[Math.floor(random() * 3)] ?? 'serializable',
    retry: { attempts: 1_000, baseDelayMs: 5, maxDelayMs: 200, connectionLoss: true },
    verifyCommit: random() < 0.9,
    ...(random() < 0.03 && { timeoutMs: 1 + random() * 20 }),
  }
}

/** @throws what should not have happened */
function outcomeOf(error: unknown): Outcome {
  if (error instanceof TimeoutError) return 'timed out'
  if (error instanceof CommitUnknownError) return 'unknown'
  throw error
}

async function killOne(client: Client): Promise<number> {
  const { rows } = await client.query(`
    select pg_terminate_backend(pid) from pg_stat_activity
    where application_name = 'chaos' order by random() limit 1`)
  return rows.length
}

async function onServer<T>(url: string, run: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client(url)
  client.on('error', () => {})
  await client.connect()
  try {
    return await run(client)
  } finally {
    await client.end()
  }
}

/** The same numbers for the same seed (mulberry32). */
function randomFrom(start: number): () => number {
  let state = start >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

test.run()
