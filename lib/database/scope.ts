// A unit of work, or a savepoint in one, as its function sees it: what may be called now, what has to wait, what is
// refused. What is sent, and when, is the transaction's business.

import { CommitAbortedError, type QueryIdentity, SavepointOpenError, UnitOfWorkClosedError } from '../errors.ts'
import type { Executor, Query } from '../query/executor.ts'
import type { QueryFunction } from '../query/kinds.ts'
import { CallSite } from './callSite.ts'
import { Cancellation, type CancelOptions } from './cancellation.ts'
import type { ConnectionSource } from './connection.ts'
import { type Deferred, DeferredWrites } from './deferred.ts'
import { type Hook, Hooks } from './hooks.ts'
import { runInside, scopeAround } from './insideUnit.ts'
import { type Frame, failureOf, type Transaction } from './transaction.ts'
import type { UnitOfWork } from './unitOfWork.ts'

/** What all scopes of one unit share. */
export interface Unit {
  readonly source: ConnectionSource
  readonly transaction: Transaction
  /** Takes the transaction's id, if it will be needed and was not taken; else does nothing. Never throws. */
  readonly mark: () => Promise<void>
}

export class Scope implements UnitOfWork, Frame {
  readonly around: Frame
  failure: unknown = undefined
  readonly hooks: Hooks = new Hooks()
  readonly #unit: Unit
  readonly #outer: Scope | null
  readonly #openedAt: CallSite
  readonly #deferred = new DeferredWrites()
  #closed = false
  /** What closed it, if it was not its own function's end. */
  #reason: unknown = undefined
  /** While it is open, everything else here waits: the savepoint would take it in. */
  #savepoint: Scope | null = null
  /** An open savepoint or a running flush; never rejects. */
  #section: Promise<void> | null = null
  #savepoints = 0

  /** @param outer the scope that a savepoint is in; null for the unit itself */
  constructor(unit: Unit, outer: Scope | null, openedAt: CallSite) {
    this.around = outer ?? unit.transaction
    this.#unit = unit
    this.#outer = outer
    this.#openedAt = openedAt
  }

  get closed(): boolean {
    return this.#closed || (this.#outer?.closed ?? false)
  }

  get place(): string | null {
    return this.#openedAt.place
  }

  execute<Params, Row, Result>(query: Query<Params, Row, Result>, params: Params): Promise<Result> {
    return this.#execute(query, params, null)
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
    this.#refuseIfClosed(run.query)
    return this.#deferred.add(run, params)
  }

  async flush(): Promise<void> {
    this.#refuseIfClosed(null)
    while (this.#section !== null) await this.#wait(null)
    await this.#flush()
  }

  afterCommit(hook: Hook): void {
    this.#refuseIfClosed(null)
    this.hooks.afterCommit.push(hook)
  }

  afterRollback(hook: Hook): void {
    this.#refuseIfClosed(null)
    this.hooks.afterRollback.push(hook)
  }

  async savepoint<T>(work: (savepoint: UnitOfWork) => Promise<T>): Promise<T> {
    this.#refuseIfClosed(null)
    const savepoint = new Scope(this.#unit, this, new CallSite(this.savepoint))
    while (this.#busy) await this.#turn(null)
    return this.#exclusively(() => this.#runSavepoint(savepoint, work), savepoint)
  }

  get transaction(): Transaction {
    return this.#unit.transaction
  }

  /** Runs the function of this scope. */
  run<T>(work: (scope: UnitOfWork) => Promise<T>): Promise<T> {
    return runInside(this.#unit.source, this, async () => work(this))
  }

  /**
   * The normal end: no more calls, then all that were made are answered and what was added is written.
   * @throws the error of a deferred write; CommitAbortedError if an earlier error had been swallowed
   */
  async end(): Promise<void> {
    this.#closed = true
    while (this.#busy && failureOf(this) === undefined) {
      if (this.#section !== null) await this.#section
      else await this.#flush()
    }
    await this.#unit.transaction.drained()
    const failure = failureOf(this)
    if (failure !== undefined) throw new CommitAbortedError(failure, this.#kind)
  }

  /** The other end: nothing counts any more. */
  close(reason: unknown): void {
    this.#closed = true
    this.#reason ??= reason
    this.failure ??= reason
    this.#deferred.drop(reason)
  }

  async #runSavepoint<T>(savepoint: Scope, work: (savepoint: UnitOfWork) => Promise<T>): Promise<T> {
    const { transaction, mark } = this.#unit
    const name = `s${this.#depth}_${++this.#savepoints}`
    await mark()
    await transaction.drained()
    transaction.savepoint(name)
    try {
      const result = await savepoint.run(work)
      await savepoint.end()
      transaction.keep(name)
      this.hooks.adopt(savepoint.hooks, true)
      return result
    } catch (error) {
      savepoint.close(error)
      this.hooks.adopt(savepoint.hooks, false)
      await transaction.undo(name)
      throw error
    }
  }

  get #depth(): number {
    return this.#outer === null ? 0 : this.#outer.#depth + 1
  }

  async #execute<Params, Row, Result>(
    query: Query<Params, Row, Result>,
    params: Params,
    own: Cancellation | null,
  ): Promise<Result> {
    this.#refuseIfClosed(query)
    while (this.#busy) {
      const turn = this.#turn(query)
      await (own === null ? turn : own.race(turn, () => own.error(query, 'not sent')))
    }
    return this.#unit.transaction.execute(this, query, params, own)
  }

  get #busy(): boolean {
    return this.#section !== null || this.#deferred.size > 0
  }

  /** Waits for one thing that has to come first. */
  async #turn(query: QueryIdentity | null): Promise<void> {
    if (this.#section !== null) return this.#wait(query)
    // Its error is remembered as what broke this scope: the statement that waits for it will be told so.
    await this.#flush().catch(() => {})
  }

  async #wait(query: QueryIdentity | null): Promise<void> {
    for (let scope = scopeAround(this.#unit.source); scope !== null; scope = scope.#outer) {
      if (scope === this.#savepoint) throw new SavepointOpenError(query, scope.place)
    }
    await this.#section
  }

  async #flush(): Promise<void> {
    if (this.#deferred.size === 0) return
    const executor: Executor = { execute: (query, params) => this.#unit.transaction.execute(this, query, params) }
    await this.#exclusively(async () => {
      try {
        await this.#deferred.flush(executor)
      } catch (error) {
        this.failure ??= error
        throw error
      }
    })
  }

  /** Runs something that nothing else in this scope may come between. */
  async #exclusively<T>(run: () => Promise<T>, savepoint: Scope | null = null): Promise<T> {
    let over = (): void => {}
    this.#section = new Promise((resolve) => {
      over = resolve
    })
    this.#savepoint = savepoint
    try {
      return await run()
    } finally {
      this.#section = null
      this.#savepoint = null
      over()
    }
  }

  #refuseIfClosed(query: QueryIdentity | null): void {
    if (this.#closed) throw new UnitOfWorkClosedError(query, this.#kind, this.place, this.#reason)
    if (this.#outer !== null) this.#outer.#refuseIfClosed(query)
  }

  get #kind(): string {
    return this.#outer === null ? 'unit of work' : 'savepoint'
  }
}
