// Why a server is not connected to, or a connection could not be made: in words that say what to do.

import type { Client, QueryConfig } from 'pg'
import type { Target } from './targets.ts'

/** @throws Error unless the server is of the kind that is wanted; what asking it throws */
export async function checkServer(client: Client, { wanted, host, port }: Target, timeoutMs: number): Promise<void> {
  if (wanted === 'any') return
  const text = "select pg_is_in_recovery() as standby, current_setting('transaction_read_only') = 'on' as readonly"
  // pg's own limit ends with the login.
  const { rows } = await client.query<{ standby: boolean; readonly: boolean }>({
    text,
    query_timeout: timeoutMs,
  } as object as QueryConfig)
  const [{ standby, readonly } = { standby: false, readonly: false }] = rows
  const fits = wanted === 'primary' ? !standby : wanted === 'standby' ? standby : readonly === (wanted === 'read-only')
  if (!fits) throw new Error(`the server at ${host}:${port} is not ${wanted} (target_session_attrs)`)
}

/** The error of a connection that could not be made, in words that say what to do. */
export function explained(error: Error, host = 'the server'): Error {
  // Of several attempts (both addresses of `localhost`) node has one without a message.
  const [first] = (error as Partial<AggregateError>).errors ?? []
  if (error.message === '' && first instanceof Error) error.message = first.message
  // pg's words for "the server asks for a password, and there is none".
  if (error.message.endsWith('client password must be a string')) {
    error.message = `${host} asks for a password, and there is none in the connection string, PGPASSWORD or ~/.pgpass`
  }
  const [, method] = /^Unknown authenticationOk message type (\d+)$/.exec(error.message) ?? []
  if (method !== undefined) {
    // The protocol's numbers of the two.
    const name = method === '7' ? 'GSSAPI' : method === '9' ? 'SSPI' : `method ${method}`
    error.message = `${host} asks for a login by ${name}, which pg does not know: let its pg_hba.conf ask for scram-sha-256 or cert`
  }
  if (error.message === 'The server does not support SSL connections') {
    error.message = `${host} does not offer TLS, which is the default for other machines: ?sslmode=disable turns it off`
  }
  if (untrusted.includes((error as NodeJS.ErrnoException).code ?? '')) {
    error.message += `: give the certificate of ${host}'s authority by ?sslrootcert=file, or ?sslmode=require to encrypt only`
  }
  return error
}

/** Node's codes (those of OpenSSL) for a certificate that nobody whom we know has signed. */
const untrusted: readonly string[] = [
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]
