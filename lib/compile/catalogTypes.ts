// What a catalog holds: types, relations, functions and operators, as plain data.

import type { TreeNode } from './model.ts'

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
  /** Whether columns of the type that have no default of their own have the type's. */
  readonly hasDefault: boolean
  /** What a domain's CHECK constraints say, and those of the domains below it; else empty. */
  readonly checks: readonly TreeNode[]
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

/** Arrays to PostgreSQL and in JSON, but written `1 2 3`. */
export function isVector({ name, schema }: CatalogType): boolean {
  return (name === 'int2vector' || name === 'oidvector') && schema === 'pg_catalog'
}

/** Collations below this OID come with the server, and none of those is nondeterministic. */
export function isDeterministic(collation: number): boolean {
  return collation < 16_384
}

/** A table, view, materialized view, foreign or partitioned table, or composite type; see `pg_class`. */
export interface Relation {
  readonly oid: number
  readonly schema: string
  readonly name: string
  readonly kind:
    | 'table'
    | 'view'
    | 'materialized view'
    | 'foreign table'
    | 'partitioned table'
    | 'composite type'
    | 'sequence'
  readonly columns: readonly Column[]
  /** OID of the type of its rows. */
  readonly rowType: number
  readonly rowSecurity: boolean
  /** Rules other than a view's own query. */
  readonly hasRules: boolean
  /** `pg_trigger.tgtype` of every enabled trigger: a set of bits, see `TriggerBits`. */
  readonly triggerTypes: readonly number[]
  /** Of those triggers that may write other rows, as far as the words of their function tell. */
  readonly writingTriggerTypes: readonly number[]
  /** Tables that inherit from it or are its partitions, at any depth. */
  readonly descendants: readonly number[]
  readonly uniqueIndexes: readonly UniqueIndex[]
  readonly checks: readonly Check[]
  readonly foreignKeys: readonly ForeignKey[]
  readonly comment: string | null
}

export interface Column {
  /** 1-based, with gaps where columns were dropped. */
  readonly number: number
  readonly name: string
  readonly type: number
  readonly modifier: number
  /** Of an array, as declared: `int[][]` has 2. PostgreSQL does not enforce it. */
  readonly dimensions: number
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
  /** The OID of each of these columns' collation in the index, 0 for none; the column's own may be another. */
  readonly collations: readonly number[]
  /** The expressions, in their order; their Vars have `varno` 1. */
  readonly expressions: readonly TreeNode[]
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
  /** The default expressions of the last arguments. */
  readonly defaults: readonly TreeNode[]
  readonly language: string
  /** The extension that made it. */
  readonly extension: string | null
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

/** A database's types, relations, functions and operators as they were when they were loaded. */
export interface Catalog {
  readonly types: ReadonlyMap<number, CatalogType>
  /** Those that are not PostgreSQL's own, and what queries mention of those: see `loadDefinitions`. */
  readonly relations: ReadonlyMap<number, Relation>
  /** What queries mention: see `loadDefinitions`. */
  readonly functions: ReadonlyMap<number, CatalogFunction>
  /** What queries mention: see `loadDefinitions`. */
  readonly operators: ReadonlyMap<number, Operator>
  /** The type of that name, in `pg_catalog` if the schema is left out. */
  typeByName(name: string, schema?: string): CatalogType | null
  /** The relation of that name, in `public` if the schema is left out. */
  relationByName(name: string, schema?: string): Relation | null
  /** The query behind a view or materialized view. Null for what is not one, or is not loaded. */
  viewTree(relation: number): TreeNode | null
  /** The statement that makes the result of a function written in SQL; null for others, and if it is not loaded. */
  sqlBody(called: number): TreeNode | null
}
