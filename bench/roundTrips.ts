// How many round trips an operation takes, seen from the network: a proxy between a system and the server, through which
// a round trip takes 5 ms. In: a system and its works. Out: per work, how often the system waited for the server.

import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { createServer, connect as dial, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Measured, Order } from './worker.ts'
import type { Work } from './works.ts'

const delayMs = 5
const times = 5

/** By the works' names; without those that the system does not do. */
export async function countRoundTrips(name: string, url: string, works: readonly Work[]): Promise<Map<string, number>> {
  const proxy = await countingProxy(new URL(url))
  const child = fork(new URL('worker.ts', import.meta.url), [name, proxy.url], { execArgv: ['--import', 'tsx'] })
  const counts = new Map<string, number>()
  try {
    await once(child, 'message')
    for (const work of works) {
      // The first operations connect and prepare. What a system does after an operation, before the next, counts.
      const first = await order(child, { work: work.name, ms: 0, times: 3, warmUp: false })
      if (first.absent) continue
      await sleep(10 * delayMs)
      const before = proxy.count()
      await order(child, { work: work.name, ms: 0, times, warmUp: false })
      await sleep(10 * delayMs)
      counts.set(work.name, (proxy.count() - before) / times)
    }
  } finally {
    child.send('end')
    await once(child, 'exit')
    proxy.close()
  }
  return counts
}

async function order(child: ChildProcess, order: Order): Promise<Measured> {
  child.send(order)
  const [measured] = (await once(child, 'message')) as [Measured]
  if (measured.error) throw new Error(`${order.work}: ${measured.error}`)
  return measured
}

/**
 * A round trip is counted when a connection sends something for the first time since it was given an answer. Answers
 * are held back for a moment, so that what is sent without waiting for them is seen to be.
 */
async function countingProxy(target: URL): Promise<{ url: string; count(): number; close(): void }> {
  let count = 0
  const host = target.searchParams.get('host') ?? target.hostname
  const port = Number(target.searchParams.get('port') ?? (target.port || 5432))
  const listener = createServer((client) => {
    const server = host.startsWith('/') ? dial(`${host}/.s.PGSQL.${port}`) : dial(port, host)
    let answered = true
    client.on('data', (bytes) => {
      if (answered) count++
      answered = false
      server.write(bytes)
    })
    server.on('data', (bytes) => {
      setTimeout(() => {
        answered = true
        client.write(bytes)
      }, delayMs)
    })
    endTogether(client, server)
  }).listen(0, '127.0.0.1')
  await once(listener, 'listening')
  const url = new URL(target)
  for (const name of ['host', 'port']) url.searchParams.delete(name)
  url.hostname = '127.0.0.1'
  url.port = String((listener.address() as { port: number }).port)
  return { url: url.href, count: () => count, close: () => void listener.close() }
}

function endTogether(one: Socket, other: Socket): void {
  for (const [socket, peer] of [
    [one, other],
    [other, one],
  ] as const) {
    socket.on('close', () => peer.destroy())
    // A reset is an end too; the system that is measured reports what it makes of it.
    socket.on('error', () => peer.destroy())
  }
}
