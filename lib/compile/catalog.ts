// What a database knows of its types, relations and functions: a connection in, lookups by OID and by name out.
// One round trip reads the system catalogs (`catalog.sql`); the trees of views are read when a query needs them, because
// in a large schema they are most of the bytes and most are not used.

import type pg from 'pg'
import { functionsOf, operatorsOf, relationsOf, typesOf } from './catalogParts.ts'
import { type CatalogRows, loadRows, loadViewTrees } from './catalogRows.ts'
import type { TreeNode, TreeValue } from './model.ts'
import { isNode, parseTree } from './tree.ts'

/** A data type; see `pg_type`. */
export interface CatalogType {
  readonly oid: number
  readonly schema: string
  readonly name: string
  /** `base`, or what it is made from. A true array is a `base` with an `element`. */
  readonly kind: 'base' | 'composite' | 'domain' | 'enum' | 'pseudo' | 'range' | 'multirange'
  /** `pg_type.typcategory`: one letter, such as `S` for strings. */
  readonly category: string
  /** OID of an array's elements, else 0. */
  readonly element: number
  /** OID of the array of this type, or 0. */
  readonly array: number
  /** A domain's type below it (perhaps a domain again), else 0. */
  readonly base: number
  /** A domain's type modifier for its base, else −1. */
  readonly modifier: number
  /** True for a domain that refuses NULL: declared, or by a constraint `check (value is not null)`. */
  readonly notNull: boolean
  /** OID of the relation whose rows have this type, else 0. */
  readonly relation: number
  /** A range's bounds' type; a multirange's range type; else 0. */
  readonly rangeOf: number
  /** An enum's labels in the enum's order; else empty. */
  readonly labels: readonly string[]
  /** The extension that made it, such as `citext`. */
  readonly extension: string | null
  readonly comment: string | null
}

/** A table, view, materialized view, foreign or partitioned table, or composite type; see `pg_class`. */
export interface Relation {
  readonly oid: number
  readonly schema: string
  readonly name: string
  readonly kind: 'table' | 'view' | 'materialized view' | 'foreign table' | 'partitioned table' | 'composite type'
  readonly columns: readonly Column[]
  /** OID of the type of its rows. */
  readonly rowType: number
  readonly rowSecurity: boolean
  /** Rules other than a view's own query. */
  readonly hasRules: boolean
  /** `pg_trigger.tgtype` of every enabled trigger: a set of bits, see `TriggerBits`. */
  readonly triggerTypes: readonly number[]
  /** Tables that inherit from it or are its partitions, at any depth. */
  readonly descendants: readonly number[]
  readonly uniqueIndexes: readonly UniqueIndex[]
  readonly checks: readonly Check[]
  readonly foreignKeys: readonly ForeignKey[]
  readonly comment: string | null
}

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

export interface Column {
  /** 1-based, with gaps where columns were dropped. */
  readonly number: number
  readonly name: string
  readonly type: number
  readonly modifier: number
  /** As declared. */
  readonly notNull: boolean
  /** Declared, and proven for the rows that are there: false for a NOT NULL that was added NOT VALID. */
  readonly provenNotNull: boolean
  readonly identity: 'always' | 'by default' | null
  readonly generated: 'stored' | 'virtual' | null
  /** The default's or the generated column's expression. */
  readonly defaultTree: TreeNode | null
  readonly comment: string | null
}

/** A unique index, of a constraint or not. */
export interface UniqueIndex {
  readonly name: string
  readonly primary: boolean
  /** False for a deferrable constraint: duplicates may exist until the transaction ends. */
  readonly immediate: boolean
  readonly nullsNotDistinct: boolean
  /** Column numbers; 0 stands for an expression. Columns that are only included are left out. */
  readonly columns: readonly number[]
  /** The condition of a partial index; its Vars have `varno` 1. */
  readonly predicate: TreeNode | null
}

/** A validated CHECK constraint. In its tree a table's Vars have `varno` 1, a domain's value is `COERCETODOMAINVALUE`. */
export interface Check {
  readonly name: string
  readonly tree: TreeNode
  /** Not checked for the rows of descendants. */
  readonly noInherit: boolean
}

/** A validated foreign key. */
export interface ForeignKey {
  readonly name: string
  readonly columns: readonly number[]
  readonly target: number
  readonly targetColumns: readonly number[]
  readonly deferrable: boolean
  readonly match: 'simple' | 'full' | 'partial'
}

/** A function, aggregate or window function; see `pg_proc`. */
export interface CatalogFunction {
  readonly oid: number
  readonly schema: string
  readonly name: string
  readonly kind: 'function' | 'aggregate' | 'window' | 'procedure'
  /** RETURNS NULL ON NULL INPUT. It says nothing of what non-null input gives. */
  readonly strict: boolean
  readonly returnsSet: boolean
  readonly volatility: 'immutable' | 'stable' | 'volatile'
  readonly returnType: number
  readonly argumentTypes: readonly number[]
  readonly language: string
}

export interface Operator {
  readonly oid: number
  readonly schema: string
  readonly name: string
  readonly function: number
  /** 0 if there is none. */
  readonly commutator: number
  readonly negator: number
}

/** A database's types, relations, functions and operators as they were when it was loaded. */
export interface Catalog {
  readonly types: ReadonlyMap<number, CatalogType>
  readonly relations: ReadonlyMap<number, Relation>
  readonly functions: ReadonlyMap<number, CatalogFunction>
  readonly operators: ReadonlyMap<number, Operator>
  /** The type of that name, in `pg_catalog` if the schema is left out. */
  typeByName(name: string, schema?: string): CatalogType | null
  /** The relation of that name, in `public` if the schema is left out. */
  relationByName(name: string, schema?: string): Relation | null
  /** The query behind a view or materialized view. Null for what is not one, or was not loaded by `loadDefinitions`. */
  viewTree(relation: number): TreeNode | null
}

/** Reads the catalog in one round trip. */
export async function loadCatalog(client: pg.Client): Promise<Catalog> {
  return new LoadedCatalog(await loadRows(client))
}

/**
 * Loads what the trees of a few queries refer to and `loadCatalog` leaves out: the trees of views, to any depth. One
 * round trip per level of views upon views; none if there are no views.
 */
export async function loadDefinitions(client: pg.Client, catalog: Catalog, trees: Iterable<TreeValue>): Promise<void> {
  if (!(catalog instanceof LoadedCatalog)) throw new TypeError('loadDefinitions needs a catalog that loadCatalog made')
  let wanted = viewsIn(trees, catalog)
  while (wanted.length > 0) {
    const loaded: TreeNode[] = []
    for (const row of await loadViewTrees(client, wanted)) {
      const parsed = parseTree(row.tree)
      const query = Array.isArray(parsed) ? parsed[0] : parsed
      if (!isNode(query, 'QUERY')) continue
      catalog.views.set(row.relationOid, query)
      loaded.push(query)
    }
    wanted = viewsIn(loaded, catalog)
  }
}

/** The views among the range tables of these trees that are not loaded yet. */
function viewsIn(trees: Iterable<TreeValue>, catalog: LoadedCatalog): number[] {
  const found = new Set<number>()
  const open: (TreeValue | undefined)[] = [...trees]
  while (open.length > 0) {
    const value = open.pop()
    if (value == null || typeof value === 'string') continue
    if (Array.isArray(value)) {
      for (const item of value) if (item !== null && typeof item !== 'string') open.push(item)
      continue
    }
    const { relid } = value as TreeNode
    if (typeof relid === 'string' && isNode(value as TreeNode, 'RANGETBLENTRY')) found.add(Number(relid))
    for (const field of Object.values(value)) if (field !== null && typeof field === 'object') open.push(field)
  }
  return [...found].filter((oid) => {
    const kind = catalog.relations.get(oid)?.kind
    return (kind === 'view' || kind === 'materialized view') && !catalog.views.has(oid)
  })
}

class LoadedCatalog implements Catalog {
  readonly types: ReadonlyMap<number, CatalogType>
  readonly relations: ReadonlyMap<number, Relation>
  readonly functions: ReadonlyMap<number, CatalogFunction>
  readonly operators: ReadonlyMap<number, Operator>
  readonly views = new Map<number, TreeNode>()
  readonly #typesByName: ReadonlyMap<string, CatalogType>
  readonly #relationsByName: ReadonlyMap<string, Relation>

  constructor(rows: CatalogRows) {
    this.types = byOid(typesOf(rows))
    this.relations = byOid(relationsOf(rows))
    this.functions = byOid(functionsOf(rows))
    this.operators = byOid(operatorsOf(rows))
    this.#typesByName = byName(this.types.values())
    this.#relationsByName = byName(this.relations.values())
  }

  typeByName(name: string, schema = 'pg_catalog'): CatalogType | null {
    return this.#typesByName.get(`${schema}.${name}`) ?? null
  }

  relationByName(name: string, schema = 'public'): Relation | null {
    return this.#relationsByName.get(`${schema}.${name}`) ?? null
  }

  viewTree(relation: number): TreeNode | null {
    return this.views.get(relation) ?? null
  }
}

function byOid<T extends { readonly oid: number }>(items: Iterable<T>): ReadonlyMap<number, T> {
  const map = new Map<number, T>()
  for (const item of items) map.set(item.oid, item)
  return map
}

function byName<T extends { readonly schema: string; readonly name: string }>(
  items: Iterable<T>,
): ReadonlyMap<string, T> {
  const map = new Map<string, T>()
  for (const item of items) map.set(`${item.schema}.${item.name}`, item)
  return map
}

export { loadDefinitions as loadViews }
