// For tests that run for a fixed time at full speed: they take what the tests beside them leave, not half of the machine.

import { existsSync, writeFileSync } from 'node:fs'
import { setPriority } from 'node:os'

/** A tenth of the processor time of what runs beside us, as long as something does. What we start from now on inherits it. */
export function letOthersGoFirst(): void {
  setPriority(10)
  // Linux weighs sessions against each other, and each test file is one of its own (sched(7), "autogroup").
  const group = '/proc/self/autogroup'
  if (existsSync(group)) writeFileSync(group, '10')
}
