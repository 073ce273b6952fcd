// Which triggers may meet a statement's rows, as the catalog has them.

import type { Catalog, Relation } from './catalog.ts'

/** The bits of `pg_trigger.tgtype` (`catalog/pg_trigger.h`). */
export const TriggerBits: {
  readonly row: 1
  readonly before: 2
  readonly insert: 4
  readonly delete: 8
  readonly update: 16
  readonly instead: 64
} = {
  row: 1,
  before: 2,
  insert: 4,
  delete: 8,
  update: 16,
  instead: 64,
}

/**
 * Whether the table, or one that inherits from it, has an enabled trigger with all of these bits, of all or of those that
 * may write other rows. Of a foreign table's, on
 * its own server, nobody here knows.
 */
export function hasTrigger(
  relation: Relation,
  bits: number,
  catalog: Catalog,
  which: 'triggerTypes' | 'writingTriggerTypes' = 'triggerTypes',
): boolean {
  const tables = [relation, ...relation.descendants.map((oid) => catalog.relations.get(oid))]
  return tables.some(
    (table) => table?.kind === 'foreign table' || table?.[which].some((type) => (type & bits) === bits),
  )
}
