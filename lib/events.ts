// What can be seen of a running database: its queries, transactions and pool, on channels of node:diagnostics_channel.
// Tools subscribe by the channels' names without importing us. Nothing here costs anything while nobody listens, no
// event ever holds a row, and parameters only if `logParameters` asks for them.

import type { AsyncLocalStorage } from 'node:async_hooks'
import { channel, tracingChannel } from 'node:diagnostics_channel'
import type { AcquireTimeoutError, Holder, HookError } from './errors.ts'
import type { Kind } from './query/executor.ts'

/** Where the queries of one `createDatabase` go. */
export interface DatabaseIdentity {
  /** The database's name; null if the server chooses it (the user's name). */
  readonly name: string | null
  /** The first host of the connection string, or the folder of its socket; null for a database in memory. */
  readonly host: string | null
  readonly port: number | null
  readonly applicationName: string | null
}

/**
 * One call of a query, from the call until its promise settles. The object is the same in all messages of the call;
 * what can be known only at its end is there from `asyncEnd` on.
 */
export interface QueryEvent {
  readonly database: DatabaseIdentity
  /** The function's name: `getUserByEmail`. */
  readonly query: string
  /** `sql/users.sql:12` */
  readonly source: string
  readonly kind: Kind
  /** The statement as the server gets it, with `$1`, `$2`, …: never with values. */
  readonly sql: string
  /** How many inputs a batch form has; null for a single call. */
  readonly inputs: number | null
  /** The unit of work that it runs in. */
  readonly transaction: TransactionEvent | null
  /** The call's argument, with `logParameters`; else absent. */
  readonly params?: unknown
  /** `performance.now()` at the call. */
  readonly startedAt: number
  /** From the call to its end. */
  durationMs: number
  /** From the call until it was given to a connection: the wait for a free one, and for its turn in a unit of work. */
  waitMs: number
  /** Rows returned, or affected if the statement returns none; null if it failed or they were not counted. */
  rows: number | null
  /** How often it was sent to the server: 0 if it never was, more than 1 if it was sent again. */
  roundTrips: number
  /** Whether it was sent again: prepared anew, on another connection, or skipped when one ahead of it had failed. */
  retried: boolean
  /** What it failed with; absent if it did not. */
  error?: unknown
}

/** One run of a unit of work; a unit that is retried has one for each attempt. */
export interface TransactionEvent {
  readonly database: DatabaseIdentity
  /** Tells transactions of this process apart; the first is 1. */
  readonly id: number
  /** The first is 1. */
  readonly attempt: number
  /** `BEGIN ISOLATION LEVEL SERIALIZABLE`, which rides with the first statement. Of `settings` it has the names alone. */
  readonly begin: string
  /** `performance.now()` at its start. */
  readonly startedAt: number
  /** From its start until COMMIT or ROLLBACK was answered. */
  durationMs: number
  /** Queries that were called in it, those of its savepoints included. */
  statements: number
  /** Null while it runs. `empty`: no query was called, so no connection was taken. `unknown`: see CommitUnknownError. */
  outcome: 'commit' | 'rollback' | 'unknown' | 'empty' | null
  /** What it was rolled back for; absent if it was not. */
  error?: unknown
}

/** What happens to connections. */
export type PoolEvent = { readonly database: DatabaseIdentity } & PoolHappening

/** A PoolEvent as the pool knows it. */
export type PoolHappening =
  | {
      /** A connection was made. */
      readonly type: 'connect'
      readonly durationMs: number
      readonly processId: number | null
    }
  | {
      /** A connection was closed, or was lost. */
      readonly type: 'close'
      /** How long it was there. */
      readonly ageMs: number
      readonly processId: number | null
    }
  | {
      /** Somebody got a connection to himself, or one was given to statements outside of units of work to share. */
      readonly type: 'acquire'
      readonly use: Holder['use']
      readonly waitMs: number
    }
  | {
      /** It was given back. */
      readonly type: 'release'
      readonly use: Holder['use']
      readonly useMs: number
      /** False if its state is not known: it is closed. */
      readonly reusable: boolean
    }
  | {
      /** No connection became free in time; the error says who held them. */
      readonly type: 'acquireTimeout'
      readonly error: AcquireTimeoutError
    }
  | {
      /** No connection can be made: from now on callers fail at once. */
      readonly type: 'circuitOpen'
      readonly error: Error
    }
  | {
      /** One was made again. */
      readonly type: 'circuitClose'
    }

/** What a hook threw. */
export interface HookEvent {
  readonly error: HookError
}

/** Node's names for the moments of something that takes time; `error` comes before `asyncStart` and `asyncEnd`. */
export interface Traced<Event> extends Readonly<Record<MomentName, Moment<Event>>> {
  subscribe(subscribers: Subscribers<Event>): void
  unsubscribe(subscribers: Subscribers<Event>): void
}

type MomentName = 'start' | 'end' | 'asyncStart' | 'asyncEnd' | 'error'
type Subscribers<Event> = { readonly [Name in MomentName]?: (event: Event, name: string | symbol) => void }

/**
 * Node's `Channel`, of events. This and `Traced` are written out, because @types/node has swapped the type parameters
 * of its own between 20 and 26.
 */
export interface Moment<Event> {
  readonly hasSubscribers: boolean
  subscribe(onMessage: (event: Event, name: string | symbol) => void): void
  unsubscribe(onMessage: (event: Event, name: string | symbol) => void): boolean
  bindStore<Store>(store: AsyncLocalStorage<Store>, transform?: (event: Event) => Store): void
  unbindStore<Store>(store: AsyncLocalStorage<Store>): boolean
  runStores<Result>(event: Event, run: () => Result): Result
  publish(event: Event): void
}

/** `tracing:plainsql:query:start`, `:end`, `:asyncStart`, `:asyncEnd`, `:error`, each with a QueryEvent. */
export const queryChannel: Traced<QueryEvent> = tracingChannel('plainsql:query') as unknown as Traced<QueryEvent>

/** `tracing:plainsql:transaction:…`, each with a TransactionEvent. The unit's function runs in the stores of `start`. */
export const transactionChannel: Traced<TransactionEvent> = tracingChannel(
  'plainsql:transaction',
) as unknown as Traced<TransactionEvent>

/** `plainsql:pool`, with a PoolEvent. */
export const poolChannel: Moment<PoolEvent> = channel('plainsql:pool') as unknown as Moment<PoolEvent>

/**
 * `plainsql:hook:error`, for every function given to `afterCommit` or `afterRollback` that throws. Without a subscriber the
 * error becomes a process warning: it cannot be thrown, because the unit's outcome stands.
 */
export const hookChannel: Moment<HookEvent> = channel('plainsql:hook:error') as unknown as Moment<HookEvent>

/** Whether anybody listens. (`TracingChannel.hasSubscribers` is missing before Node 20.13.) */
export function isHeard<Event>(traced: Traced<Event>): boolean {
  return (
    traced.start.hasSubscribers ||
    traced.asyncEnd.hasSubscribers ||
    traced.error.hasSubscribers ||
    traced.end.hasSubscribers ||
    traced.asyncStart.hasSubscribers
  )
}

/**
 * Runs something that takes time, and publishes its moments, as `TracingChannel.tracePromise` would; but without its
 * result, whose rows are nobody's business.
 * @param ended completes the event; called before the messages of the end
 */
export async function trace<Event extends { error?: unknown }, Result>(
  traced: Traced<Event>,
  event: Event,
  run: () => Promise<Result>,
  ended: (event: Event) => void,
): Promise<Result> {
  try {
    // Async functions answer with a promise, so that `end` comes before anything that is awaited.
    const running = traced.start.runStores(event, run)
    traced.end.publish(event)
    return await running
  } catch (error) {
    event.error = error
    throw error
  } finally {
    ended(event)
    if ('error' in event) traced.error.publish(event)
    traced.asyncStart.publish(event)
    traced.asyncEnd.publish(event)
  }
}
