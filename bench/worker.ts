// One system in a process of its own, so that nobody's heap, timers or async hooks are in anybody's way.
// In: which work, for how long. Out: how many operations, how much CPU of this process, how long the slowest took.

import { type System, works } from './works.ts'

export interface Order {
  readonly work: string
  readonly ms: number
  /** Check the answers first, and run a while without counting. */
  readonly warmUp: boolean
}

export interface Measured {
  readonly operations: number
  readonly ms: number
  readonly cpuMicros: number
  readonly p99Ms: number
  readonly error?: string
}

const [name = '', url = ''] = process.argv.slice(2)
const { open } = (await import(`./systems/${name}.ts`)) as { open(url: string): Promise<System> }
const system = await open(url)

process.on('message', (order: Order | 'end') => {
  if (order === 'end') {
    // A report may be under way, and not every system can end it.
    system.close().finally(() => process.exit(0))
    setTimeout(() => process.exit(0), 3_000)
    return
  }
  measure(order).then(
    (measured) => process.send?.(measured),
    (error: Error) =>
      process.send?.({ operations: 0, ms: 1, cpuMicros: 0, p99Ms: 0, error: error.stack ?? String(error) }),
  )
})
process.send?.('ready')

async function measure({ work: workName, ms, warmUp }: Order): Promise<Measured> {
  const work = works.find((candidate) => candidate.name === workName)
  if (work === undefined) throw new Error(`no such work: ${workName}`)
  if (warmUp) await work.check(system)

  const latencies: number[] = []
  let operations = 0
  let over = false
  const beside = (async () => {
    while (!over && work.beside !== undefined) await work.beside(system)
  })()
  const caller = async (until: number) => {
    for (let start = performance.now(); start < until; ) {
      await work.run(system, operations)
      const end = performance.now()
      operations++
      if (latencies.length < 300_000) latencies.push(end - start)
      start = end
    }
  }
  const run = (duration: number) => {
    const until = performance.now() + duration
    return Promise.all(Array.from({ length: work.callers }, () => caller(until)))
  }
  if (warmUp) await run(ms)
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
