// What a unit of work does after its end: functions that `afterCommit` and `afterRollback` were given.

import { type Channel, channel } from 'node:diagnostics_channel'
import { HookError } from '../errors.ts'

/** A function to run once the outcome is known. */
export type Hook = () => unknown

/**
 * Gets `{ error: HookError }` for every hook that throws. Without a subscriber the error becomes a process warning:
 * it cannot be thrown, because the unit's outcome stands.
 */
export const hookErrors: Channel = channel('plainsql:hook:error')

/** The hooks of a unit or a savepoint. */
export class Hooks {
  readonly afterCommit: Hook[] = []
  readonly afterRollback: Hook[] = []
  /** `afterRollback` of savepoints that were rolled back: due whatever becomes of the unit. */
  readonly due: Hook[] = []

  /** Whether there is nothing to run, whatever the outcome. */
  get empty(): boolean {
    return this.afterCommit.length + this.afterRollback.length + this.due.length === 0
  }

  /** Takes over the hooks of a savepoint. Of one that was rolled back, what waited for a commit is forgotten. */
  adopt(savepoint: Hooks, kept: boolean): void {
    this.due.push(...savepoint.due)
    if (kept) {
      this.afterCommit.push(...savepoint.afterCommit)
      this.afterRollback.push(...savepoint.afterRollback)
    } else {
      this.due.push(...savepoint.afterRollback)
    }
  }

  /** Runs them one after another, in the order of their registration. Never throws. */
  async run(outcome: 'afterCommit' | 'afterRollback' | 'unknown'): Promise<void> {
    await runAll('afterRollback', this.due)
    if (outcome !== 'unknown') await runAll(outcome, this[outcome])
  }
}

async function runAll(kind: 'afterCommit' | 'afterRollback', hooks: readonly Hook[]): Promise<void> {
  for (const hook of hooks) {
    try {
      await hook()
    } catch (cause) {
      const error = new HookError(kind, cause)
      if (hookErrors.hasSubscribers) hookErrors.publish({ error })
      else process.emitWarning(error)
    }
  }
}
