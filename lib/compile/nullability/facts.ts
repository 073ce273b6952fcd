// What is known of every row at some place of a query: "p.title is not null", "the left join found its row".
// Facts are sets of keys (see `keys.ts`). A key starts with the query level it speaks of, seen from where the fact
// stands: `0.` is the query itself, `1.` the one around it.

export interface Facts {
  /** Expressions that are not NULL. For a column this is its value before outer joins above it could null it. */
  readonly nonNull: ReadonlySet<string>
  /** Expressions that are NULL; only used to see that a place is never reached. */
  readonly isNull: ReadonlySet<string>
  /** `level.join.side`: the outer join found a row on that side, so it did not fill it with NULLs. */
  readonly matched: ReadonlySet<string>
  /** What becomes known once a side of an outer join is known to be matched: its ON clause, and what lies below it. */
  readonly onMatch: ReadonlyMap<string, Facts>
  /** Comparisons that came out true, and their opposites as those that did not: only used to see contradictions. */
  readonly isTrue: ReadonlySet<string>
  readonly isFalse: ReadonlySet<string>
  /** Expressions that equal a constant, and its bytes; for the same reason. */
  readonly equals: ReadonlyMap<string, string>
  /** No row gets here: the conditions contradict each other. */
  readonly impossible: boolean
}

const none: ReadonlySet<string> = new Set()

export const nothing: Facts = {
  nonNull: none,
  isNull: none,
  matched: none,
  onMatch: new Map(),
  isTrue: none,
  isFalse: none,
  equals: new Map(),
  impossible: false,
}

export const impossible: Facts = { ...nothing, impossible: true }

export function knownNonNull(...keys: readonly string[]): Facts {
  return { ...nothing, nonNull: new Set(keys) }
}

export function knownNull(key: string): Facts {
  return { ...nothing, isNull: new Set([key]) }
}

export function knownMatched(keys: readonly string[]): Facts {
  return { ...nothing, matched: new Set(keys) }
}

export function knownOnMatch(key: string, facts: Facts): Facts {
  return facts === nothing ? nothing : { ...nothing, onMatch: new Map([[key, facts]]) }
}

export function knownComparison(isTrue: string, isFalse: string | null, equals: ReadonlyMap<string, string>): Facts {
  return { ...nothing, isTrue: new Set([isTrue]), isFalse: isFalse === null ? none : new Set([isFalse]), equals }
}

/** All of them hold. */
export function both(...all: readonly Facts[]): Facts {
  const parts = all.filter((facts) => facts !== nothing)
  if (parts.length <= 1) return parts[0] ?? nothing
  const nonNull = new Set<string>()
  const isNull = new Set<string>()
  const matched = new Set<string>()
  const onMatch = new Map<string, Facts>()
  const isTrue = new Set<string>()
  const isFalse = new Set<string>()
  const equals = new Map<string, string>()
  let isImpossible = false
  const open = [...parts]
  for (let facts = open.pop(); facts; facts = open.pop()) {
    for (const key of facts.nonNull) nonNull.add(key)
    for (const key of facts.isNull) isNull.add(key)
    for (const key of facts.isTrue) isTrue.add(key)
    for (const key of facts.isFalse) isFalse.add(key)
    for (const [key, bytes] of facts.equals) {
      isImpossible ||= equals.has(key) && equals.get(key) !== bytes
      equals.set(key, bytes)
    }
    isImpossible ||= facts.impossible
    for (const [key, consequence] of facts.onMatch) {
      if (matched.has(key)) open.push(consequence)
      else onMatch.set(key, onMatch.has(key) ? both(onMatch.get(key)!, consequence) : consequence)
    }
    for (const key of facts.matched) {
      matched.add(key)
      const consequence = onMatch.get(key)
      if (consequence) open.push(consequence)
      onMatch.delete(key)
    }
  }
  for (const key of isNull) isImpossible ||= nonNull.has(key)
  for (const key of isTrue) isImpossible ||= isFalse.has(key)
  return { nonNull, isNull, matched, onMatch, isTrue, isFalse, equals, impossible: isImpossible }
}

/** At least one of them holds; one that is impossible does not count. */
export function either(all: readonly Facts[]): Facts {
  const possible = all.filter((facts) => !facts.impossible)
  const [first, ...rest] = possible
  if (!first) return impossible
  if (rest.length === 0) return first
  const common = (keysOf: (facts: Facts) => ReadonlySet<string>): ReadonlySet<string> =>
    new Set([...keysOf(first)].filter((key) => rest.every((facts) => keysOf(facts).has(key))))
  return {
    nonNull: common((facts) => facts.nonNull),
    isNull: common((facts) => facts.isNull),
    matched: common((facts) => facts.matched),
    onMatch: new Map(),
    isTrue: common((facts) => facts.isTrue),
    isFalse: common((facts) => facts.isFalse),
    equals: new Map([...first.equals].filter(([key, bytes]) => rest.every((facts) => facts.equals.get(key) === bytes))),
    impossible: false,
  }
}

/** The part that speaks of the queries around this one, as seen from the next one out. */
export function outward(facts: Facts): Facts {
  const lift = (keys: ReadonlySet<string>): ReadonlySet<string> => {
    const lifted = new Set<string>()
    for (const key of keys) {
      const dot = key.indexOf('.')
      const level = Number(key.slice(0, dot))
      if (level > 0) lifted.add(`${level - 1}${key.slice(dot)}`)
    }
    return lifted
  }
  return { ...nothing, nonNull: lift(facts.nonNull), matched: lift(facts.matched), impossible: facts.impossible }
}
