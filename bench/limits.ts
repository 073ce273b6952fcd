// The server's own limits: what PostgreSQL's client in C gets, where it is installed, and how long the statements of bulk
// writes take when their arrays are on the server already. A client can come close to these and, for the same statements,
// not beyond.

import { execFile } from 'node:child_process'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import pg from 'pg'
import { cleanUp } from './schema.ts'
import { userCount } from './works.ts'

export interface Limit {
  readonly name: string
  readonly title: string
  /** The work that it is the limit of. */
  readonly work: string
  readonly perSecond: number
}

const rounds = 7

const lookup = `\\set id random(1, ${userCount})
select id, email, full_name, is_active, created_at from users where id = :id;
`
const insert = `insert into orders (customer) values ('customer 1') returning id;\n`
const scripts = {
  lookup,
  pipelined: `\\startpipeline\n${lookup.repeat(32)}\\endpipeline\n`,
  insert: `begin;\n${insert}commit;\n`,
  /** As a unit of work does it: BEGIN rides with the first statement. */
  insertRiding: `\\startpipeline\nbegin;\n${insert}\\endpipeline\ncommit;\n`,
}

interface Run {
  readonly name: string
  readonly title: string
  readonly work: string
  readonly script: keyof typeof scripts
  readonly clients: number
  /** Operations in a script. */
  readonly each: number
}

const runs: readonly Run[] = [
  { name: 'pgbench-1', title: '1 client', work: 'point-lookup-1', script: 'lookup', clients: 1, each: 1 },
  { name: 'pgbench-64', title: '64 clients', work: 'point-lookup-64', script: 'lookup', clients: 64, each: 1 },
  {
    name: 'pgbench-pipelined',
    title: '2 clients, 32 pipelined',
    work: 'point-lookup-64',
    script: 'pipelined',
    clients: 2,
    each: 32,
  },
  {
    name: 'pgbench-insert',
    title: '16 clients, 3 round trips',
    work: 'insert-in-transaction',
    script: 'insert',
    clients: 16,
    each: 1,
  },
  {
    name: 'pgbench-insert-riding',
    title: '16 clients, 2 round trips',
    work: 'insert-in-transaction',
    script: 'insertRiding',
    clients: 16,
    each: 1,
  },
]

export async function measureLimits(url: string): Promise<Limit[]> {
  return [...(await pgbench(url)), ...(await bulkWrites(url))]
}

/** Empty without pgbench. */
async function pgbench(url: string): Promise<Limit[]> {
  const folder = mkdtempSync(join(tmpdir(), 'pgbench-'))
  for (const [name, text] of Object.entries(scripts)) writeFileSync(join(folder, name), text)
  const limits: Limit[] = []
  try {
    for (const { name, title, work, script, clients, each } of runs) {
      const args = ['-n', '-M', 'prepared', '-T', '3', '-c', String(clients), '-f', join(folder, script), url]
      const { stdout } = await promisify(execFile)('pgbench', args)
      const [, tps] = /tps = ([\d.]+)/.exec(stdout) ?? []
      limits.push({ name, title: `pgbench -M prepared, ${title}`, work, perSecond: Number(tps) * each })
    }
  } catch (error) {
    if ((error as { code?: string }).code !== 'ENOENT') throw error
    console.log('pgbench is not installed: no limit of its to compare with')
  }
  return limits
}

const items = 'arrays, unnest(ns, labels, prices) v(n, label, price)'
const writes = [
  { name: 'insert', first: 0, text: `insert into new_items select v.* from ${items}` },
  {
    name: 'update',
    first: 0,
    text: `update items set label = v.label, price = v.price from ${items} where items.n = v.n`,
  },
  {
    name: 'upsert',
    // Half of them are there.
    first: 5_000,
    text: `insert into items select v.* from ${items} on conflict (n) do update set label = excluded.label, price = excluded.price`,
  },
]

async function bulkWrites(url: string): Promise<Limit[]> {
  const client = new pg.Client(url)
  await client.connect()
  const limits: Limit[] = []
  for (const { name, first, text } of writes) {
    await client.query(`create temp table arrays as select array_agg(n) ns, array_agg(format('item %s of "1"', n)) labels,
      array_agg(n / 100.0::float8) prices from generate_series(${first}, ${first + 9_999}) n`)
    const times: number[] = []
    for (let round = 0; round < rounds; round++) {
      await client.query(cleanUp)
      const start = performance.now()
      await client.query(text)
      times.push(performance.now() - start)
    }
    await client.query('drop table arrays')
    const ms = times.sort((a, b) => a - b)[rounds >> 1] as number
    limits.push({
      name: `server-${name}`,
      title: `the ${name} of 10,000 rows, its arrays on the server already`,
      work: `bulk-${name}-10k`,
      perSecond: 1_000 / ms,
    })
  }
  await client.end()
  return limits
}
