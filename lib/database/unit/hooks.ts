// What a unit of work does after its end: functions that `afterCommit` and `afterRollback` were given.

import { HookError } from '../../errors.ts'
import { hookChannel } from '../../events.ts'

/** A function to run once the outcome is known. */
export type Hook = () => unknown

type Outcome = 'afterCommit' | 'afterRollback'

/** The hooks of a unit or a savepoint. */
export class Hooks {
  /** `due`: of a savepoint that was rolled back, whatever becomes of the unit. */
  readonly #hooks: { readonly kind: Outcome; readonly due: boolean; readonly hook: Hook }[] = []

  /** Whether there is nothing to run, whatever the outcome: to wait for nothing would cost every unit. */
  get empty(): boolean {
    return this.#hooks.length === 0
  }

  add(kind: Outcome, hook: Hook): void {
    this.#hooks.push({ kind, due: false, hook })
  }

  /** Takes over the hooks of a savepoint. Of one that was rolled back, what waited for a commit is forgotten. */
  adopt(savepoint: Hooks, kept: boolean): void {
    for (const each of savepoint.#hooks) {
      if (kept) this.#hooks.push(each)
      else if (each.kind === 'afterRollback') this.#hooks.push({ ...each, due: true })
    }
  }

  /** Runs them one after another, in the order of their registration. Never throws. */
  async run(outcome: Outcome | 'unknown'): Promise<void> {
    for (const { kind, due, hook } of this.#hooks) {
      if (!due && kind !== outcome) continue
      try {
        await hook()
      } catch (cause) {
        const error = new HookError(kind, cause)
        if (hookChannel.hasSubscribers) hookChannel.publish({ error })
        else process.emitWarning(error)
      }
    }
  }
}
