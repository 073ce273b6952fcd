// `npm run bench`: plainsql beside its peers, on one server, in interleaved rounds. Prints a table per work, writes
// results.json and results.svg. Arguments: parts of the names of works. ROUNDS (7), MS per round (500), SYSTEMS (names).
// Every number is the median of the rounds; in each round every system has its turn, in an order that moves on.

import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { cpus, release, totalmem } from 'node:os'
import { pgbench } from './pgbench.ts'
import { plot } from './plot.ts'
import { openServer } from './server.ts'
import type { Measured, Order } from './worker.ts'
import { type Work, works } from './works.ts'

export interface Row {
  readonly work: string
  readonly system: string
  readonly opsPerSecond: number
  readonly cpuMicrosPerOp: number
  readonly p99Ms: number
}

const rounds = Number(process.env.ROUNDS ?? 7)
const ms = Number(process.env.MS ?? 500)
const names = process.env.SYSTEMS?.split(',') ?? [
  'plainsql',
  'pg',
  'pg-named',
  'postgres',
  'kysely',
  'drizzle',
  'slonik',
  'pg-promise',
  'typeorm',
]
const wanted = process.argv.slice(2)
const chosen = works.filter((work) => wanted.length === 0 || wanted.some((part) => work.name.includes(part)))

const server = await openServer()
const children = new Map<string, ChildProcess>()
for (const name of names) {
  const child = fork(new URL('worker.ts', import.meta.url), [name, server.url], { execArgv: ['--import', 'tsx'] })
  await once(child, 'message')
  children.set(name, child)
}

const rows: Row[] = []
for (const work of chosen) {
  const measured = await measure(work)
  rows.push(...measured)
  print(work, measured)
}
for (const child of children.values()) child.send('end')
const limits = wanted.length === 0 ? await pgbench(server.url) : []
for (const { title, perSecond } of limits) console.log(`${title}: ${Math.round(perSecond).toLocaleString('en')}/s`)
await server.stop()

if (wanted.length === 0) {
  const machine = {
    cpu: cpus()[0]?.model,
    cores: cpus().length,
    memoryGb: Math.round(totalmem() / 2 ** 30),
    system: `${process.platform} ${release()}`,
    node: process.version,
    postgresql: server.version,
    rounds,
    msPerRound: ms,
  }
  writeFileSync(new URL('results.json', import.meta.url), `${JSON.stringify({ machine, rows, limits }, null, 2)}\n`)
  writeFileSync(new URL('results.svg', import.meta.url), plot(rows))
}

async function measure(work: Work): Promise<Row[]> {
  const taken = new Map<string, Measured[]>()
  for (let round = 0; round <= rounds; round++) {
    for (let turn = 0; turn < names.length; turn++) {
      const name = names[(turn + round) % names.length] as string
      if (taken.get(name)?.some((measured) => measured.error)) continue
      await server.cleanUp()
      const child = children.get(name) as ChildProcess
      child.send({ work: work.name, ms, warmUp: round === 0 } satisfies Order)
      const [measured] = (await once(child, 'message')) as [Measured]
      if (measured.error) console.error(`${name}, ${work.name}: ${measured.error}`)
      // Round 0 is for compilers, caches and connections.
      if (round > 0 || measured.error) taken.set(name, [...(taken.get(name) ?? []), measured])
    }
  }
  return names.flatMap((system) => {
    const all = taken.get(system) ?? []
    if (all.some((measured) => measured.error)) return []
    return [
      {
        work: work.name,
        system,
        opsPerSecond: round3(median(all.map((one) => (one.operations / one.ms) * 1000))),
        cpuMicrosPerOp: round3(median(all.map((one) => one.cpuMicros / one.operations))),
        p99Ms: round3(median(all.map((one) => one.p99Ms))),
      },
    ]
  })
}

function print(work: Work, measured: readonly Row[]): void {
  const best = Math.max(...measured.filter((row) => row.system !== 'plainsql').map((row) => row.opsPerSecond))
  console.log(`\n${work.title}`)
  console.log(`  ${'system'.padEnd(12)}${'per second'.padStart(12)}${'CPU µs'.padStart(12)}${'p99 ms'.padStart(10)}`)
  for (const { system, opsPerSecond, cpuMicrosPerOp, p99Ms } of measured) {
    const ratio = system === 'plainsql' ? `   ${(opsPerSecond / best).toFixed(2)} × the best peer` : ''
    console.log(
      `  ${system.padEnd(12)}${opsPerSecond.toLocaleString('en').padStart(12)}` +
        `${cpuMicrosPerOp.toLocaleString('en').padStart(12)}${p99Ms.toFixed(2).padStart(10)}${ratio}`,
    )
  }
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  const upper = sorted[middle] ?? 0
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? 0)) / 2
}

/** Three digits that count. */
function round3(value: number): number {
  return Number(value.toPrecision(3))
}
