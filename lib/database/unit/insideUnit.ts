// Which unit of work the running code is in, by node's AsyncLocalStorage: it follows awaits, promises and timers.
// It serves three ends: refusing `db` inside a unit, joining the unit instead (`ambient`), and telling whether a
// statement on a unit comes from inside of its open savepoint.

import { AsyncLocalStorage } from 'node:async_hooks'
import { DatabaseInsideUnitError, type QueryIdentity } from '../../errors.ts'
import type { ConnectionSource } from '../connection.ts'
import { CallSite } from '../observe/callSite.ts'
import type { Scope } from './scope.ts'

interface Inside {
  readonly source: ConnectionSource
  readonly scope: Scope
  readonly outer: Inside | undefined
}

const context = new AsyncLocalStorage<Inside>()

/** Runs the function of a unit or savepoint, and everything that it calls, inside of it. */
export function runInside<T>(source: ConnectionSource, scope: Scope, work: () => Promise<T>): Promise<T> {
  let outer = context.getStore()
  // A loop that starts its next unit from within the last one would keep all of them.
  while (outer?.scope.closed) outer = outer.outer
  return context.run({ source, scope, outer }, work)
}

/** Whether the running code is inside of it, be it by way of other units. */
export function isInside(scope: Scope): boolean {
  let inside = context.getStore()
  while (inside !== undefined && inside.scope !== scope) inside = inside.outer
  return inside !== undefined
}

/** The innermost open unit or savepoint around the running code that uses these connections, or null. */
export function scopeAround(source: ConnectionSource): Scope | null {
  for (let inside = context.getStore(); inside !== undefined; inside = inside.outer) {
    if (inside.source === source && !inside.scope.closed) return inside.scope
  }
  return null
}

/** What `db` does inside of a unit of work of its own. */
export interface InsideUnitOptions {
  /**
   * Whether functions that are called with `db` inside a unit of work join it. Default false: they are refused. With
   * it, what a call does depends on who called it; a `db` call that must not be rolled back (an audit trail) joins too.
   */
  readonly ambient?: boolean | undefined
  /**
   * Whether `db` inside a unit is refused with DatabaseInsideUnitError. Default true: such a call runs outside the
   * transaction, and times out once all connections are held by units that make such calls.
   */
  readonly guard?: boolean | undefined
}

/**
 * The unit that a call on `db` has to join, or null to go its own way.
 * @param called the function that was called: whose caller is named if it is refused
 * @throws DatabaseInsideUnitError
 */
export function scopeToJoin(
  source: ConnectionSource,
  query: QueryIdentity | null,
  { ambient = false, guard = true }: InsideUnitOptions,
  called: (...args: never[]) => unknown,
): Scope | null {
  if (!ambient && !guard) return null
  const scope = scopeAround(source)
  if (scope === null || ambient) return scope
  throw new DatabaseInsideUnitError(query, scope.place, new CallSite(called).place)
}
