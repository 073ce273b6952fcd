// The two packages behind `memoryDatabase`, loaded when it is first called: pg-mem, which is an optional peer, and the
// parser that pg-mem itself uses. Statements are handed over as trees, so that nothing is ever pasted into a text.

import { createRequire } from 'node:module'
import type { IMemoryDb } from 'pg-mem'
import { PlainsqlError } from '../errors.ts'

/** A node of the parser's tree (pgsql-ast-parser); `type` says which, where there are several. */
export interface Node {
  readonly [field: string]: Tree
}

export type Tree = Node | readonly Tree[] | string | number | boolean | null | undefined

export interface PgMem {
  newDb(): IMemoryDb
  /** @throws whatever the parser throws: PostgreSQL knows much more SQL than it does */
  parse(sql: string): Node[]
}

/** @throws PlainsqlError if pg-mem is not installed */
export async function loadPgMem(): Promise<PgMem> {
  const pgMem = await import('pg-mem').catch((cause: unknown) => {
    throw new PlainsqlError('memoryDatabase() runs on pg-mem, which could not be loaded: npm i -D pg-mem', null, {
      cause,
    })
  })
  // The parser is pg-mem's dependency, not ours: only from pg-mem's own place is it sure to be found, in its version.
  const requireFromPgMem = createRequire(createRequire(import.meta.url).resolve('pg-mem'))
  const parser = requireFromPgMem('pgsql-ast-parser') as { parse(sql: string): Node[] }
  return {
    newDb: () => pgMem.newDb({ noErrorDiagnostic: true }),
    parse(sql) {
      const tree = parsed.get(sql) ?? (withoutPublic(parser.parse(sql)) as Node[])
      parsed.set(sql, tree)
      return tree
    },
  }
}

/** Parsing is what takes longest, and every database of a test run is made of the same migrations. */
const parsed = new Map<string, Node[]>()

/** `public.users` → `users`, which there is only one of. */
function withoutPublic(tree: Tree): Tree {
  if (Array.isArray(tree)) return tree.map(withoutPublic)
  if (!isNode(tree)) return tree
  const { schema, doubleQuoted, ...rest } = tree
  const named = schema === 'public' ? rest : tree
  return Object.fromEntries(Object.entries(named).map(([field, value]) => [field, withoutPublic(value)]))
}

export function isNode(tree: Tree): tree is Node {
  return typeof tree === 'object' && tree !== null && !Array.isArray(tree)
}

/** A list, or nothing for a field that is absent. */
export function nodes(tree: Tree): readonly Node[] {
  return Array.isArray(tree) ? (tree as readonly Node[]) : []
}

/** `{ name: 'users' }` → `users`; empty for a field that is absent. */
export function nameOf(tree: Tree): string {
  return isNode(tree) && typeof tree.name === 'string' ? tree.name : ''
}
