// For tests that run for a fixed time at full speed: they take what the tests beside them leave, not half of the machine.

import { existsSync, writeFileSync } from 'node:fs'
import { setPriority } from 'node:os'

// With 10, a tenth, a minute is too short for a restart and what comes after it.
const niceness = 5

/** We, and what we start from now on, take a third of the time that one of those beside us takes; all, if there are none. */
export function letOthersGoFirst(): void {
  setPriority(niceness)
  // Linux weighs sessions against each other, and each test file is one of its own (sched(7), "autogroup").
  const group = '/proc/self/autogroup'
  try {
    if (existsSync(group)) writeFileSync(group, String(niceness))
  } catch (error) {
    // All who are not root may do that ten times a second together. It is a courtesy, which a test does not need.
    if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error
  }
}
