// One statement outside of any unit of work: on a connection that others use too, where the source has such, else on
// one of its own for as long as it runs.

import { CancelledError, ConnectionError } from '../errors.ts'
import type { Query } from '../query/executor.ts'
import { acquire, type Cancellation, cancellable } from './cancellation.ts'
import type { ConnectionSource } from './connection.ts'
import { leftOpen } from './failures.ts'
import { observerOf } from './observe/observer.ts'

/** @param cancellation ends the call: the wait for a connection, or the statement at the server */
export function autocommit<Params, Row, Result>(
  source: ConnectionSource,
  query: Query<Params, Row, Result>,
  params: Params,
  cancellation: Cancellation | null = null,
): Promise<Result> {
  const observer = observerOf(source)
  if (!observer.listening) return send(source, query, params, cancellation)
  return observer.query(query, params, null, (observed) => send(source, observed, params, cancellation))
}

function send<Params, Row, Result>(
  source: ConnectionSource,
  query: Query<Params, Row, Result>,
  params: Params,
  cancellation: Cancellation | null,
): Promise<Result> {
  // A CancelRequest could hit the statement of somebody else there.
  if (cancellation === null && source.execute !== undefined) return source.execute(query, params)
  return alone(source, query, params, cancellation)
}

/** On a connection to itself. A read whose connection is lost is asked once more, as it is on lanes. */
export async function alone<Params, Row, Result>(
  source: ConnectionSource,
  query: Query<Params, Row, Result>,
  params: Params,
  cancellation: Cancellation | null = null,
): Promise<Result> {
  for (let again = query.readOnly === true; ; again = false) {
    const lease = await (cancellation === null
      ? source.acquire(query, 'call')
      : acquire(source, query, cancellation, 'call'))
    const { connection } = lease
    try {
      const running = connection.execute(query, params)
      const result = await (cancellation === null ? running : cancellable(connection, query, running, cancellation))
      // The next statement, somebody else's, would never be committed. The pool destroys such a connection.
      if (connection.inTransaction) throw leftOpen(query)
      lease.release(true)
      return result
    } catch (error) {
      const lost = error instanceof ConnectionError
      lease.release(!(lost || (error instanceof CancelledError && error.statement === 'unknown')))
      if (!lost || !again) throw error
    }
  }
}
