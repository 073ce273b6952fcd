// What the translation of a statement needs to know, and how it refuses one.

import type { MemoryParam } from './params.ts'
import { type Node, nameOf } from './pgMem.ts'
import type { MemorySchema } from './schema.ts'

/** What a statement is translated with. */
export interface Scope {
  readonly params: readonly MemoryParam[]
  readonly schema: MemorySchema
  /** @throws UnsupportedInMemoryError naming the query */
  refuse(feature: string): never
}

/** Refuses a node that has other fields than these: the parser read something there that would be ignored here. */
export function only(node: Node, scope: Scope, ...fields: readonly string[]): void {
  const other = Object.keys(node).find((field) => field !== 'type' && node[field] && !fields.includes(field))
  if (other !== undefined) scope.refuse(`${clauses[other] ?? other} in "${String(node.type ?? nameOf(node))}"`)
}

/** Refuses a relation that the schema has and this database has not; `change`: or whose rows it cannot change. */
export function checkRelation({ name, schema }: Node, scope: Scope, change = false): void {
  const relation = schema ? `${String(schema)}.${String(name)}` : String(name)
  const lack = scope.schema.lacks.get(relation)
  if (lack && (change || lack.of === 'relation')) {
    scope.refuse(`${lack.of === 'changes' ? 'changes of ' : ''}"${relation}", because of ${lack.why}`)
  }
}

const clauses: Readonly<Record<string, string>> = {
  having: 'HAVING',
  over: 'window functions (OVER)',
  lateral: 'LATERAL',
  overriding: 'OVERRIDING',
  skip: 'SKIP LOCKED and NOWAIT',
  orderBy: 'ORDER BY',
}
