// What to tell of a query that promises one row at most: whether that is proven, and which key would prove it.

import type { DescribedQuery, Diagnostic } from '../model.ts'
import type { Scope } from '../nullability/scope.ts'
import { problem } from '../problem.ts'
import { proveAtMostOne, type Unproven } from './atMostOne.ts'

export interface Cardinality {
  /** Why it is not proven, if the author says that it is so; else null. */
  readonly unproven: string | null
  readonly diagnostics: readonly Diagnostic[]
}

/** @param scope of the statement; null if it has no tree */
export function checkCardinality(query: DescribedQuery, scope: Scope | null): Cardinality {
  const { file, name, kind, kindSpan, flags } = query
  if (!scope) return { unproven: null, diagnostics: [] }
  const isFlagged = flags.includes('unproven')
  const isPromise = kind === 'one' || kind === 'opt' || kind === 'value'
  if (!isPromise && !isFlagged) return { unproven: null, diagnostics: [] }
  const missing = isPromise ? proveAtMostOne(scope) : null
  const warn = (code: string, title: string, hints: readonly string[]): Cardinality => ({
    unproven: null,
    diagnostics: [problem(file, kindSpan, code, title, '', { severity: 'warning', query: name, hints })],
  })
  if (missing && isFlagged) return { unproven: missing.reason, diagnostics: [] }
  if (missing)
    return warn('unproven-cardinality', `":${kind}" is not proven: ${missing.reason}`, hintsOf(missing, kind))
  if (!isFlagged) return { unproven: null, diagnostics: [] }
  const title = isPromise
    ? `"unproven" is not needed: one row at most is proven`
    : `"unproven" says nothing for ":${kind}"`
  return warn('needless-flag', title, ['remove it'])
}

function hintsOf({ relation, boundColumns, hasKey }: Unproven, kind: string): string[] {
  const hints: string[] = []
  const keys = (relation?.uniqueIndexes ?? []).filter(({ columns, immediate }) => immediate && !columns.includes(0))
  const names = keys.map(
    ({ columns, predicate }) =>
      `(${columns.map((number) => relation?.columns.find((column) => column.number === number)?.name).join(', ')})` +
      (predicate ? ' where …' : ''),
  )
  if (relation && boundColumns.length > 0 && !hasKey) {
    hints.push(`a unique key ${relation.name} (${boundColumns.join(', ')}) would prove it`)
  }
  if (relation && names.length > 0)
    hints.push(`the keys of ${relation.name} are ${names.join(', ')}: compare every column of one by "="`)
  hints.push(`add "limit 1", or write ${kind === 'value' ? ':values' : ':many'}`)
  hints.push(`write ":${kind} unproven" if you know better; a second row is a TooManyRowsError`)
  return hints
}
