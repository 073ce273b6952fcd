// Verdicts and how they combine. A verdict is `nullable` unless non-null was proven; the reason is for people.

import type { Nullability } from '../model.ts'

export function nonNull(reason: string): Nullability {
  return { nullable: false, reason }
}

export function nullable(reason: string): Nullability {
  return { nullable: true, reason }
}

/** Non-null if all are: the first one that is not gives the reason. `reason` is for when all are, or there are none. */
export function allOf(verdicts: Iterable<Nullability>, reason: string): Nullability {
  for (const verdict of verdicts) if (verdict.nullable) return verdict
  return nonNull(reason)
}

/** Non-null if one is. If none is, the last one gives the reason; `reason` is for when there are none. */
export function anyOf(verdicts: Iterable<Nullability>, reason: string): Nullability {
  let last = nullable(reason)
  for (const verdict of verdicts) {
    if (!verdict.nullable) return verdict
    last = verdict
  }
  return last
}
