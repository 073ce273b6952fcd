// A single connection outside of any pool, for the generator, migrations and databases for tests: a connection string
// means there what it means for `createDatabase`.

import { Client, type ClientConfig } from 'pg'
import { guardLogin } from '../database/pool/login.ts'
import { checkServer, explained } from '../database/pool/refusals.ts'
import { readTargets } from '../database/pool/targets.ts'
import { ConnectionError } from '../errors.ts'

/** How long the server may take, in ms, as the pool's `connectTimeoutMs` is by default. */
const timeoutMs = 10_000

/**
 * A connected client; of several hosts the first that can be reached and is what `target_session_attrs` wants. Whoever asks
 * for it ends it. A round trip more where it wants something.
 * @param config what the connection string does not say
 * @throws ConnectionError
 */
export async function connectOnce(url: string | undefined, config: ClientConfig = {}): Promise<Client> {
  const { list, config: given } = readTargets(url)
  let failure: Error | undefined
  for (const target of list) {
    const { host, port, ssl } = target
    const client = new Client({ connectionTimeoutMillis: timeoutMs, ...config, ...given, host, port, ssl })
    // A connection that is lost fails the statement that runs on it, which is enough to hear of it.
    client.on('error', () => {})
    guardLogin(client)
    try {
      await client.connect()
      await checkServer(client, target, timeoutMs)
      return client
    } catch (error) {
      client.end().catch(() => {})
      failure ??= explained(error as Error, host)
    }
  }
  throw new ConnectionError(null, failure as Error, 'not sent')
}
