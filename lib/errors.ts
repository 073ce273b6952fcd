// Every error that plainsql throws at run time: data first, text last. Where PostgreSQL quotes a parameter's value, it is
// cut from the text; the server's own error, which has it, is reachable as `serverError` and is not printed with the error.

// Itself: what is exported keeps its name where a bundler renames classes, and logs are searched for these names.
import * as exported from './errors.ts'

/** The part of a query that an error names. */
export interface QueryIdentity {
  readonly name: string
  readonly source: string
  /** It only reads, so that there is no effect that it could have taken. */
  readonly readOnly?: true
}

/** One of a batch's inputs. */
export interface BatchInput {
  /** Its place among the inputs; the first is 0. */
  readonly index: number
  /** The parameters themselves. */
  readonly params: unknown
}

/** The base of all of plainsql's errors. */
export class PlainsqlError extends Error {
  /** The function's name: `createUser`; null where there is none: of BEGIN, COMMIT and the like, and of a whole unit. */
  readonly query: string | null
  /** `sql/users.sql:12`; null where `query` is. */
  readonly source: string | null
  #input: BatchInput | null = null

  constructor(message: string, query: QueryIdentity | null = null, options?: ErrorOptions) {
    super(message, options)
    this.query = query?.name ?? null
    this.source = query?.source ?? null
  }

  /**
   * Whether the same work, a unit of work as a whole, can be done again: nothing of it took effect, and what stood in its
   * way may pass. Not at once, and not for ever.
   */
  get retryable(): boolean {
    return false
  }

  /** The input that it is about, if it comes from a batch and is known. A getter: printing the error prints no values. */
  get input(): BatchInput | null {
    return this.#input
  }

  /** Says which of a batch's inputs it is about; the first one said stays. */
  at(index: number, params: unknown): this {
    if (this.#input !== null) return this
    this.#input = { index, params }
    this.message += `: input [${index}] of the batch`
    return this
  }
}

/** What PostgreSQL says of a failure, as far as it says it (protocol: "Error and Notice Message Fields"). */
export interface ServerFields {
  readonly code?: string | undefined
  readonly severity?: string | undefined
  readonly detail?: string | undefined
  readonly hint?: string | undefined
  readonly position?: string | undefined
  readonly schema?: string | undefined
  readonly table?: string | undefined
  readonly column?: string | undefined
  readonly constraint?: string | undefined
  readonly routine?: string | undefined
}

/** PostgreSQL refused a statement. The connection is not hurt by it. */
export class QueryError extends PlainsqlError {
  /** Five characters, see PostgreSQL's appendix A: `23505`. */
  readonly sqlState: string
  readonly schema: string | null
  readonly table: string | null
  readonly column: string | null
  readonly constraint: string | null
  readonly hint: string | null
  readonly #serverError: Error & ServerFields

  constructor(query: QueryIdentity | null, cause: Error & ServerFields) {
    const sqlState = cause.code ?? 'XX000'
    super(`${withoutValues(cause)} [${sqlState}]${inQuery(query)}`, query)
    this.sqlState = sqlState
    this.schema = cause.schema ?? null
    this.table = cause.table ?? null
    this.column = cause.column ?? null
    this.constraint = cause.constraint ?? null
    this.hint = cause.hint ?? null
    this.#serverError = cause
  }

  /**
   * The server's error: full message, `detail`, `position`. It may hold values (`Key (email)=(…) already exists.`), so
   * it is no `cause`, which loggers print.
   */
  get serverError(): Error & ServerFields {
    return this.#serverError
  }

  /** PostgreSQL's DETAIL, which usually holds values of the row concerned. */
  get detail(): string | null {
    return this.#serverError.detail ?? null
  }

  /**
   * After a serialization failure (40001), a deadlock (40P01), or of a unit of work when a migration made a prepared
   * statement stale: the next run prepares it anew.
   */
  override get retryable(): boolean {
    return ['40001', '40P01'].includes(this.sqlState) || isStale(this.#serverError)
  }
}

/**
 * Whether a prepared statement was refused for what it was, before it ran: its result changed with the schema
 * ("cached plan must not change result type", 0A000 from RevalidateCachedQuery), or the server has forgotten it
 * (26000: DISCARD ALL, another server behind a PgBouncer), or has one of this name that is not ours (42P05).
 */
export function isStale({ code, routine }: ServerFields): boolean {
  return code === '26000' || code === '42P05' || (code === '0A000' && routine === 'RevalidateCachedQuery')
}

/** A UNIQUE or PRIMARY KEY constraint already has such a row (23505); `constraint` names it. */
export class UniqueViolationError extends QueryError {}
/** A referenced row is missing, or still referenced (23503); `constraint` names the foreign key. */
export class ForeignKeyViolationError extends QueryError {}
/** A NOT NULL column got NULL (23502); `column` names it. */
export class NotNullViolationError extends QueryError {}
/** A CHECK constraint said no (23514); `constraint` names it. */
export class CheckViolationError extends QueryError {}

/** What became of the statement of a call whose connection was lost or could not be made. */
export type LostStatement =
  /** It was never sent; of a read: not a second time. */
  | 'not sent'
  /** It was one of a unit of work whose COMMIT was never sent: nothing of the unit took effect. */
  | 'rolled back'
  /** It was sent and not answered: it may have taken effect. */
  | 'unknown'

/** The connection was lost or could not be made; `statement` says what that means for the statement. */
export class ConnectionError extends PlainsqlError {
  /** A SQLSTATE (`57P01`) or a system error code (`ECONNREFUSED`), if there is one. */
  readonly code: string | null
  /** What became of the statement. A property of its own: loggers print it. */
  readonly statement: LostStatement
  readonly #reads: boolean

  constructor(
    query: QueryIdentity | null,
    cause: Error & { code?: string | undefined },
    statement: LostStatement = 'unknown',
  ) {
    const code = cause.code ? ` [${cause.code}]` : ''
    super(`${cause.message || 'the connection was lost'}${code}${inQuery(query)}`, query, { cause })
    this.code = cause.code ?? null
    this.#reads = query?.readOnly ?? false
    this.statement = statement
  }

  /** Unless the statement may have taken effect: one that is not `readOnly`, and may have run. */
  override get retryable(): boolean {
    return this.statement !== 'unknown' || this.#reads
  }

  /** Says that the statement was one of a unit of work, whose COMMIT will not be sent. */
  inUnit(): this {
    return Object.assign(this, { statement: 'rolled back' })
  }
}

/** Somebody who holds a connection. */
export interface Holder {
  /**
   * `shared` is one on which statements outside of units of work run together; `call` is for one alone, because it may be
   * cancelled, or `pool.lanes` is off.
   */
  readonly use: 'unit of work' | 'call' | 'shared'
  /** For how long, in ms. */
  readonly ms: number
  /** What its server process is running, if anything. */
  readonly running: QueryIdentity | null
  /** Where it was acquired: `src/orders.ts:12:9`; null unless `pool.traceHolders` is on. */
  readonly place: string | null
}

/** No connection became free in time, or none could be made. */
export class AcquireTimeoutError extends PlainsqlError {
  /** Who held the connections then, the longest first. */
  readonly holders: readonly Holder[]

  constructor(
    query: QueryIdentity | null,
    timeoutMs: number,
    pool: { max: number; waiting: number; holders: readonly Holder[]; traced?: boolean },
  ) {
    const { max, waiting, holders, traced = true } = pool
    const inUse =
      `no connection became free within ${timeoutMs} ms: all ${max} are in use and ${waiting} other callers wait` +
      `${inQuery(query)}. Look for units of work that wait for something else, or raise pool.max` +
      `${holders.map(holderLine).join('')}${traced ? '' : '\n  (pool.traceHolders says where they were acquired)'}`
    const unanswered =
      `no connection could be made within ${timeoutMs} ms (pool.acquireTimeoutMs)${inQuery(query)}: the server does not ` +
      `answer. ${holders.length} of at most ${max} connections are in use`
    // Who is not waiting for somebody to give a connection back waits for one to be made.
    super(holders.length < max ? unanswered : inUse, query)
    this.holders = holders
  }

  /** Nothing was sent. */
  override get retryable(): boolean {
    return true
  }
}

function holderLine({ use, ms, running, place }: Holder): string {
  const doing = running === null ? 'idle' : `running ${running.name} (${running.source})`
  return `\n  ${use} for ${Math.round(ms)} ms, ${doing}${place === null ? '' : `, acquired at ${place}`}`
}

/** Too many callers wait for a connection already. */
export class PoolOverloadedError extends PlainsqlError {
  constructor(query: QueryIdentity | null, maxWaiting: number) {
    super(
      `${maxWaiting} callers wait for a connection already (pool.maxWaiting)${inQuery(query)}: ask for less at a time`,
      query,
    )
  }

  /** Nothing was sent; but those who come back at once keep the pool overloaded. */
  override get retryable(): boolean {
    return true
  }
}

/** The database was closed, or is closing. */
export class DatabaseClosedError extends PlainsqlError {
  constructor(query: QueryIdentity | null) {
    super(`the database was closed${inQuery(query)}: call db.close() after the last use`, query)
  }
}

/** A `:one` or `:value` query found no row. Use `:opt` where no row is a normal answer. */
export class NoRowsError extends PlainsqlError {
  declare readonly query: string

  constructor(query: QueryIdentity) {
    super(`expected one row, got none${inQuery(query)}`, query)
  }
}

/** A `:one`, `:opt` or `:value` query found more than one row. Nothing was truncated: no row is returned. */
export class TooManyRowsError extends PlainsqlError {
  declare readonly query: string
  readonly rows: number

  constructor(query: QueryIdentity, rows: number) {
    super(`expected one row, got ${rows}${inQuery(query)}`, query)
    this.rows = rows
  }
}

/** A value does not fit its parameter; nothing was sent. */
export class ParameterError extends PlainsqlError {
  declare readonly query: string
  readonly parameter: string

  constructor(query: QueryIdentity, parameter: string, problem: string) {
    super(`parameter "${parameter}" ${problem}${inQuery(query)}`, query)
    this.parameter = parameter
  }
}

/** A row is not what the generated types say: a NULL that was ruled out, or a value that its type cannot hold. */
export class DecodeError extends PlainsqlError {
  declare readonly query: string
  /** The column's name, or its number if that is all that is known. */
  readonly column: string

  constructor(query: QueryIdentity, column: string, problem: string) {
    super(`column "${column}" ${problem}${inQuery(query)}`, query)
    this.column = column
  }
}

/** The unit of work, or the savepoint, is over: it was committed or rolled back. */
export class UnitOfWorkClosedError extends PlainsqlError {
  /** Where the unit was opened: `src/orders.ts:12:9`; null if unknown. */
  readonly openedAt: string | null
  /** Where it was used after its end; null if unknown, as in a batching scope, which calls later than its callers. */
  readonly calledAt: string | null

  /** @param cause what ended the unit, if it was not its own function's end: a timeout, an abort, an error */
  constructor(
    query: QueryIdentity | null,
    scope = 'unit of work',
    openedAt: string | null = null,
    calledAt: string | null = null,
    cause?: unknown,
  ) {
    super(
      `the ${scope}${opened(openedAt)} is over${inQuery(query)}${calledAt === null ? '' : `, called at ${calledAt}`}: ` +
        'await everything before its function returns',
      query,
      cause === undefined ? undefined : { cause },
    )
    this.openedAt = openedAt
    this.calledAt = calledAt
  }
}

/** Of a unit of work that its cause has broken. */
abstract class BrokenUnitError extends PlainsqlError {
  /** As the cause says, or if that is a lost connection: nothing of the unit is committed. */
  override get retryable(): boolean {
    const { cause } = this
    return cause instanceof ConnectionError || (cause instanceof PlainsqlError && cause.retryable)
  }
}

/** A statement of the unit had failed, its error was swallowed, and the unit could only be rolled back. */
export class CommitAbortedError extends BrokenUnitError {
  constructor(cause: unknown, scope = 'unit of work') {
    super(
      `the ${scope} was rolled back instead of committed, because one of its statements had failed: see cause. ` +
        'To go on after an expected error, run the statement in a savepoint',
      null,
      { cause },
    )
  }
}

/** A statement was not run, because an earlier one of its unit had failed: that error is the cause. */
export class StatementSkippedError extends BrokenUnitError {
  constructor(query: QueryIdentity | null, cause: unknown) {
    super(`not run, because an earlier statement of the unit of work had failed${inQuery(query)}: see cause`, query, {
      cause,
    })
  }
}

/**
 * The connection was lost while COMMIT was under way: whether the unit was committed is not known. Never retried by
 * plainsql. With `verifyCommit` the server is asked, and this error is left for the cases in which it cannot tell.
 */
export class CommitUnknownError extends PlainsqlError {
  /** PostgreSQL's transaction id (xid8), if it was taken: `select pg_xact_status('…')` may tell later. */
  readonly transactionId: string | null

  constructor(transactionId: string | null, why: string, cause: unknown) {
    super(
      `the connection was lost during COMMIT, and whether the unit of work was committed is not known: ${why}. ` +
        'Look for what it would have written before doing it again',
      null,
      { cause },
    )
    this.transactionId = transactionId
  }
}

/** The connection was lost while COMMIT was under way, and the server has confirmed that nothing was committed. */
export class NotCommittedError extends PlainsqlError {
  readonly transactionId: string

  constructor(transactionId: string, cause: unknown) {
    super(
      'the connection was lost during COMMIT, and nothing was committed (pg_xact_status): it is safe to retry',
      null,
      {
        cause,
      },
    )
    this.transactionId = transactionId
  }

  override get retryable(): boolean {
    return true
  }
}

/** What became of the statement of a call that was cancelled. */
export type CancelledStatement =
  /** It was never sent. */
  | 'not sent'
  /** The server has stopped it: it took no effect. */
  | 'cancelled'
  /** It was one of a unit of work, and all of the unit is rolled back. */
  | 'rolled back'
  /** The server did not answer; the connection was closed, and the statement may have taken effect. */
  | 'unknown'

/** A call or a unit of work was ended by its AbortSignal; `cause` is the signal's reason. */
export class CancelledError extends PlainsqlError {
  readonly statement: CancelledStatement

  constructor(query: QueryIdentity | null, statement: CancelledStatement, why: string, cause: unknown) {
    super(`${why}${inQuery(query)}${afterwards(statement)}`, query, { cause })
    this.statement = statement
  }
}

/** A call or a unit of work took longer than its `timeoutMs`. */
export class TimeoutError extends CancelledError {
  readonly timeoutMs: number

  constructor(query: QueryIdentity | null, statement: CancelledStatement, timeoutMs: number, cause?: unknown) {
    super(query, statement, `took longer than its timeout of ${timeoutMs} ms`, cause)
    this.timeoutMs = timeoutMs
  }
}

/** A function was called with `db` inside a unit of work of the same database. */
export class DatabaseInsideUnitError extends PlainsqlError {
  readonly openedAt: string | null
  readonly calledAt: string | null

  constructor(query: QueryIdentity | null, openedAt: string | null, calledAt: string | null) {
    super(
      `db was used${calledAt === null ? '' : ` at ${calledAt}`}${inQuery(query)} inside a unit of work${opened(openedAt)}. ` +
        'It would run outside the transaction, on a second connection, and time out once all connections are held ' +
        'by units that wait for one. Pass the unit instead of db; or, if that is meant, db.with({ outsideUnit: true })',
      query,
    )
    this.openedAt = openedAt
    this.calledAt = calledAt
  }
}

/** Inside a savepoint, the unit around it was used instead of the savepoint: that call would wait for itself. */
export class SavepointOpenError extends PlainsqlError {
  constructor(query: QueryIdentity | null, openedAt: string | null) {
    super(
      `the unit of work was used${inQuery(query)} inside its savepoint${opened(openedAt)}: ` +
        "use the savepoint's own argument there, so that the statement is rolled back with it",
      query,
    )
  }
}

/** A function given to `afterCommit` or `afterRollback` threw. The unit's own outcome stands; this is only reported. */
export class HookError extends PlainsqlError {
  constructor(hook: 'afterCommit' | 'afterRollback', cause: unknown) {
    super(`a function given to ${hook} threw: ${textOf(cause)}`, null, { cause })
  }
}

/** Anything can be thrown, also what has no text. */
function textOf(thrown: unknown): string {
  try {
    return String(thrown instanceof Error ? thrown.message : thrown)
  } catch {
    return 'something that is no error'
  }
}

function opened(at: string | null): string {
  return at === null ? '' : ` (opened at ${at})`
}

function afterwards(statement: CancelledStatement): string {
  if (statement === 'not sent') return '; nothing was sent'
  if (statement === 'cancelled') return '; the server has stopped it'
  if (statement === 'rolled back') return '; the unit of work is rolled back'
  return '; the server did not confirm the cancellation, so whether it took effect is not known'
}

function inQuery(query: QueryIdentity | null): string {
  return query === null ? '' : ` in ${query.name} (${query.source})`
}

/**
 * Data exceptions (class 22) quote the offending value: `invalid input syntax for type integer: "…"`. So does a syntax
 * error (42601) in a tsquery or a jsonpath; one in the statement itself has a position.
 */
function withoutValues({ code = '', position, message }: Error & ServerFields): string {
  if (!code.startsWith('22') && (code !== '42601' || position !== undefined)) return message
  // In the quotes of all languages that PostgreSQL speaks (lc_messages).
  return message.replace(/(["'«»„“「])[\s\S]*(["'«»“”」])/, '$1…$2')
}

for (const [name, { prototype }] of Object.entries(exported)) {
  if (prototype instanceof Error) Object.defineProperty(prototype, 'name', { value: name, writable: true })
}
