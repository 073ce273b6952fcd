// CancelRequest: asks a server process to stop its running statement, on a connection of its own that is not
// authenticated (protocol: "Canceling Requests in Progress"). What the process was running then fails with 57014.

import { type Client, Connection } from 'pg'
import { ConnectionError } from '../errors.ts'

/** The server process behind a client, and the key that its CancelRequest needs. */
interface Backend {
  readonly processId: number
  readonly secretKey: number
}

/** What pg keeps of its connection without promising it in its types. */
interface ClientInternals {
  readonly processID?: number | null
  readonly secretKey?: number | null
  readonly host?: string
  readonly port?: number
  readonly ssl?: unknown
}

interface ConnectionInternals extends Connection {
  connect(port: number | string, host?: string): void
  requestSsl(): void
  cancel(processId: number, secretKey: number): void
}

/** Null for a client that has no server process: pg-mem's, or one that is not connected. */
export function backendOf(client: Pick<Client, 'query'>): Backend | null {
  const { processID: processId, secretKey } = client as ClientInternals
  return typeof processId === 'number' && typeof secretKey === 'number' ? { processId, secretKey } : null
}

/**
 * Asks for whatever the client's process is running to be cancelled. Resolves when the server has closed the request's
 * connection, which it does after it signalled the process: a statement sent later cannot be hit.
 * @throws ConnectionError if the server does not answer within `timeoutMs`; unless its `statement` is `'not sent'`, the
 *   request may arrive later, and hit whatever runs then
 */
export function cancelRequest(client: Pick<Client, 'query'>, timeoutMs = 2_000): Promise<void> {
  const backend = backendOf(client)
  const { host = 'localhost', port = 5432, ssl } = client as ClientInternals
  if (backend === null) return Promise.resolve()
  const connection = new Connection({ ssl: ssl || false } as object) as ConnectionInternals

  return new Promise((resolve, reject) => {
    let sent = false
    const give = (error: Error) => {
      reject(new ConnectionError(null, error, sent ? 'unknown' : 'not sent'))
      connection.stream.destroy()
    }
    const timer = setTimeout(() => give(new Error(`no answer to a CancelRequest within ${timeoutMs} ms`)), timeoutMs)
    const send = () => {
      sent = true
      connection.cancel(backend.processId, backend.secretKey)
    }
    connection.on('connect', () => (ssl ? connection.requestSsl() : send()))
    connection.on('sslconnect', send)
    connection.on('error', give)
    connection.on('end', () => {
      clearTimeout(timer)
      resolve()
    })
    if (host.startsWith('/')) connection.connect(`${host}/.s.PGSQL.${port}`)
    else connection.connect(port, host)
  })
}
