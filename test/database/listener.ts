// A proxy that reads what a client says to its server, message by message.

import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'

export interface Listener {
  readonly url: string
  /** The settings of each startup message. */
  readonly startups: Readonly<Record<string, string>>[]
  /** Every message behind it: its letter as in "Message Formats", and its body. */
  readonly messages: { readonly code: string; readonly body: Buffer }[]
  close(): Promise<void>
}

/** Stands before the server of `url`, as a server without TLS. */
export async function listenIn(url: string): Promise<Listener> {
  const target = new URL(url)
  const host = target.searchParams.get('host') ?? target.hostname
  const port = Number(target.searchParams.get('port') ?? (target.port || 5432))
  const user = target.searchParams.get('user') ?? target.username
  const startups: Record<string, string>[] = []
  const messages: { code: string; body: Buffer }[] = []
  const sockets = new Set<Socket>()

  const server = createServer((near) => {
    const far = host.startsWith('/') ? connect(`${host}/.s.PGSQL.${port}`) : connect(port, host)
    let pending = Buffer.alloc(0)
    let started = false
    near.on('data', (chunk: Buffer) => {
      far.write(chunk)
      pending = Buffer.concat([pending, chunk])
      for (;;) {
        // The startup message has no letter.
        const head = started ? 1 : 0
        if (pending.length < head + 4) return
        const end = head + pending.readInt32BE(head)
        if (pending.length < end) return
        const body = pending.subarray(head + 4, end)
        if (started) messages.push({ code: String.fromCharCode(pending[0] as number), body })
        else startups.push(settingsOf(body))
        started = true
        pending = pending.subarray(end)
      }
    })
    far.pipe(near)
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => {
        sockets.delete(socket)
        other.destroy()
      })
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port: own } = server.address() as { port: number }
  return {
    url: `postgres://${user}@127.0.0.1:${own}${target.pathname}?sslmode=disable`,
    startups,
    messages,
    close: async () => {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

/** The body: the protocol's version, then names and values, each ended by a zero byte. */
function settingsOf(body: Buffer): Record<string, string> {
  const texts = body.toString('utf8', 4).split('\0')
  const settings: Record<string, string> = {}
  for (let i = 0; texts[i]; i += 2) settings[texts[i] as string] = texts[i + 1] as string
  return settings
}
