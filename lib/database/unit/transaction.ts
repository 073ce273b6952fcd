// One transaction on one connection: what runs in it, in which order, and what has broken it.
// In: statements of a unit of work and its savepoints. Out: their results; then COMMIT or ROLLBACK, and the connection
// goes back to where it came from, clean, or is destroyed if it cannot be known to be.

import {
  CancelledError,
  ConnectionError,
  ParameterError,
  PlainsqlError,
  QueryError,
  type QueryIdentity,
  StatementSkippedError,
} from '../../errors.ts'
import type { Query } from '../../query/executor.ts'
import { acquire, type Cancellation, cancellable, graceMs, settlesWithin, stop, unanswered } from '../cancellation.ts'
import type { Connection, ConnectionSource, Lease } from '../connection.ts'
import { endedEarly } from '../failures.ts'
import { Pipeline } from './pipeline.ts'
import type { Beginning } from './transactionOptions.ts'

/** What a statement belongs to and is rolled back with: a savepoint, the unit, and around both the transaction. */
export interface Frame {
  readonly around: Frame | null
  /** The first error after which nothing in this frame can count any more. */
  failure: unknown
}

/** What broke a frame, or the outermost broken one around it; undefined if all are sound. */
export function failureOf(frame: Frame): unknown {
  return (frame.around && failureOf(frame.around)) ?? frame.failure
}

/** in_failed_sql_transaction; and of the second run of a statement whose Parse failed so: invalid_sql_statement_name. */
const skipped = ['25P02', '26000']

/** How long statements that still run may take to end by themselves before a rollback cancels them. */
const patienceMs = 20

/**
 * The connection is acquired for the first statement, and BEGIN rides with it. A statement that carries BEGIN or
 * SAVEPOINT runs alone, so that nothing can run outside of them if they fail; all others are pipelined in call order.
 */
export class Transaction implements Frame {
  readonly around: null = null
  /** Set when the connection, or what it is in the middle of, is not to be trusted any more. */
  failure: unknown = undefined
  commitSent = false
  readonly #source: ConnectionSource
  readonly #onBegun: (() => unknown) | null
  readonly #cancellation: Cancellation | null
  /** What the next statement has to carry: control statements, one command each. */
  #prelude: readonly string[]
  readonly #statementTimeoutMs: number | undefined
  #savepoints = 0
  #lease: Lease | null = null
  /** Whether BEGIN was sent, and neither COMMIT nor ROLLBACK was answered. */
  #open = false
  /** Whether the connection is in a state that nobody knows. */
  #lost = false
  #over = false
  readonly #pipeline: Pipeline = new Pipeline(() => this.#prelude.length > 0)

  /**
   * @param begin BEGIN and the transaction's settings
   * @param cancellation ends the wait for a connection, and for the answer to COMMIT
   * @param onBegun called when the statement that carried BEGIN is over, whatever became of it; it is not waited for
   */
  constructor(
    source: ConnectionSource,
    begin: Beginning,
    cancellation: Cancellation | null,
    onBegun: (() => unknown) | null,
  ) {
    this.#source = source
    this.#prelude = begin.statements
    this.#statementTimeoutMs = begin.statementTimeoutMs
    this.#cancellation = cancellation
    this.#onBegun = onBegun
  }

  /** @param own ends this call alone; so that it hits nothing else, its statement runs alone */
  execute<Params, Row, Result>(
    frame: Frame,
    query: Query<Params, Row, Result>,
    params: Params,
    own: Cancellation | null = null,
  ): Promise<Result> {
    return this.#pipeline.run(query, own, () => this.#send(frame, query, params, own))
  }

  /** The next statement opens a savepoint, of this name. Only when drained: it would take in statements that wait. */
  savepoint(): string {
    const name = `s${++this.#savepoints}`
    this.#prelude = [...this.#prelude, savepoint(name)]
    return name
  }

  /** Makes a savepoint part of what is around it: RELEASE rides with the next statement, and COMMIT needs none. */
  keep(name: string): void {
    if (!this.#drop(name)) this.#prelude = [...this.#prelude, `RELEASE SAVEPOINT ${name}`]
  }

  /** Rolls back what ran since the savepoint: one round trip, none if nothing did. Never throws. */
  async undo(name: string): Promise<void> {
    const isQuiet = this.#over || (await this.#quiet())
    if (this.#over) return
    // What could not be stopped may yet take effect, and must not be committed with the rest.
    if (!isQuiet) this.failure ??= unanswered('a CancelRequest')
    if (this.#drop(name) || this.failure !== undefined || this.#lease === null) return
    // If something waits to be sent, it was about savepoints within this one.
    this.#prelude = []
    await this.#lease.connection.control(`ROLLBACK TO SAVEPOINT ${name}`).then(
      () => this.keep(name),
      (error: unknown) => {
        this.failure ??= error
        this.#lost = true
      },
    )
  }

  /** Whether all statements that were called have been answered. */
  get idle(): boolean {
    return this.#pipeline.idle
  }

  /** Resolves when all statements that were called have been answered. */
  drained(): Promise<void> {
    return this.#pipeline.drained()
  }

  /**
   * Sends COMMIT, if anything was run, and gives the connection back. Answers the command tag, which is `ROLLBACK` if
   * PostgreSQL had aborted the transaction.
   * @throws QueryError if PostgreSQL refuses (a deferred constraint, 40001), after which it has rolled back;
   *   ConnectionError if there was no answer: nobody knows, unless its `statement` is `'rolled back'`
   */
  async commit(): Promise<string> {
    this.#over = true
    if (this.#lease === null || !this.#open) {
      this.#release(true)
      return 'COMMIT'
    }
    const { connection } = this.#lease
    this.commitSent = true
    try {
      const answer = connection.control('COMMIT')
      if (this.#cancellation !== null) await notForLong(answer, this.#cancellation)
      const tag = await answer
      this.#release(true)
      return tag
    } catch (error) {
      // 26000, invalid_sql_statement_name: the unit has made the server forget its COMMIT, which therefore did not run.
      const isOpen = error instanceof QueryError && error.sqlState === '26000'
      if (error instanceof ConnectionError && error.statement === 'not sent') error.inUnit()
      this.#release(isOpen ? await rolledBack(connection) : error instanceof QueryError)
      throw error
    }
  }

  /** Stops what still runs, sends ROLLBACK if BEGIN was sent, and gives the connection back. Never throws. */
  async rollback(): Promise<void> {
    if (this.#over) return
    this.#over = true
    let clean = !this.#lost
    if (this.#lease !== null && clean) {
      clean = await this.#quiet()
      if (clean && this.#open) clean = await rolledBack(this.#lease.connection)
    }
    this.#release(clean)
  }

  async #send<Params, Row, Result>(
    frame: Frame,
    query: Query<Params, Row, Result>,
    params: Params,
    own: Cancellation | null,
  ): Promise<Result> {
    try {
      this.#refuse(frame, query)
      if (own?.done) throw own.error(query, 'not sent')
      const lease = this.#lease ?? this.#acquire(query, own)
      const { connection } = lease instanceof Promise ? await lease : lease
      // Its savepoint, or the unit, may have ended meanwhile.
      this.#refuse(frame, query)
      const prelude = this.#prelude
      const begins = !this.#open
      if (prelude.length > 0) this.#prelude = []
      this.#open = true
      try {
        const running = connection.execute(query, params, prelude.length > 0 ? prelude : undefined)
        const result = await (own === null ? running : cancellable(connection, query, running, own))
        if (connection.inTransaction === false && !this.#over) {
          // What ran since was committed by itself, and nothing that follows can be undone.
          this.failure ??= endedEarly()
          throw this.failure
        }
        return result
      } catch (error) {
        if (!(error instanceof ParameterError)) throw this.#noted(error, frame, query, prelude)
        // By contract nothing was sent: the next statement carries what this one should have.
        this.#prelude = prelude
        this.#open = !begins
        throw error
      } finally {
        // After an error too: one that breaks nothing, such as no row, leaves a transaction that may be committed.
        if (begins && this.#open) this.#onBegun?.()
      }
    } finally {
      this.#pipeline.answered()
    }
  }

  #refuse(frame: Frame, query: QueryIdentity): void {
    const failure = failureOf(frame)
    if (failure !== undefined) throw new StatementSkippedError(query, failure)
  }

  #acquire(query: QueryIdentity, own: Cancellation | null): Lease | Promise<Lease> {
    const take = (lease: Lease): Lease => {
      if (this.#over) lease.release(true)
      else this.#lease = lease
      if (this.#statementTimeoutMs !== undefined) lease.statementTimeoutMs = this.#statementTimeoutMs
      return lease
    }
    const fail = (error: unknown): never => {
      // Nothing was sent. A call's own timeout concerns that call alone.
      if (own?.done !== true) this.failure ??= error
      throw error
    }
    const cancellation = own ?? this.#cancellation
    try {
      const lease = cancellation === null ? this.#source.acquire(query) : acquire(this.#source, query, cancellation)
      return lease instanceof Promise ? lease.then(take, fail) : take(lease)
    } catch (error) {
      return fail(error)
    }
  }

  /** Remembers what an error means for the statements behind it. Answers the error to throw. */
  #noted(error: unknown, frame: Frame, query: QueryIdentity, prelude: readonly string[]): unknown {
    if (error instanceof ConnectionError || (error instanceof CancelledError && error.statement === 'unknown')) {
      if (error instanceof ConnectionError) error.inUnit()
      this.#lost = true
      this.failure ??= error
    } else if (error instanceof QueryError || error instanceof CancelledError) {
      // It was sent before the error that it fails for had come back.
      const first = error instanceof QueryError && skipped.includes(error.sqlState) ? failureOf(frame) : undefined
      if (first !== undefined) return new StatementSkippedError(query, first)
      // Of BEGIN, SAVEPOINT or RELEASE, and not of the query: then there is no savepoint to go back to.
      const broken: Frame = error instanceof QueryError && error.query === null ? this : frame
      broken.failure ??= error
    } else if (prelude.length > 0 && !(error instanceof PlainsqlError)) {
      // A fault of ours or of a custom codec, and no telling whether BEGIN or SAVEPOINT was sent.
      this.failure ??= error
    }
    return error
  }

  /** Whether a savepoint was never sent, because nothing ran in it; then it is forgotten. */
  #drop(name: string): boolean {
    const index = this.#prelude.lastIndexOf(savepoint(name))
    if (index >= 0) this.#prelude = this.#prelude.slice(0, index)
    return index >= 0
  }

  /** Ends what is under way, by the server if it does not end by itself. False if the connection is lost over it. */
  async #quiet(): Promise<boolean> {
    if (!this.#pipeline.idle && this.#lease !== null) {
      this.#lost ||= !(await stop(this.#lease.connection, this.drained(), patienceMs))
    }
    return !this.#lost
  }

  #release(clean: boolean): void {
    this.#open = false
    this.#lease?.release(clean)
    this.#lease = null
  }
}

/** COMMIT is never cancelled; but once the unit's time is up, it is not waited for much longer. */
async function notForLong(answer: Promise<string>, cancellation: Cancellation): Promise<void> {
  await Promise.race([answer, cancellation.fired])
  if (!(await settlesWithin(answer, graceMs))) throw unanswered('COMMIT')
}

/** Whether ROLLBACK was answered, and in time. */
async function rolledBack(connection: Connection): Promise<boolean> {
  const answer = connection.control('ROLLBACK').then(
    () => true,
    () => false,
  )
  return (await settlesWithin(answer, graceMs)) && answer
}

function savepoint(name: string): string {
  return `SAVEPOINT ${name}`
}
