// A server that lets everybody in, without TLS and without a password, and from then on does what the test says.

import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { message } from '../../lib/database/wire/messages.ts'

export interface FakeServer {
  readonly url: string
  close(): Promise<void>
}

/** AuthenticationOk. */
const welcome = message('R', Buffer.alloc(4))
/** ReadyForQuery: no transaction is open. */
export const ready: Buffer = message('Z', 'I')

/**
 * @param asked called with everything that clients send after they were let in
 * @param more what comes in one packet with the welcome
 */
export async function startFakeServer(
  asked: (socket: Socket, bytes: Buffer) => void,
  more: Buffer = Buffer.alloc(0),
): Promise<FakeServer> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.once('data', () => {
      socket.write(Buffer.concat([welcome, ready, more]))
      socket.on('data', (bytes: Buffer) => asked(socket, bytes))
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  return {
    url: `postgres://me@127.0.0.1:${port}/x?sslmode=disable`,
    close: async () => {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}
