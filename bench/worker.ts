// One system in a process of its own, so that nobody's heap, timers or async hooks are in anybody's way.
// In: which work, for how long or how many times. Out: how many operations, how much CPU of this process, how long the
// slowest took.

import pg from 'pg'
import { type System, type Work, works } from './works.ts'

/** Operations for `ms` by the work's callers, or so many `times` by one caller. */
export interface Order {
  readonly work: string
  readonly ms: number
  readonly times?: number
  /** Check the answers first, and run a while without counting. */
  readonly warmUp: boolean
}

export interface Measured {
  readonly operations: number
  readonly ms: number
  readonly cpuMicros: number
  readonly p99Ms: number
  /** The system has no way to do this work. */
  readonly absent?: boolean
  readonly error?: string
}

const [name = '', url = ''] = process.argv.slice(2)
const { open } = (await import(`./systems/${name}.ts`)) as { open(url: string): Promise<Partial<System>> }
const system = await open(url)
const nothing: Measured = { operations: 0, ms: 1, cpuMicros: 0, p99Ms: 0 }

process.on('message', (order: Order | 'end') => {
  if (order === 'end') {
    // A report may be under way, and not every system can end it.
    system.close?.().finally(() => process.exit(0))
    setTimeout(() => process.exit(0), 3_000)
    return
  }
  perform(order).then(
    (measured) => process.send?.(measured),
    (error: Error) => process.send?.({ ...nothing, error: error.stack ?? String(error) } satisfies Measured),
  )
})
process.send?.('ready')

async function perform(order: Order): Promise<Measured> {
  const work = works.find((candidate) => candidate.name === order.work)
  if (work === undefined) throw new Error(`no such work: ${order.work}`)
  if (system[work.needs] === undefined) return { ...nothing, absent: true }
  // It has what this work needs, and a work uses nothing else.
  return measure(work, system as System, order)
}

async function measure(work: Work, system: System, { ms, times, warmUp }: Order): Promise<Measured> {
  if (warmUp) await work.check(system, ask)

  const latencies: number[] = []
  let operations = 0
  let over = false
  const beside = (async () => {
    while (!over && work.beside !== undefined) await work.beside(system)
  })()
  const caller = async (goesOn: (now: number) => boolean) => {
    for (let start = performance.now(); goesOn(start); ) {
      await work.run(system, operations)
      const end = performance.now()
      operations++
      if (latencies.length < 300_000) latencies.push(end - start)
      start = end
    }
  }
  const run = async (duration: number) => {
    const until = performance.now() + duration
    if (times !== undefined) await caller(() => operations < times)
    else await Promise.all(Array.from({ length: work.callers }, () => caller((now) => now < until)))
  }
  // Shorter than that, compilers are still at work.
  if (warmUp) await run(Math.max(ms, 1_000))
  latencies.length = 0
  operations = 0
  const cpu = process.cpuUsage()
  const start = performance.now()
  await run(ms)
  const took = performance.now() - start
  const { user, system: kernel } = process.cpuUsage(cpu)
  const counted = operations
  over = true
  await beside
  latencies.sort((a, b) => a - b)
  const p99Ms = latencies[Math.floor(latencies.length * 0.99)] ?? 0
  return { operations: counted, ms: took, cpuMicros: user + kernel, p99Ms }
}

/** What is in the database, whatever the system says. */
async function ask(sql: string): Promise<unknown> {
  const client = new pg.Client(url)
  await client.connect()
  try {
    const { rows } = await client.query({ text: sql, rowMode: 'array' })
    return rows[0]?.[0]
  } finally {
    await client.end()
  }
}
