// A connection over any `pg` client, by nothing but `client.query`: for clients that lack what `wire.ts` builds on.

import type { Duplex } from 'node:stream'
import { type Client, DatabaseError } from 'pg'
import { ConnectionError, isStale, type PlainsqlError, QueryError, type QueryIdentity } from '../errors.ts'
import type { Query } from '../query/executor.ts'
import { decodeRows, encodeParams } from '../query/text.ts'
import { backendOf, cancelRequest } from './cancelRequest.ts'
import type { Connection } from './connection.ts'
import { queryError } from './failures.ts'
import { noteSent } from './observe/observer.ts'

/** PostgreSQL's texts as they are: the generated decoder parses them. */
const rawText = { getTypeParser: () => (text: string) => text }

/** @param prepares whether statements get a name, by which pg prepares them */
export function plainConnection(
  client: Pick<Client, 'query'> & Partial<Pick<Client, 'getTransactionStatus'>> & { connection?: { stream?: Duplex } },
  prepares = true,
): Connection {
  /** pg prepares a name once, whatever the server says of it later: these are sent whole from then on. */
  const stale = new Set<string>()
  // pg passes on an error before it has heard what became of the transaction.
  let failed = true
  let inFlight = 0
  /** When the first call in flight was sent, or the one before it answered. */
  let since = 0
  const answered = async <T>(query: QueryIdentity | null, answer: Promise<T>): Promise<T> => {
    if (inFlight++ === 0) since = performance.now()
    try {
      const result = await answer
      failed = false
      return result
    } catch (error) {
      failed = true
      throw clientError(query, error)
    } finally {
      inFlight--
      since = performance.now()
    }
  }
  return {
    get inTransaction(): boolean | undefined {
      const status = failed ? null : client.getTransactionStatus?.()
      return status ? status !== 'I' : undefined
    },

    async execute<Params, Row, Result>(
      query: Query<Params, Row, Result>,
      params: Params,
      prelude?: readonly string[],
    ): Promise<Result> {
      const values = encodeParams(query, params)
      noteSent(query, 1 + (prelude?.length ?? 0))
      for (const sql of prelude ?? []) await this.control(sql)
      const answer = client.query<(string | null)[]>({
        ...(prepares && !stale.has(query.statement) && { name: query.statement }),
        text: query.sql,
        values,
        rowMode: 'array',
        types: rawText,
      })
      const result = await answered(query, answer).catch((error: unknown) => {
        if (error instanceof QueryError && isStale(error.serverError)) stale.add(query.statement)
        throw error
      })
      const columns = result.fields.map((field) => field.name)
      return query.finish(decodeRows(query, columns, result.rows), result.rowCount ?? 0)
    },

    async control(sql: string): Promise<string> {
      return (await answered(null, client.query(sql))).command
    },

    busyMs: (now) => (inFlight === 0 ? 0 : now - since),

    destroy(cause) {
      client.connection?.stream?.destroy(cause)
    },

    ...(backendOf(client) && { cancel: () => cancelRequest(client) }),
  }
}

/** ERROR leaves the connection usable; FATAL, PANIC and everything that is not an answer of the server do not. */
function clientError(query: QueryIdentity | null, error: unknown): PlainsqlError {
  if (error instanceof DatabaseError && !endsSession(error)) return queryError(query, error)
  const { message } = error as Error
  return new ConnectionError(query, error as Error, refusals.test(message) ? 'not sent' : 'unknown')
}

/** What pg says when it knows already that the connection leads nowhere. */
const refusals = /(?:encountered a connection error|was closed) and is not queryable$/

/** By the SQLSTATEs that servers end sessions with, too: pg has the severity in the language of `lc_messages` only. */
function endsSession({ message, severity, code = '' }: DatabaseError): boolean {
  // pg's words for COPY FROM STDIN, behind which it waits for ever: its Sync was swallowed ("COPY Operations").
  if (message.endsWith('No source stream defined')) return true
  return severity === 'FATAL' || severity === 'PANIC' || /^(?:57P|08|28|53300|25P0[34])/.test(code)
}
