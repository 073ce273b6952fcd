// A server that lets everybody in, without TLS and without a password, and from then on does what the test says; or one
// that asks for a way to log in that nobody knows.

import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { message } from '../../lib/database/wire/messages.ts'

export interface FakeServer {
  readonly url: string
  close(): Promise<void>
}

/** AuthenticationOk. */
const welcome = authentication(0)
/** ReadyForQuery: no transaction is open. */
export const ready: Buffer = message('Z', 'I')

/** Authentication…, of the method with this number. */
export function authentication(method: number): Buffer {
  return message('R', Buffer.from([0, 0, 0, method]))
}

/**
 * @param asked called with everything that clients send after they were let in
 * @param more what comes in one packet with the welcome
 * @param greeting the welcome
 */
export async function startFakeServer(
  asked: (socket: Socket, bytes: Buffer) => void,
  more: Buffer = Buffer.alloc(0),
  greeting: Buffer = Buffer.concat([welcome, ready]),
): Promise<FakeServer> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.once('data', () => {
      socket.write(Buffer.concat([greeting, more]))
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
