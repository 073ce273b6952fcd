// What a database knows of its types, relations and functions: a connection in, lookups by OID and by name out.
// One round trip reads the system catalogs (`catalog.sql`); the trees of views are read when a query needs them, because
// in a large schema they are most of the bytes and most are not used.

import type pg from 'pg'
import { functionsOf, operatorsOf, relationsOf, typesOf } from './catalogParts.ts'
import { type CatalogRows, loadMentionedRows, loadRows, type Wanted, type WantedRows } from './catalogRows.ts'
import type { Catalog, CatalogFunction, CatalogType, Operator, Relation } from './catalogTypes.ts'
import { mentionsIn } from './mentions.ts'
import type { TreeNode, TreeValue } from './model.ts'
import { loadSqlBodies } from './sqlBodies.ts'
import { isNode, parseTree } from './tree.ts'

export type * from './catalogTypes.ts'

/** Reads all types, and all relations but PostgreSQL's own, in one round trip. */
export async function loadCatalog(client: pg.Client): Promise<Catalog> {
  return new LoadedCatalog(await loadRows(client))
}

/**
 * Loads what the trees of queries mention and `loadCatalog` leaves out: functions, operators, PostgreSQL's own relations,
 * the trees of views and of functions written in SQL, and then what those mention. A round trip for each level of views
 * upon views, and one more; two more for each level of SQL functions.
 */
export async function loadDefinitions(client: pg.Client, catalog: Catalog, trees: Iterable<TreeValue>): Promise<void> {
  if (!(catalog instanceof LoadedCatalog)) throw new TypeError('loadDefinitions needs a catalog that loadCatalog made')
  let found: TreeValue[] = [...trees]
  for (;;) {
    const wanted = catalog.missing(found)
    if (Object.values(wanted).every((oids) => oids.length === 0)) return
    found = catalog.add(wanted, await loadMentionedRows(client, wanted))
    const bodies = await loadSqlBodies(client, catalog.sqlFunctions(wanted.functions))
    found.push(...catalog.addBodies(bodies))
  }
}

class LoadedCatalog implements Catalog {
  readonly types: ReadonlyMap<number, CatalogType>
  readonly relations: Map<number, Relation>
  readonly functions: Map<number, CatalogFunction> = new Map()
  readonly operators: Map<number, Operator> = new Map()
  readonly #views: Map<number, TreeNode> = new Map()
  readonly #bodies: Map<number, TreeNode> = new Map()
  /** What was asked for, also if it is not there. OIDs are unique within a kind only. */
  readonly #asked: { readonly [kind in keyof Wanted]: Set<number> } = {
    relations: new Set(),
    functions: new Set(),
    operators: new Set(),
    views: new Set(),
  }
  /** Relations and domains whose own trees were given. */
  readonly #expanded: Set<Relation | CatalogType> = new Set()
  readonly #typesByName: ReadonlyMap<string, CatalogType>

  constructor(rows: CatalogRows) {
    this.types = byOid(typesOf(rows))
    this.relations = byOid(relationsOf(rows))
    this.#typesByName = new Map([...this.types.values()].map((type) => [`${type.schema}.${type.name}`, type]))
  }

  typeByName(name: string, schema = 'pg_catalog'): CatalogType | null {
    return this.#typesByName.get(`${schema}.${name}`) ?? null
  }

  relationByName(name: string, schema = 'public'): Relation | null {
    for (const relation of this.relations.values()) {
      if (relation.name === name && relation.schema === schema) return relation
    }
    return null
  }

  viewTree(relation: number): TreeNode | null {
    return this.#views.get(relation) ?? null
  }

  sqlBody(called: number): TreeNode | null {
    return this.#bodies.get(called) ?? null
  }

  /** Which of these are written in SQL; PostgreSQL's own have their rule in `neverNull.ts`. */
  sqlFunctions(oids: readonly number[]): number[] {
    return oids.filter((oid) => {
      const called = this.functions.get(oid)
      return called?.language === 'sql' && called.kind === 'function' && called.schema !== 'pg_catalog'
    })
  }

  addBodies(bodies: ReadonlyMap<number, TreeNode>): TreeNode[] {
    for (const [oid, body] of bodies) this.#bodies.set(oid, body)
    return [...bodies.values()]
  }

  /** What these trees mention and is not loaded yet, and what constraints and defaults of their tables and domains mention. */
  missing(trees: readonly TreeValue[]): Wanted {
    const relations = new Set<number>()
    const functions = new Set<number>()
    const operators = new Set<number>()
    for (let open = [...trees]; open.length > 0; ) {
      const mentions = mentionsIn(open)
      for (const oid of mentions.relations) relations.add(oid)
      for (const oid of mentions.functions) functions.add(oid)
      for (const oid of mentions.operators) operators.add(oid)
      open = [
        ...[...mentions.relations].flatMap((oid) => this.#ownTrees(oid)),
        ...[...mentions.types].flatMap((oid) => this.#checksOf(oid)),
      ]
    }
    const isView = (oid: number): boolean => /view$/.test(this.relations.get(oid)?.kind ?? '')
    const isNew = (kind: keyof Wanted) => (oid: number) => !this.#asked[kind].has(oid)
    return {
      relations: [...relations].filter((oid) => !this.relations.has(oid)).filter(isNew('relations')),
      functions: [...functions].filter(isNew('functions')),
      operators: [...operators].filter(isNew('operators')),
      views: [...relations].filter(isView).filter(isNew('views')),
    }
  }

  /** Takes in what was loaded; answers its trees, which may mention more. */
  add(wanted: Wanted, rows: WantedRows): TreeNode[] {
    for (const relation of relationsOf(rows)) this.relations.set(relation.oid, relation)
    for (const called of functionsOf(rows.functions)) this.functions.set(called.oid, called)
    for (const operator of operatorsOf(rows.operators)) this.operators.set(operator.oid, operator)
    const found: TreeNode[] = wanted.functions.flatMap((oid) => this.functions.get(oid)?.defaults ?? [])
    for (const row of rows.views) {
      const parsed = parseTree(row.tree)
      const query = Array.isArray(parsed) ? parsed[0] : parsed
      if (!isNode(query, 'QUERY')) continue
      this.#views.set(row.relationOid, query)
      found.push(query)
    }
    for (const kind of ['relations', 'functions', 'operators', 'views'] as const) {
      for (const oid of wanted[kind]) this.#asked[kind].add(oid)
    }
    // A relation that was just loaded may be a view; and an operator has a function.
    for (const oid of wanted.relations) found.push({ tag: 'RANGETBLENTRY', relid: String(oid) })
    for (const { function: oid } of operatorsOf(rows.operators)) found.push({ tag: 'OPEXPR', opfuncid: String(oid) })
    return found
  }

  #checksOf(oid: number): readonly TreeNode[] {
    const type = this.types.get(oid)
    if (!type || this.#expanded.has(type)) return []
    this.#expanded.add(type)
    return type.checks
  }

  /** The expressions that belong to a table's rows and those of its descendants; each table gives them once. */
  #ownTrees(oid: number): TreeNode[] {
    const relation = this.relations.get(oid)
    if (!relation || this.#expanded.has(relation)) return []
    this.#expanded.add(relation)
    return [
      ...relation.checks.map((check) => check.tree),
      ...relation.columns.flatMap((column) => column.defaultTree ?? []),
      ...relation.descendants.flatMap((descendant) => this.#ownTrees(descendant)),
    ]
  }
}

function byOid<T extends { readonly oid: number }>(items: Iterable<T>): Map<number, T> {
  const map = new Map<number, T>()
  for (const item of items) map.set(item.oid, item)
  return map
}
