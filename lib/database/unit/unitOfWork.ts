// The unit of work: a function whose statements all take effect, or none.
// In: connections, a function and options. Out: the function's result once it is committed, or the first error.

import { setTimeout as sleep } from 'node:timers/promises'
import { CommitAbortedError, CommitUnknownError, ConnectionError, DatabaseClosedError } from '../../errors.ts'
import type { TransactionEvent } from '../../events.ts'
import type { Executor } from '../../query/executor.ts'
import type { QueryFunction } from '../../query/kinds.ts'
import { Cancellation, type CancelOptions, settlesWithin } from '../cancellation.ts'
import type { ConnectionSource } from '../connection.ts'
import type { CallSite } from '../observe/callSite.ts'
import { observerOf } from '../observe/observer.ts'
import { CommitFate } from './commitFate.ts'
import type { Deferred } from './deferred.ts'
import type { Hook } from './hooks.ts'
import { delayMs, mayPass, type RetryOptions } from './retry.ts'
import { Scope } from './scope.ts'
import { failureOf, Transaction } from './transaction.ts'
import { type Beginning, beginning, type TransactionOptions } from './transactionOptions.ts'

/** A transaction as its function sees it. It ends with the function: a later call is a UnitOfWorkClosedError. */
export interface UnitOfWork extends Executor {
  /**
   * Runs `work` in a savepoint: if it fails, only what it did is rolled back, and the unit can go on. Costs no round
   * trip of its own unless it fails. Savepoints nest; those started together run one after another, and statements of
   * the unit wait until they are over.
   * @throws what `work` throws; SavepointOpenError for a statement on the outer unit from inside `work`
   */
  savepoint<T>(work: (savepoint: UnitOfWork) => Promise<T>): Promise<T>
  /**
   * Puts a write off until the next statement through the unit, its end, or `flush()`. Then all writes go together:
   * per function, in the order in which the functions were first added, so add parents before children. A function
   * with a batch form is one statement for all its rows; others are pipelined.
   */
  add<Params, Row, Result, Batch>(run: QueryFunction<Params, Row, Result, Batch>, params: Params): Deferred<Result>
  /** Writes what was added. @throws the first error */
  flush(): Promise<void>
  /** Runs `hook` once the unit is committed and its connection given back. Not if the savepoint it is of is undone. */
  afterCommit(hook: Hook): void
  /** Runs `hook` once the unit, or the savepoint it is of, was rolled back for good; not before a retry. */
  afterRollback(hook: Hook): void
  /**
   * The same unit for calls that may be cancelled: `getUser(uow.with({ timeoutMs: 200 }), …)`. The server stops a
   * running statement, which fails the unit as any error does; one that was not sent yet does no harm to it.
   */
  with(options: CancelOptions): Executor
}

/** How one unit of work differs; its limits of time are those of all its attempts. */
export interface UnitOfWorkOptions extends TransactionOptions, CancelOptions {
  /**
   * Run the unit again after a serialization failure (40001), a deadlock (40P01), or when a migration made a prepared
   * statement stale (0A000, 26000, 42P05): `work` must be fit to be run more than once. Default: no retry.
   */
  readonly retry?: RetryOptions | undefined
  /**
   * If the connection is lost during COMMIT, find out what became of it: the unit then resolves or throws
   * NotCommittedError, where it would throw CommitUnknownError. Default false. PostgreSQL 13 and later; takes a
   * transaction id, and from 17 one more flush to disk.
   */
  readonly verifyCommit?: boolean | undefined
  /**
   * Run it beside the unit of work around the call, on another connection, when that is meant: neither refused nor
   * joined. Default false.
   */
  readonly outsideUnit?: boolean | undefined
}

/** Runs `work` in one transaction, as often as `retry` allows. See `Database.unitOfWork`. */
export async function runUnitOfWork<T>(
  source: ConnectionSource,
  work: (uow: UnitOfWork) => Promise<T>,
  options: UnitOfWorkOptions,
  openedAt: CallSite | null,
): Promise<T> {
  const begin = beginning(options)
  const retry = options.retry ?? { attempts: 1 }
  const { attempts = 5 } = retry
  const limited = options.signal !== undefined || (options.timeoutMs ?? 0) !== 0
  const cancellation = limited ? new Cancellation(options) : null
  let earlier: unknown
  try {
    for (let attempt = 1; ; attempt++) {
      const fate = options.verifyCommit && !source.answersCommit ? new CommitFate(source) : null
      const event = observerOf(source).transaction(begin.text, attempt)
      const unit = openUnit(source, begin, event, options, openedAt, cancellation, fate)
      let result: T
      try {
        result = await observerOf(source).run(event, () => runOnce(unit, work, cancellation, fate))
      } catch (thrown) {
        // Closed while it waited to be run again: what it had failed with says more.
        const error = attempt > 1 && thrown instanceof DatabaseClosedError ? earlier : thrown
        earlier = error
        const again = error === thrown && attempt < attempts && mayPass(error, failureOf(unit), retry)
        if (again && (await inTime(cancellation, delayMs(attempt, retry)))) continue
        // One of another unit, which this one's function has passed on, says nothing of this one.
        const isUnknown = error instanceof CommitUnknownError && unit.transaction.commitSent
        await unit.hooks.run(isUnknown ? 'unknown' : 'afterRollback')
        throw again && cancellation !== null ? cancellation.error(null, 'rolled back', error) : error
      }
      if (!unit.hooks.empty) await unit.hooks.run('afterCommit')
      return result
    }
  } finally {
    cancellation?.dispose()
  }
}

/**
 * A unit inside of another one (`ambient`): a savepoint in it.
 * @throws TypeError for options that only the outer unit can have, and does not
 */
export async function joinUnit<T>(
  scope: Scope,
  work: (uow: UnitOfWork) => Promise<T>,
  { retry: _outer, outsideUnit: _not, ...options }: UnitOfWorkOptions,
): Promise<T> {
  for (const [option, value] of Object.entries(options)) {
    if (value === undefined || isAsAround(scope.options, option, value)) continue
    throw new TypeError(
      `a unit of work inside another one is a savepoint and cannot have "${option}", unless the outer one has the same: ` +
        'set it outside',
    )
  }
  return scope.savepoint(work)
}

/** Whether the outer unit has what is asked for. */
function isAsAround(outer: UnitOfWorkOptions, option: string, value: unknown): boolean {
  // An outer one that began earlier ends earlier, or with another signal: these are never the same.
  if (option === 'timeoutMs' || option === 'signal') return false
  if (option === 'settings') {
    return Object.entries(value as object).every(([name, text]) => outer.settings?.[name] === text)
  }
  // A flag that is left out is false; of `readOnly` the server may say otherwise, and then refuses what is written.
  return value === (outer[option as keyof UnitOfWorkOptions] ?? (typeof value === 'boolean' ? false : undefined))
}

/** The kernel: one attempt. */
async function runOnce<T>(
  unit: Scope,
  work: (uow: UnitOfWork) => Promise<T>,
  cancellation: Cancellation | null,
  fate: CommitFate | null,
): Promise<T> {
  try {
    if (cancellation?.done) throw cancellation.error(null, 'not sent')
    if (fate !== null) await unless(cancellation, fate.prepare())
    const result = await unless(cancellation, unit.run(work))
    const ending = unit.end()
    if (ending !== null) await unless(cancellation, ending)
    const tag = await commit(unit, fate)
    // PostgreSQL answers COMMIT of a failed transaction with success and the tag ROLLBACK.
    if (tag !== 'COMMIT') throw new CommitAbortedError(failureOf(unit))
    return result
  } catch (thrown) {
    // The first error wins: nothing that goes wrong from here on is thrown.
    const error = unit.firstOf(thrown)
    unit.close(error)
    await unit.transaction.rollback()
    throw error
  }
}

/** @param fate takes the transaction's id, pipelined behind the first statement */
function openUnit(
  source: ConnectionSource,
  begin: Beginning,
  event: TransactionEvent,
  options: UnitOfWorkOptions,
  openedAt: CallSite | null,
  cancellation: Cancellation | null,
  fate: CommitFate | null,
): Scope {
  const mark = fate && (() => fate.mark((query) => transaction.execute(scope, query, undefined)))
  const transaction: Transaction = new Transaction(source, begin, cancellation, mark)
  const scope: Scope = new Scope({ source, transaction, event, options, mark }, null, openedAt)
  return scope
}

/** The tag of COMMIT, by all means. @throws NotCommittedError, CommitUnknownError if its connection was lost */
async function commit(unit: Scope, fate: CommitFate | null): Promise<string> {
  try {
    return await unit.transaction.commit()
  } catch (error) {
    if (!(error instanceof ConnectionError) || error.statement === 'rolled back') throw error
    if (fate === null) throw new CommitUnknownError(null, 'the option verifyCommit would have asked the server', error)
    await fate.settle(error)
    return 'COMMIT'
  }
}

/** `promise`, unless the unit is cancelled first; then the unit is rolled back, whatever its function goes on doing. */
function unless<T>(cancellation: Cancellation | null, promise: Promise<T>): Promise<T> {
  return cancellation === null ? promise : cancellation.race(promise, () => cancellation.error(null, 'rolled back'))
}

/** Waits; false as soon as the unit's time is up. */
async function inTime(cancellation: Cancellation | null, milliseconds: number): Promise<boolean> {
  if (cancellation !== null) return !(await settlesWithin(cancellation.fired, milliseconds))
  await sleep(milliseconds)
  return true
}
