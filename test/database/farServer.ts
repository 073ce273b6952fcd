// A server far away: a network in front of a proxy's URL whose answers come late, in their order.

import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'

export interface FarServer {
  readonly url: string
  /** Connections that were accepted so far. */
  readonly accepted: number
  /** How late answers come from now on, in ms. */
  delay(ms: number): void
  close(): Promise<void>
}

/** @param url of a server that listens on a port, such as a proxy's */
export async function farServer(url: string, delayMs: number): Promise<FarServer> {
  const target = new URL(url)
  const sockets = new Set<Socket>()
  let accepted = 0
  const server = createServer((near) => {
    accepted++
    const far = connect(Number(target.port), target.hostname)
    near.on('data', (chunk: Buffer) => far.write(chunk))
    far.on('data', (chunk: Buffer) => setTimeout(() => near.write(chunk), delayMs))
    for (const socket of [near, far]) {
      sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => (socket === near ? far : near).destroy())
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const own = new URL(url)
  own.port = String((server.address() as { port: number }).port)
  return {
    url: own.href,
    get accepted() {
      return accepted
    },
    delay: (ms) => {
      delayMs = ms
    },
    close: async () => {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}
