// What a database says of itself, to those who listen: subscribers of the channels in events.ts, and its own log.
// In: a query or a transaction, and the function that runs it. Out: the function's result, with its events published.

import { CommitUnknownError } from '../../errors.ts'
import {
  type DatabaseIdentity,
  isHeard,
  type PoolHappening,
  poolChannel,
  type QueryEvent,
  queryChannel,
  type TransactionEvent,
  trace,
  transactionChannel,
} from '../../events.ts'
import type { Query } from '../../query/executor.ts'
import type { Log } from './log.ts'

export class Observer {
  readonly #database: DatabaseIdentity
  readonly #log: Log | null
  readonly #withParams: boolean

  /** @param withParams whether events hold the parameters */
  constructor(database: DatabaseIdentity, log: Log | null = null, withParams = false) {
    this.#database = database
    this.#log = log
    this.#withParams = withParams
  }

  /** Whether anybody wants to hear of queries: to be asked first, so that silence costs nothing. */
  get listening(): boolean {
    return this.#log !== null || isHeard(queryChannel)
  }

  /**
   * Runs a query that somebody listens to.
   * @param run gets the query to run instead: the same one, which also tells how it fares on the way
   */
  query<Params, Row, Result>(
    query: Query<Params, Row, Result>,
    params: Params,
    transaction: TransactionEvent | null,
    run: (query: Query<Params, Row, Result>) => Promise<Result>,
  ): Promise<Result> {
    const event: QueryEvent = {
      database: this.#database,
      query: query.name,
      source: query.source,
      kind: query.kind,
      sql: query.sql,
      inputs: query.single !== undefined && Array.isArray(params) ? params.length : null,
      transaction,
      ...(this.#withParams && { params }),
      startedAt: performance.now(),
      durationMs: 0,
      waitMs: 0,
      rows: null,
      roundTrips: 0,
      retried: false,
    }
    if (transaction?.statements === 1) this.#log?.begun(transaction)
    const observed: Query<Params, Row, Result> & Observed = {
      ...query,
      finish: (rows, affected) => {
        event.rows = affected
        return query.finish(rows, affected)
      },
      [observation]: event,
    }
    observing++
    return trace(
      queryChannel,
      event,
      () => run(observed),
      () => {
        observing--
        event.durationMs = performance.now() - event.startedAt
        if ('error' in event) {
          event.rows = null
          if (event.roundTrips === 0) event.waitMs = event.durationMs
        }
        this.#log?.query(event)
      },
    )
  }

  /** The event of a run of a unit of work that is about to begin. */
  transaction(begin: string, attempt: number): TransactionEvent {
    return {
      database: this.#database,
      id: ++transactions,
      attempt,
      begin,
      startedAt: performance.now(),
      durationMs: 0,
      statements: 0,
      outcome: null,
    }
  }

  /** Runs a transaction, from its start until it is committed or rolled back. */
  run<T>(event: TransactionEvent, run: () => Promise<T>): Promise<T> {
    if (this.#log === null && !isHeard(transactionChannel)) return run()
    return trace(transactionChannel, event, run, () => {
      event.durationMs = performance.now() - event.startedAt
      event.outcome = outcomeOf(event)
      this.#log?.ended(event)
    })
  }

  pool(happening: PoolHappening): void {
    if (poolChannel.hasSubscribers) poolChannel.publish({ database: this.#database, ...happening })
  }
}

/** For connections that nobody has given an observer: a test database's. */
const anonymous = new Observer({ name: null, host: null, port: null, applicationName: null })

export function observerOf({ observer = anonymous }: { readonly observer?: Observer }): Observer {
  return observer
}

/** Says that a query goes to the server now. Nothing if nobody listens to it. */
export function noteSent(query: object, roundTrips = 1): void {
  if (observing === 0) return
  const event = (query as Partial<Observed>)[observation]
  if (event === undefined) return
  if (event.roundTrips === 0) event.waitMs = performance.now() - event.startedAt
  else event.retried = true
  event.roundTrips += roundTrips
}

/** A query carries its event down to the connection, so that nothing in between has to know of it. */
const observation: unique symbol = Symbol('plainsql.observation')

interface Observed {
  readonly [observation]: QueryEvent
}

/** Queries under way that somebody listens to. */
let observing = 0

let transactions = 0

function outcomeOf(event: TransactionEvent): TransactionEvent['outcome'] {
  if (event.error instanceof CommitUnknownError) return 'unknown'
  if (event.statements === 0) return 'empty'
  return 'error' in event ? 'rollback' : 'commit'
}
