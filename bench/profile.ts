// `npm run profile -- plainsql insert-in-transaction`: where a system's time goes in one work. Prints the operations per
// second, CPU per operation, and the functions that the process was in, by V8's sampling profiler (wall time: what a
// system call waits for, such as a server that takes the same core, counts too). SECONDS (3), TOP functions (30).

import { Session } from 'node:inspector/promises'
import { openServer } from './server.ts'
import { type System, works } from './works.ts'

const [name = 'plainsql', wanted = 'point-lookup-1'] = process.argv.slice(2)
const seconds = Number(process.env.SECONDS ?? 3)
const top = Number(process.env.TOP ?? 30)
const work = works.find((candidate) => candidate.name === wanted)
if (work === undefined)
  throw new Error(`no such work: ${wanted}; there are ${works.map((each) => each.name).join(', ')}`)

const server = await openServer()
const { open } = (await import(`./systems/${name}.ts`)) as { open(url: string): Promise<System> }
const system = await open(server.url)
let operations = 0
await run(1)
operations = 0
const session = new Session()
session.connect()
await session.post('Profiler.enable')
await session.post('Profiler.setSamplingInterval', { interval: 200 })
await session.post('Profiler.start')
const cpu = process.cpuUsage()
const start = performance.now()
await run(seconds)
const ms = performance.now() - start
const { user, system: kernel } = process.cpuUsage(cpu)
const { profile } = await session.post('Profiler.stop')
print(profile)
await server.stop()
process.exit()

async function run(duration: number): Promise<void> {
  const until = performance.now() + duration * 1_000
  const caller = async () => {
    while (performance.now() < until) await work!.run(system, operations++)
  }
  await Promise.all(Array.from({ length: work!.callers }, caller))
}

function print({ nodes, samples = [], timeDeltas = [] }: typeof profile): void {
  const places = new Map(
    nodes.map(({ id, callFrame: { functionName, url, lineNumber } }) => {
      const file = url.split('/').slice(-2).join('/')
      return [id, `${functionName || '(anonymous)'}  ${file}${file === '' ? '' : `:${lineNumber + 1}`}`]
    }),
  )
  const micros = new Map<string, number>()
  samples.forEach((id, at) => {
    const place = places.get(id) ?? '?'
    micros.set(place, (micros.get(place) ?? 0) + (timeDeltas[at] ?? 0))
  })
  const perSecond = Math.round((operations / ms) * 1_000).toLocaleString('en')
  const each = (value: number) => (value / operations).toFixed(1)
  console.log(`${name}, ${wanted}: ${perSecond}/s, ${each(user)} µs of user CPU and ${each(kernel)} µs of the kernel's`)
  const sorted = [...micros].sort((a, b) => b[1] - a[1]).slice(0, top)
  for (const [place, value] of sorted) console.log(`${(value / operations).toFixed(2).padStart(10)} µs  ${place}`)
}
