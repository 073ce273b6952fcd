// `npm run bench`: plainsql beside its peers, on one server, in interleaved rounds. Prints a table per work, writes
// results.json and results.svg. Arguments: parts of the names of works. ROUNDS (7), MS per round (500), SYSTEMS (names).
// Every number is the median of the rounds; in each round every system has its turn, in an order that moves on.

import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { cpus, release, totalmem } from 'node:os'
import { measureLimits } from './limits.ts'
import { plot } from './plot.ts'
import { countRoundTrips } from './roundTrips.ts'
import { openServer } from './server.ts'
import { measureSizes, printSizes } from './size.ts'
import type { Measured, Order } from './worker.ts'
import { type Work, works } from './works.ts'

export interface Row {
  readonly work: string
  readonly system: string
  readonly opsPerSecond: number
  readonly cpuMicrosPerOp: number
  readonly p99Ms: number
  /** Of one operation, where they are counted. */
  readonly roundTrips?: number
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
  'plainsql-add',
]
const wanted = process.argv.slice(2)
const chosen = works.filter((work) => wanted.length === 0 || wanted.some((part) => work.name.includes(part)))

const server = await openServer()
const counted = new Map<string, ReadonlyMap<string, number>>()
for (const name of names) counted.set(name, await roundTripsOf(name))
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
const limits = wanted.length === 0 ? await measureLimits(server.url) : []
if (limits.length > 0) console.log('\nThe limits of the server, and how close plainsql comes')
for (const { title, work, perSecond } of limits) {
  const ours = rows.find((row) => row.work === work && row.system === 'plainsql')
  const ratio = ours === undefined ? '' : `   ${(ours.opsPerSecond / perSecond).toFixed(2)} × for ${work}`
  console.log(`  ${title.padEnd(64)}${round3(perSecond).toLocaleString('en').padStart(10)}/s${ratio}`)
}
await server.stop()

if (wanted.length === 0) {
  const sizes = await measureSizes()
  console.log('\nbundle of a data layer that asks for one row, and its import')
  printSizes(sizes)
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
  writeFileSync(
    new URL('results.json', import.meta.url),
    `${JSON.stringify({ machine, rows, limits, sizes }, null, 2)}\n`,
  )
  writeFileSync(new URL('results.svg', import.meta.url), plot(rows, sizes))
}

/** By the names of the works whose round trips are counted; none if they cannot be. */
async function roundTripsOf(name: string): Promise<ReadonlyMap<string, number>> {
  const those = chosen.filter((work) => work.roundTrips)
  if (those.length === 0) return new Map()
  return countRoundTrips(name, server.url, those).catch((error: unknown) => {
    console.error(`${name}: round trips could not be counted:`, error)
    return new Map()
  })
}

async function measure(work: Work): Promise<Row[]> {
  const taken = new Map<string, Measured[]>()
  for (let round = 0; round <= rounds; round++) {
    for (let turn = 0; turn < names.length; turn++) {
      const name = names[(turn + round) % names.length] as string
      if (taken.get(name)?.some((measured) => measured.error || measured.absent)) continue
      await server.cleanUp()
      const child = children.get(name) as ChildProcess
      child.send({ work: work.name, ms, warmUp: round === 0 } satisfies Order)
      const [measured] = (await once(child, 'message')) as [Measured]
      if (measured.error) console.error(`${name}, ${work.name}: ${measured.error}`)
      // Round 0 is for compilers, caches and connections.
      if (round > 0 || measured.error || measured.absent) taken.set(name, [...(taken.get(name) ?? []), measured])
    }
  }
  return names.flatMap((system) => {
    const all = taken.get(system) ?? []
    if (all.some((measured) => measured.error || measured.absent)) return []
    const roundTrips = counted.get(system)?.get(work.name)
    return [
      {
        work: work.name,
        system,
        opsPerSecond: round3(median(all.map((one) => (one.operations / one.ms) * 1000))),
        cpuMicrosPerOp: round3(median(all.map((one) => one.cpuMicros / one.operations))),
        p99Ms: round3(median(all.map((one) => one.p99Ms))),
        ...(roundTrips !== undefined && { roundTrips }),
      },
    ]
  })
}

function print(work: Work, measured: readonly Row[]): void {
  const best = Math.max(...measured.filter((row) => !isOurs(row)).map((row) => row.opsPerSecond))
  console.log(`\n${work.title}`)
  const cells = (system: string, ...numbers: string[]) =>
    `  ${system.padEnd(14)}${numbers.map((cell) => cell.padStart(13)).join('')}`
  console.log(cells('system', 'per second', 'CPU µs', 'p99 ms', ...(work.roundTrips ? ['round trips'] : [])))
  for (const row of measured) {
    const numbers = [
      row.opsPerSecond.toLocaleString('en'),
      row.cpuMicrosPerOp.toLocaleString('en'),
      row.p99Ms.toFixed(2),
    ]
    if (work.roundTrips) numbers.push(String(row.roundTrips ?? '?'))
    const ratio = isOurs(row) ? `   ${(row.opsPerSecond / best).toFixed(2)} × the best peer` : ''
    console.log(cells(row.system, ...numbers) + ratio)
  }
}

function isOurs({ system }: Row): boolean {
  return system.startsWith('plainsql')
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
