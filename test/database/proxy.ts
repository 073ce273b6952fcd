// A network between us and the server that can be made bad: cuts answers into pieces, swallows them, breaks off.

import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'

export interface Proxy {
  readonly url: string
  /** Connections that were accepted so far. */
  readonly accepted: number
  /** Those of them that nobody has ended yet. */
  readonly open: number
  /** Answers come in pieces of this many bytes from now on; 0 as they come. */
  pieces(bytes: number): void
  /** Forwards nothing any more, of the connections that are open or of all, or no answers, and does not say so. */
  swallow(what: 'nothing' | 'open' | 'all' | 'answers'): void
  /** Whether connections that are made from now on are accepted, and never answered. */
  silence(on: boolean): void
  /** Puts this behind the next answer, in one piece with it, and ends that connection. */
  lastWords(bytes: Buffer): void
  /** Forwards but half of the next answer that is longer than 500 bytes, and ends that connection. */
  halve(): void
  /** Ends all connections, without a word or with a reset. */
  cut(): void
  close(): Promise<void>
}

/**
 * Stands before the server of `url`, whose host must be a folder with a socket or a name with a port.
 * @param at the port to listen on; any by default
 */
export async function startProxy(url: string, at = 0): Promise<Proxy> {
  const target = new URL(url)
  const host = target.searchParams.get('host') ?? target.hostname
  const port = Number(target.searchParams.get('port') ?? (target.port || 5432))
  const sockets = new Set<Socket>()
  let open = 0
  let size = 0
  let swallowing: Parameters<Proxy['swallow']>[0] = 'nothing'
  const dead = new WeakSet<Socket>()
  let accepted = 0
  let silent = false
  let last: Buffer | null = null
  let halves = false

  const server = createServer((near) => {
    accepted++
    open++
    near.on('close', () => open--)
    if (silent) {
      sockets.add(near)
      near
        .on('error', () => {})
        .on('close', () => sockets.delete(near))
        .resume()
      return
    }
    const far = host.startsWith('/') ? connect(`${host}/.s.PGSQL.${port}`) : connect(port, host)
    const forward = (to: Socket, chunk: Buffer, step: number) => {
      if (swallowing === 'all' || (swallowing === 'answers' && to === near) || dead.has(to)) return
      for (let at = 0; at < chunk.length; at += step) to.write(chunk.subarray(at, at + step))
    }
    near.setNoDelay(true)
    near.on('data', (chunk: Buffer) => forward(far, chunk, chunk.length))
    far.on('data', (chunk: Buffer) => {
      if (halves && chunk.length > 500) {
        near.end(chunk.subarray(0, chunk.length >> 1))
        halves = false
        return
      }
      if (last === null) return forward(near, chunk, size || chunk.length)
      near.end(Buffer.concat([chunk, last]))
      last = null
    })
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => {
        sockets.delete(socket)
        if (swallowing === 'nothing' || swallowing === 'answers') other.destroy()
      })
    }
  })
  server.listen(at, '127.0.0.1')
  await once(server, 'listening')
  const { port: own } = server.address() as { port: number }
  const near = new URL(url)
  near.hostname = '127.0.0.1'
  near.port = String(own)
  for (const name of ['host', 'port']) near.searchParams.delete(name)
  const user = near.searchParams.get('user')
  if (user !== null) near.username = user
  near.searchParams.delete('user')

  return {
    url: near.href.replace(/^postgresql:\/\/\//, `postgresql://${user ?? 'postgres'}@127.0.0.1:${own}/`),
    get accepted() {
      return accepted
    },
    get open() {
      return open
    },
    pieces: (bytes) => {
      size = bytes
    },
    swallow: (value) => {
      swallowing = value
      if (value === 'open') for (const socket of sockets) dead.add(socket)
    },
    silence: (on) => {
      silent = on
    },
    lastWords: (bytes) => {
      last = bytes
    },
    halve: () => {
      halves = true
    },
    cut: () => {
      for (const socket of sockets) socket.destroy()
    },
    close: async () => {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}
