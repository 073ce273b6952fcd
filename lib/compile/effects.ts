// What a statement does beyond reading what is there: it calls what is volatile, locks rows, writes in a WITH.
// In: a tree and the catalog. Out: the answer in words, or yes or no.

import { defaultsOf } from './calledFunction.ts'
import type { Catalog, CatalogFunction } from './catalog.ts'
import type { TreeNode, TreeValue } from './model.ts'
import { int, isNode, node } from './tree.ts'

/** Why two runs of a SELECT with the same parameters are not the same as one, in words; null if they are. */
export function volatility(query: TreeNode, catalog: Catalog): string | null {
  if (query.hasModifyingCTE === 'true') return 'it writes'
  const name = volatileFunction([query, ...domainChecks(query, catalog)], catalog)
  if (name !== null) return `it calls ${name}, which is volatile`
  for (const found of nodesIn(query, catalog)) {
    // LockWaitPolicy 1: SKIP LOCKED.
    if (found.tag === 'ROWMARKCLAUSE' && int(found, 'waitPolicy') === 1) return 'it skips locked rows'
    if (found.tag === 'RANGETBLENTRY' && node(found, 'tablesample')) return 'it samples'
  }
  return null
}

/** The CHECKs of the domains that a statement casts to, or has parameters of. */
export function domainChecks(query: TreeNode, catalog: Catalog): TreeNode[] {
  const types = [...nodesIn(query, catalog)].map((found) =>
    int(found, found.tag === 'PARAM' ? 'paramtype' : 'resulttype'),
  )
  return [...new Set(types)].flatMap((type) => catalog.types.get(type)?.checks ?? [])
}

/** FOR UPDATE and its sisters, at any depth. */
export function locksRows(query: TreeNode, catalog: Catalog): boolean {
  return [...nodesIn(query, catalog)].some((found) => found.tag === 'ROWMARKCLAUSE')
}

/** The name of the first volatile function that is called; of those that `isMeant`, if that is given. */
export function volatileFunction(
  value: TreeValue,
  catalog: Catalog,
  isMeant: (called: CatalogFunction) => boolean = () => true,
): string | null {
  for (const found of nodesIn(value, catalog)) {
    for (const field of ['funcid', 'opfuncid', 'aggfnoid', 'winfnoid']) {
      const called = catalog.functions.get(int(found, field))
      if (called?.volatility === 'volatile' && isMeant(called)) return called.name
    }
  }
  return null
}

/** Whether a function may read tables: it is none of PostgreSQL's own, and in any language but C. */
export function isOurs({ schema, language }: CatalogFunction): boolean {
  return schema !== 'pg_catalog' && language !== 'internal' && language !== 'c'
}

/** Every node below `value`, itself included, those of the views that it reads, and defaults of functions that it calls. */
export function* nodesIn(value: TreeValue | undefined, catalog: Catalog): Generator<TreeNode> {
  const open: (TreeValue | undefined)[] = [value]
  const seen = new Set<number>()
  const isNew = (oid: number): boolean => oid !== 0 && !seen.has(oid) && seen.add(oid).has(oid)
  while (open.length > 0) {
    const next = open.pop()
    if (next === null || next === undefined || typeof next === 'string') continue
    if (!isNode(next)) {
      open.push(...(next as readonly TreeValue[]))
      continue
    }
    yield next
    open.push(...Object.values(next))
    const view = next.tag === 'RANGETBLENTRY' ? int(next, 'relid') : 0
    if (isNew(view)) open.push(catalog.viewTree(view))
    const called = catalog.functions.get(int(next, 'funcid'))
    const defaults = called ? defaultsOf(next, called) : []
    if (defaults.length > 0 && isNew(int(next, 'funcid'))) open.push(...defaults)
  }
}
