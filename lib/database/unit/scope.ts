// A unit of work, or a savepoint in one, as its function sees it: what may be called now, what has to wait, what is
// refused. What is sent, and when, is the transaction's business.

import { AsyncResource } from 'node:async_hooks'
import {
  CommitAbortedError,
  type QueryIdentity,
  SavepointOpenError,
  StatementSkippedError,
  UnitOfWorkClosedError,
} from '../../errors.ts'
import type { TransactionEvent } from '../../events.ts'
import type { Executor, Query } from '../../query/executor.ts'
import type { QueryFunction } from '../../query/kinds.ts'
import { Cancellation, type CancelOptions } from '../cancellation.ts'
import type { ConnectionSource } from '../connection.ts'
import { CallSite, callSiteUnderLoad } from '../observe/callSite.ts'
import { observerOf } from '../observe/observer.ts'
import { type Deferred, DeferredWrites } from './deferred.ts'
import { type Hook, Hooks } from './hooks.ts'
import { isInside, runInside } from './insideUnit.ts'
import { type Frame, failureOf, type Transaction } from './transaction.ts'
import { Turns } from './turns.ts'
import type { UnitOfWork, UnitOfWorkOptions } from './unitOfWork.ts'

/** Frames to look through for the caller of a unit that is over: `batch` and savepoints in savepoints are deep. */
const calledDepth = 50

/** What all scopes of one unit share. */
export interface Unit {
  readonly source: ConnectionSource
  readonly transaction: Transaction
  readonly event: TransactionEvent
  /** What a unit that joins it may ask for. */
  readonly options: UnitOfWorkOptions
  /** Takes the transaction's id, if it was not taken. Never throws. Null if the id is not needed. */
  readonly mark: (() => Promise<void>) | null
}

export class Scope implements UnitOfWork, Frame {
  readonly around: Frame
  failure: unknown = undefined
  readonly hooks: Hooks = new Hooks()
  readonly #unit: Unit
  readonly #outer: Scope | null
  readonly #openedAt: CallSite | null
  readonly #deferred = new DeferredWrites()
  #closed = false
  /** What closed it, if it was not its own function's end. */
  #reason: unknown = undefined
  /** While it is open, everything else here waits: the savepoint would take it in. */
  #savepoint: Scope | null = null
  readonly #turns: Turns = new Turns(
    () => this.#deferred.size > 0,
    () =>
      this.#flush().catch((error: unknown) => {
        this.#untold ??= error
      }),
  )
  /** The error of a flush that came before a statement, of which nobody has heard but by that statement's error. */
  #untold: unknown = undefined

  /** @param outer the scope that a savepoint is in; null for the unit itself */
  constructor(unit: Unit, outer: Scope | null, openedAt: CallSite | null) {
    this.around = outer ?? unit.transaction
    this.#unit = unit
    this.#outer = outer
    this.#openedAt = openedAt
  }

  get closed(): boolean {
    return this.#closed || (this.#outer?.closed ?? false)
  }

  get place(): string | null {
    return this.#openedAt?.place ?? null
  }

  execute<Params, Row, Result>(query: Query<Params, Row, Result>, params: Params): Promise<Result> {
    return this.#execute(query, params, null)
  }

  here(query: QueryIdentity): Executor {
    const misuse = this.#misuse(query)
    if (misuse !== null) throw misuse
    return this
  }

  with(options: CancelOptions): Executor {
    return {
      execute: async (query, params) => {
        const own = new Cancellation(options)
        try {
          return await this.#execute(query, params, own)
        } finally {
          own.dispose()
        }
      },
    }
  }

  add<Params, Row, Result, Batch>(run: QueryFunction<Params, Row, Result, Batch>, params: Params): Deferred<Result> {
    const misuse = this.#misuse(run.query)
    if (misuse !== null) throw misuse
    // Whoever asks for a result would wait for ever if nothing else made a flush. Not at once: more may be added.
    const wanted = (): void => void setImmediate(() => this.flush().catch((error: unknown) => this.#giveUp(error)))
    return this.#deferred.add(run, params, wanted)
  }

  flush(): Promise<void> {
    return this.#inTurn(null, null, () => this.#flush(), true)
  }

  afterCommit(hook: Hook): void {
    this.#refuseIfClosed()
    this.hooks.add('afterCommit', hook)
  }

  afterRollback(hook: Hook): void {
    this.#refuseIfClosed()
    this.hooks.add('afterRollback', hook)
  }

  savepoint<T>(work: (savepoint: UnitOfWork) => Promise<T>): Promise<T> {
    const savepoint = new Scope(this.#unit, this, callSiteUnderLoad(this.savepoint))
    // If it has to wait, its turn comes in the async context of whatever ended before it.
    const run = AsyncResource.bind(() => this.#turns.alone(() => this.#runSavepoint(savepoint, work)))
    return this.#inTurn(null, null, run)
  }

  get options(): UnitOfWorkOptions {
    return this.#unit.options
  }

  get transaction(): Transaction {
    return this.#unit.transaction
  }

  /** Runs the function of this scope. */
  run<T>(work: (scope: UnitOfWork) => Promise<T>): Promise<T> {
    return runInside(this.#unit.source, this, () => work(this))
  }

  /**
   * The normal end: no more calls, then all that were made are answered and what was added is written. Null if there is
   * nothing to wait for, as after a function that awaited all its calls.
   * @throws the error of a deferred write; CommitAbortedError if an earlier error had been swallowed
   */
  end(): Promise<void> | null {
    const waits = this.#deferred.size > 0 || !this.#turns.idle || !this.#unit.transaction.idle
    const flushed = waits ? this.#inTurn(null, null, () => this.#flush(), true) : null
    this.#closed = true
    if (flushed !== null) return this.#settled(flushed)
    this.#refuseIfFailed()
    return null
  }

  async #settled(flushed: Promise<void>): Promise<void> {
    await flushed
    await this.#unit.transaction.drained()
    this.#refuseIfFailed()
  }

  #refuseIfFailed(): void {
    const failure = failureOf(this)
    if (failure !== undefined) throw new CommitAbortedError(failure, this.#kind)
  }

  /** The other end: nothing counts any more. */
  close(reason: unknown): void {
    this.#closed = true
    this.#reason ??= reason
    // Anything can be thrown, undefined too.
    this.failure ??= reason ?? new UnitOfWorkClosedError(null, this.#kind, this.place)
    this.#deferred.drop(this.failure)
  }

  /** What to throw for an error of this scope's function: the first one, if it comes from a write that was put off. */
  firstOf(error: unknown): unknown {
    return error instanceof StatementSkippedError && error.cause === this.#untold ? this.#untold : error
  }

  async #runSavepoint<T>(savepoint: Scope, work: (savepoint: UnitOfWork) => Promise<T>): Promise<T> {
    const { transaction, mark } = this.#unit
    this.#savepoint = savepoint
    await mark?.()
    await transaction.drained()
    const name = transaction.savepoint()
    try {
      const result = await savepoint.run(work)
      await savepoint.end()
      transaction.keep(name)
      this.hooks.adopt(savepoint.hooks, true)
      return result
    } catch (thrown) {
      const error = savepoint.firstOf(thrown)
      savepoint.close(error)
      this.hooks.adopt(savepoint.hooks, false)
      await transaction.undo(name)
      throw error
    } finally {
      this.#savepoint = null
    }
  }

  #execute<Params, Row, Result>(
    query: Query<Params, Row, Result>,
    params: Params,
    own: Cancellation | null,
  ): Promise<Result> {
    return this.#observed(query, params, (observed) =>
      this.#inTurn(query, own, () => this.#unit.transaction.execute(this, observed, params, own)),
    )
  }

  #observed<Params, Row, Result>(
    query: Query<Params, Row, Result>,
    params: Params,
    run: (query: Query<Params, Row, Result>) => Promise<Result>,
  ): Promise<Result> {
    const { source, event } = this.#unit
    const observer = observerOf(source)
    event.statements++
    return observer.listening ? observer.query(query, params, event, run) : run(query)
  }

  #inTurn<T>(
    query: QueryIdentity | null,
    own: Cancellation | null,
    start: () => Promise<T>,
    flushes = false,
  ): Promise<T> {
    const misuse = this.#misuse(query)
    return misuse === null ? this.#turns.take(query, own, start, flushes) : Promise.reject(misuse)
  }

  async #flush(): Promise<void> {
    if (this.#deferred.size === 0) return
    const failure = failureOf(this)
    if (failure !== undefined) return this.#deferred.drop(failure)
    const executor: Executor = {
      execute: (query, params) =>
        this.#observed(query, params, (observed) => this.#unit.transaction.execute(this, observed, params)),
    }
    await this.#turns.alone(async () => {
      try {
        await this.#deferred.flush(executor)
      } catch (error) {
        this.failure ??= error
        throw error
      }
    })
  }

  /** A flush that was refused will not come: who waits for a result is told so, and what was added is not forgotten. */
  #giveUp(error: unknown): void {
    this.failure ??= error
    this.#deferred.drop(error)
  }

  #misuse(query: QueryIdentity | null): Error | null {
    const closed = this.#closedError(query)
    if (closed !== null) return closed
    // A call from inside of the open savepoint would wait for the savepoint, and the savepoint for the call.
    const open = this.#savepoint
    return open !== null && isInside(open) ? new SavepointOpenError(query, open.place) : null
  }

  #closedError(query: QueryIdentity | null): UnitOfWorkClosedError | null {
    if (this.#closed) {
      const { place } = new CallSite(this.#closedError, calledDepth)
      return new UnitOfWorkClosedError(query, this.#kind, this.place, place, this.#reason)
    }
    return this.#outer === null ? null : this.#outer.#closedError(query)
  }

  #refuseIfClosed(): void {
    const error = this.#closedError(null)
    if (error !== null) throw error
  }

  get #kind(): string {
    return this.#outer === null ? 'unit of work' : 'savepoint'
  }
}
