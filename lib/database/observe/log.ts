// What `echo` and `slowQueryMs` print. In: events. Out: lines, for people; for machines there are the channels.

import { inspect } from 'node:util'
import type { QueryEvent, TransactionEvent } from '../../events.ts'

/** What is printed, and what is warned of. */
export interface LogOptions {
  /**
   * Prints every query with its place, rows and time, and every BEGIN, COMMIT and ROLLBACK: `true` to stderr, or each
   * line to a function. Default false.
   */
  readonly echo?: boolean | ((line: string) => void) | undefined
  /** Queries that take longer, in ms, the wait for a connection included, are warned of. Default: none. */
  readonly slowQueryMs?: number | undefined
  /** Gets the slow queries. Default: a line by `console.warn`. */
  readonly onSlowQuery?: ((event: QueryEvent) => void) | undefined
  /** Whether events, and so echo, hold parameters. Default false: they are what people would not want in a log. */
  readonly logParameters?: boolean | undefined
}

/** Where events are printed. */
export interface Log {
  query(event: QueryEvent): void
  begun(event: TransactionEvent): void
  ended(event: TransactionEvent): void
}

/** Null if nothing is to be logged. */
export function logFor({ echo = false, slowQueryMs, onSlowQuery = warn }: LogOptions): Log | null {
  if (!echo && slowQueryMs === undefined) return null
  const print = typeof echo === 'function' ? echo : echo ? (line: string) => console.error(line) : null
  return {
    query: (event) =>
      aside(() => {
        print?.(queryLine(event))
        if (slowQueryMs !== undefined && event.durationMs > slowQueryMs) onSlowQuery(event)
      }),
    begun: (event) => aside(() => print?.(`${tag(event)}${event.begin}`)),
    ended: (event) => {
      if (event.outcome !== 'empty') aside(() => print?.(endLine(event)))
    },
  }
}

/** `getUserByEmail (sql/users.sql:12) 1 row, 0.42 ms` */
export function queryLine(event: QueryEvent): string {
  const { transaction, query, source, inputs, rows, durationMs, waitMs, retried } = event
  const details = [
    ...(inputs === null ? [] : [count(inputs, 'input')]),
    ...('error' in event ? [`failed: ${summary(event.error)}`] : rows === null ? [] : [count(rows, 'row')]),
    milliseconds(durationMs),
    // A turn of the event loop is no wait.
    ...(waitMs >= 1 ? [`${milliseconds(waitMs)} of it waiting`] : []),
    ...(retried ? ['sent again'] : []),
    ...('params' in event && event.params !== undefined ? [`parameters ${readable(event.params)}`] : []),
  ]
  return `${tag(transaction)}${query} (${source}) ${details.join(', ')}`
}

function endLine(event: TransactionEvent): string {
  const { outcome, statements, durationMs } = event
  const did = outcome === 'unknown' ? 'COMMIT not answered' : outcome?.toUpperCase()
  const why = 'error' in event ? `, for ${summary(event.error)}` : ''
  return `${tag(event)}${did} after ${count(statements, 'statement')}, ${milliseconds(durationMs)}${why}`
}

/** Which transaction a line belongs to, where several run at a time; and which attempt. */
function tag(transaction: TransactionEvent | null): string {
  if (transaction === null) return ''
  return `[${transaction.id}${transaction.attempt > 1 ? `, attempt ${transaction.attempt}` : ''}] `
}

function warn(event: QueryEvent): void {
  console.warn(`plainsql: slow query: ${queryLine(event)}`)
}

/** One line of an error, which by the contract of errors.ts holds no values. */
function summary(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message.split('\n', 1)[0]}` : String(error)
}

/** As JSON, or as much of it as can be written: a cycle is the call's own error, and none of the log's. */
function readable(params: unknown): string {
  try {
    return JSON.stringify(params, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value))
  } catch {
    return inspect(params, { breakLength: Number.POSITIVE_INFINITY })
  }
}

function count(n: number, what: string): string {
  return `${n} ${what}${n === 1 ? '' : 's'}`
}

function milliseconds(ms: number): string {
  return `${ms < 10 ? ms.toFixed(2) : Math.round(ms)} ms`
}

/** An error of a function that was given to us is not the query's: it is thrown where those of channels' subscribers are. */
function aside(run: () => void): void {
  try {
    run()
  } catch (error) {
    process.nextTick(() => {
      throw error
    })
  }
}
