// A call: one query, or one control command, from the moment it is made until its promise settles.

import { PlainsqlError } from '../../errors.ts'
import type { Query } from '../../query/executor.ts'
import { misfit } from '../../query/row.ts'
import { queryError } from '../failures.ts'
import type { ServerError } from './messages.ts'
import { type Columns, unknownColumns } from './row.ts'
import type { Statement } from './statements.ts'

/** A query, or a control command, on its way through a connection. */
export class Call {
  readonly query: Query<unknown, unknown, unknown> | null
  readonly params: unknown
  /** Takes the result; an error is a rejected promise. */
  readonly resolve: (result: unknown) => void
  /** Whether it may share its Sync with its neighbours: a quick read, that can be sent again. */
  shares = false
  /** Whether a ReadyForQuery is its end: it has a Sync of its own, or is the last of those that share one. */
  ends = true
  next: Call | null = null
  statement: Statement | null = null
  columns: Columns = unknownColumns
  /** Commands that run in front of it, and share its Sync. */
  carried: readonly string[] = []
  /** How many of them are not complete. */
  preludes = 0
  preparing = false
  prepared = false
  /** Whether the server has taken its parameters: before, nothing of it has run. */
  bound = false
  /** Whether it is a ping that nothing was ahead of. */
  measures = false
  /** Whether it may have reached the server. */
  sent = false
  /** Whether it was moved to another connection; once is enough. */
  moved = false
  /** How often its statement was prepared anew. */
  reprepared = 0
  /** Its copy on another connection, or what it is a copy of: the first answer counts, and the last error. */
  twin: Call | null = null
  /** Since when it waits for a connection. */
  since = 0
  /** How long the server is expected to be busy with it. */
  expectedMs = 0
  rows: unknown[] = []
  affected = 0
  tag = ''
  refusal: ServerError | null = null
  thrown: { readonly error: unknown } | null = null

  constructor(query: Query<unknown, unknown, unknown> | null, params: unknown, resolve: (result: unknown) => void) {
    this.query = query
    this.params = params
    this.resolve = resolve
  }

  /** The server has taken its parameters, by when its columns are known. */
  take(): void {
    this.bound = true
    const { query, statement, preparing } = this
    if (query === null || statement === null || !(preparing || statement.isMisfit)) return
    const error = misfit(query, (preparing ? this : statement).columns.names)
    // Looked at once for all runs.
    statement.isMisfit = error !== null
    if (error !== null) this.thrown = { error }
  }

  /** It is answered: by what, its fields say. */
  settle(): void {
    const { query, refusal, thrown } = this
    if (refusal !== null) {
      // An error of the prelude is not the query's.
      this.fail(() => queryError(this.preludes > 0 ? null : query, refusal))
    } else if (thrown !== null) this.fail(() => thrown.error)
    else if (query === null) this.resolve(this.tag)
    else {
      try {
        this.resolve(query.finish(this.rows, this.affected))
      } catch (error) {
        this.fail(() => error)
      }
    }
  }

  /** Rejects in a microtask of its own, after the caller's await: only there does V8 know the stack of callers. */
  fail(makeError: () => unknown): void {
    if (this.leaveToTwin()) return
    const awaited = Promise.resolve().then(() => {})
    const failing = awaited.then(() => {
      const error = makeError()
      // Made while bytes were read, where the stack is the socket's.
      if (error instanceof PlainsqlError) Error.captureStackTrace(error)
      throw error
    })
    // Of two copies of a call the second to fail has nobody to hear it. Not for all: V8 follows a promise to those who
    // await it only while there is one of them.
    if (this.moved) failing.catch(() => {})
    this.resolve(failing)
  }

  /** Whether there is another one whose answer may come: then it is that one's business. */
  leaveToTwin(): boolean {
    const { twin } = this
    if (twin === null) return false
    this.twin = null
    twin.twin = null
    return true
  }

  /** As it was before it was sent. */
  reset(): void {
    this.rows = []
    this.affected = 0
    this.refusal = null
    this.thrown = null
    this.prepared = false
    this.bound = false
    this.sent = false
  }
}
