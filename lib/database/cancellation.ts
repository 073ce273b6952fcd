// When a call or a unit of work has to end before it is done: its AbortSignal fired, or its time is up.
// In: a signal and a timeout. Out: one event, and ways to wait for something no longer than that.

import {
  CancelledError,
  type CancelledStatement,
  ConnectionError,
  QueryError,
  type QueryIdentity,
  TimeoutError,
} from '../errors.ts'
import type { Connection, ConnectionSource, Lease } from './connection.ts'

/** When a call, or a unit of work with all its calls, ends before it is done. */
export interface CancelOptions {
  /** Ends it when aborted; the error's cause is the signal's reason. */
  readonly signal?: AbortSignal | undefined
  /**
   * Ends it after so long, in ms, the wait for a connection included; at once if it is negative, as what is left until a
   * deadline may be. Default, and 0 or Infinity: never.
   */
  readonly timeoutMs?: number | undefined
}

/** How long a server may take to answer a CancelRequest, or ROLLBACK, before its connection is given up. */
export const graceMs = 2_000

/** The longest that a timer can take, and a setting of PostgreSQL's; a timer of more fires at once. */
export const longestMs: number = 2 ** 31 - 1

/** Who waits for a signal: one listener for all of them, because node warns of a leak from the eleventh on. */
const waiting = new WeakMap<AbortSignal, Set<() => void>>()

function endAll(this: AbortSignal): void {
  for (const end of [...(waiting.get(this) ?? [])]) end()
}

function listen(signal: AbortSignal, end: () => void): void {
  const ends = waiting.get(signal) ?? new Set()
  if (ends.size === 0) signal.addEventListener('abort', endAll)
  waiting.set(signal, ends.add(end))
}

function unlisten(signal: AbortSignal, end: () => void): void {
  const ends = waiting.get(signal)
  if (ends?.delete(end) && ends.size === 0) signal.removeEventListener('abort', endAll)
}

/** Fires at most once. Must be disposed of, or its timer keeps running. */
export class Cancellation {
  /** Settles (never rejects) when it fires. */
  readonly fired: Promise<void>
  readonly #signal: AbortSignal | undefined
  readonly #timeoutMs: number
  #reason: 'signal' | 'timeout' | null = null
  #timer: NodeJS.Timeout | undefined
  #fire: () => void = () => {}
  readonly #onAbort = (): void => this.#end('signal')

  /** @throws RangeError */
  constructor({ signal, timeoutMs = 0 }: CancelOptions) {
    if (typeof timeoutMs !== 'number' || Number.isNaN(timeoutMs)) {
      throw new RangeError(`timeoutMs must be a number of milliseconds, got ${String(timeoutMs)}`)
    }
    this.#signal = signal
    this.#timeoutMs = timeoutMs
    this.fired = new Promise((resolve) => {
      this.#fire = resolve
    })
    if (signal?.aborted) this.#end('signal')
    else if (signal !== undefined) listen(signal, this.#onAbort)
    if (timeoutMs < 0) this.#end('timeout')
    else if (timeoutMs > 0 && timeoutMs <= longestMs) this.#timer = setTimeout(() => this.#end('timeout'), timeoutMs)
  }

  get done(): boolean {
    return this.#reason !== null
  }

  /** What to throw once it has fired. @param cause the server's own words, if there are any */
  error(query: QueryIdentity | null, statement: CancelledStatement, cause?: unknown): CancelledError {
    if (this.#reason === 'timeout') return new TimeoutError(query, statement, this.#timeoutMs, cause)
    return new CancelledError(query, statement, 'was aborted by its signal', this.#signal?.reason)
  }

  /** `promise`, unless this fires first. What `promise` does afterwards is nobody's concern. */
  async race<T>(promise: Promise<T>, error: () => Error): Promise<T> {
    // In plain JavaScript a unit's function need not be async; and what it returns may run anew for each `then`.
    const one = Promise.resolve(promise)
    one.catch(() => {})
    await Promise.race([one, this.fired])
    // Both may have happened in one turn: then the result counts, since it is there.
    return this.done ? Promise.race([one, Promise.reject(error())]) : one
  }

  dispose(): void {
    clearTimeout(this.#timer)
    if (this.#signal !== undefined) unlisten(this.#signal, this.#onAbort)
  }

  #end(reason: 'signal' | 'timeout'): void {
    this.#reason ??= reason
    this.dispose()
    this.#fire()
  }
}

/** A connection, unless the cancellation comes first; then one that arrives late is given back at once. */
export async function acquire(
  source: ConnectionSource,
  query: QueryIdentity | null,
  cancellation: Cancellation,
  use?: 'call',
): Promise<Lease> {
  if (cancellation.done) throw cancellation.error(query, 'not sent')
  const acquired = Promise.resolve(source.acquire(query, use))
  try {
    return await cancellation.race(acquired, () => cancellation.error(query, 'not sent'))
  } catch (error) {
    acquired.then(
      (lease) => lease.release(true),
      () => {},
    )
    throw error
  }
}

/**
 * Waits for a statement that is under way on a connection that nobody else uses; when the cancellation fires, has the
 * server stop it. A statement that was faster than its cancellation counts as done.
 * @throws CancelledError, TimeoutError; with `statement: 'unknown'` the connection must be destroyed
 */
export async function cancellable<T>(
  connection: Connection,
  query: QueryIdentity,
  running: Promise<T>,
  cancellation: Cancellation,
): Promise<T> {
  const settled = running.then(
    () => {},
    () => {},
  )
  await Promise.race([settled, cancellation.fired])
  if (!cancellation.done) return running
  if (!(await stop(connection, settled))) throw cancellation.error(query, 'unknown')
  try {
    return await running
  } catch (error) {
    // query_canceled
    if (error instanceof QueryError && error.sqlState === '57014') throw cancellation.error(query, 'cancelled', error)
    throw error
  }
}

/**
 * Has the server cancel what the connection runs, until it has settled. More than one request, because one that comes
 * before its statement hits nothing. Answers whether it has settled within `graceMs`, and no request is under way that
 * could hit what runs next; if not, the connection is lost.
 * @param patienceMs how long to wait before the first request
 */
export async function stop(connection: Connection, settled: Promise<unknown>, patienceMs = 0): Promise<boolean> {
  const deadline = performance.now() + graceMs
  let mayCome = false
  const doubt = (error: unknown): void => {
    mayCome ||= !(error instanceof ConnectionError) || error.statement !== 'not sent'
  }
  for (let pauseMs = patienceMs; performance.now() < deadline; pauseMs = Math.min(2 * pauseMs + 20, 200)) {
    if (await settlesWithin(settled, pauseMs)) return !mayCome
    await connection.cancel?.().catch(doubt)
  }
  return (await settlesWithin(settled, 0)) && !mayCome
}

/** Whether a promise settles, one way or the other, in that time. */
export async function settlesWithin(promise: Promise<unknown>, timeoutMs: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(resolve, Math.min(timeoutMs, longestMs), false)
  })
  const settled = promise.then(
    () => true,
    () => true,
  )
  return Promise.race([settled, late]).finally(() => clearTimeout(timer))
}

/** For an answer that did not come in time: the connection's state is not known any more. */
export function unanswered(what: string): ConnectionError {
  return new ConnectionError(null, new Error(`no answer to ${what} within ${graceMs} ms`))
}
