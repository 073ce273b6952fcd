// Until a client has logged in, pg reads what the server says: what it may not say ends the connection, and not the process.

import type { Duplex } from 'node:stream'
import type { Client, Connection } from 'pg'

/** What pg does not promise in its types. */
interface ClientInternals {
  readonly connection: Connection & { attachListeners(stream: Duplex): void }
  readonly enableChannelBinding: boolean
}

/**
 * What pg does not understand it throws where it reads, where nobody catches it: above all a way to log in that it does not
 * know (GSSAPI, SSPI). To be called before `connect`.
 */
export function guardLogin(client: Client): void {
  const { connection, enableChannelBinding } = client as unknown as ClientInternals
  if (enableChannelBinding) requireChannelBinding(connection)
  const attach = connection.attachListeners
  connection.attachListeners = (stream) => {
    attach.call(connection, stream)
    // Instead of pg's listener, whose place is not known: others may listen too.
    for (const read of stream.listeners('data') as ((chunk: Buffer) => void)[]) {
      stream.off('data', read).on('data', (chunk: Buffer) => {
        try {
          read(chunk)
        } catch (error) {
          stream.destroy(error as Error)
        }
      })
    }
  }
}

/** pg itself would do without, and send the password even in the clear. Here before pg, which listens from `connect` on. */
function requireChannelBinding(connection: Connection): void {
  let proven = false
  const refuse = (): never => {
    throw new Error('the server does not log in by channel binding (channel_binding=require)')
  }
  connection.on('authenticationCleartextPassword', refuse)
  connection.on('authenticationMD5Password', refuse)
  connection.on('authenticationSASL', ({ mechanisms }: { mechanisms: readonly string[] }) => {
    if (!mechanisms.includes('SCRAM-SHA-256-PLUS')) refuse()
  })
  connection.on('authenticationSASLFinal', () => {
    proven = true
  })
  // So pg says that what came was no proof.
  connection.on('error', () => {
    proven = false
  })
  connection.on('authenticationOk', () => {
    if (!proven) refuse()
  })
}
