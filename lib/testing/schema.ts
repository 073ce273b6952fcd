// What pg-mem forgets of a schema: the names of constraints, by PostgreSQL's own rules, and which key is which.

/** A PRIMARY KEY, a UNIQUE constraint or a unique index. */
export interface UniqueKey {
  readonly name: string
  table: string
  /** Null if it is over expressions. */
  readonly columns: readonly string[] | null
  readonly isPrimary?: boolean
}

export interface ForeignKey {
  readonly name: string
  table: string
  target: string
  /** Whether a row of the table may be changed when the one that it refers to is deleted. */
  readonly follows: boolean
}

export class MemorySchema {
  readonly enums: Set<string> = new Set()
  readonly tables: Set<string> = new Set()
  /** By table and column: whether it may be null. */
  readonly #generated = new Map<string, boolean>()
  /** Sequences that count from 1, by ones, and are no column's default yet. */
  readonly sequences: Set<string> = new Set()
  #keys: UniqueKey[] = []
  #foreignKeys: ForeignKey[] = []
  /** Whether any column is numeric: to pg-mem that is a float, and nothing tells the one from the other. */
  hasNumeric = false
  /** The names of all columns that are smallint, which is integer to pg-mem. */
  readonly smallints: Set<string> = new Set()

  /** Why a relation, or only what changes it, is refused: it has something that cannot be had here. */
  readonly lacks: Map<string, { readonly of: 'relation' | 'changes'; readonly why: string }> = new Map()
  /** Whether there are rows in one of those relations, which may refer to others. */
  hasHiddenRows = false

  addKey(key: UniqueKey): void {
    this.#keys.push(key)
  }
  addForeignKey(key: ForeignKey): void {
    this.#foreignKeys.push(key)
  }
  /** A column `generated … as identity`, or one with a sequence of its own as its default. */
  addGenerated(table: string, column: string, nullable = false): void {
    this.#generated.set(`${table}.${column}`, nullable)
  }
  /** Whether a column is, or without one any column of the table. */
  isGenerated(table: string, column?: string): boolean {
    if (column !== undefined) return this.#generated.has(`${table}.${column}`)
    return [...this.#generated.keys()].some((name) => name.startsWith(`${table}.`))
  }
  /** Whether such a column may be null. */
  isNullable(table: string, column: string): boolean {
    return this.#generated.get(`${table}.${column}`) === true
  }

  primaryKey(table: string): readonly string[] | undefined {
    return this.#keys.find((key) => key.table === table && key.isPrimary)?.columns ?? undefined
  }
  hasKey(name: string): boolean {
    return this.#keys.some((key) => key.name === name)
  }
  /** The key over exactly these columns; for an expression's key, the table's only one. */
  keyOf(table: string, columns: readonly string[]): UniqueKey | undefined {
    const keys = this.#keys.filter((key) => key.table === table)
    const expressions = keys.filter((key) => key.columns === null)
    return (
      keys.find((key) => key.columns?.join() === columns.join()) ??
      (expressions.length === 1 ? expressions[0] : undefined)
    )
  }
  /** The tables whose rows may change with a deleted one of this table, itself included. */
  changedWith(table: string, found: Set<string> = new Set()): Set<string> {
    if (found.has(table)) return found
    found.add(table)
    for (const key of this.#foreignKeys) if (key.target === table && key.follows) this.changedWith(key.table, found)
    return found
  }
  tableOfForeignKey(name: string): string | undefined {
    return this.#foreignKeys.find((key) => key.name === name)?.table
  }
  /** The keys of a table that an INSERT of these columns can collide with: not those that an identity makes unique. */
  keysThatMayConflict(table: string, inserted: readonly string[]): readonly UniqueKey[] {
    const isNew = (column: string) => this.#generated.has(`${table}.${column}`) && !inserted.includes(column)
    return this.#keys.filter((key) => key.table === table && !key.columns?.some(isNew))
  }

  dropTable(table: string): void {
    this.tables.delete(table)
    this.lacks.delete(table)
    this.#keys = this.#keys.filter((key) => key.table !== table)
    this.#foreignKeys = this.#foreignKeys.filter((key) => key.table !== table)
  }
  dropConstraint(name: string): void {
    this.#keys = this.#keys.filter((key) => key.name !== name)
    this.#foreignKeys = this.#foreignKeys.filter((key) => key.name !== name)
  }
  dropColumn(table: string, column: string): void {
    this.#keys = this.#keys.filter((key) => key.table !== table || !key.columns?.includes(column))
  }
  /** Constraints keep their names. */
  renameTable(from: string, to: string): void {
    this.tables.delete(from)
    this.tables.add(to)
    for (const key of [...this.#keys, ...this.#foreignKeys]) if (key.table === from) key.table = to
    for (const key of this.#foreignKeys) if (key.target === from) key.target = to
    const lack = this.lacks.get(from)
    if (lack) this.lacks.set(to, lack)
    this.lacks.delete(from)
    for (const [column, nullable] of [...this.#generated]) {
      const [table, name] = column.split('.')
      if (table === from && name !== undefined) this.addGenerated(to, name, nullable)
    }
  }

  /**
   * The name that PostgreSQL gives to a constraint without one: `posts_author_id_fkey`.
   * Source: makeObjectName and ChooseConstraintName in src/backend/commands/indexcmds.c and catalog/pg_constraint.c.
   */
  constraintName(table: string, columns: readonly string[], suffix: 'pkey' | 'key' | 'fkey' | 'check' | 'idx'): string {
    for (let pass = 0; ; pass++) {
      const label = pass === 0 ? suffix : `${suffix}${pass}`
      const name = objectName(table, columns.join('_'), label)
      if (!this.#names.has(name)) {
        this.#names.add(name)
        return name
      }
    }
  }
  readonly #names = new Set<string>()
}

/** Names have at most 63 bytes: the longer part loses its end. */
function objectName(table: string, columns: string, label: string): string {
  let [first, second] = [table, columns]
  const bytes = () => Buffer.byteLength([first, second, label].filter((part) => part !== '').join('_'))
  while (bytes() > 63) {
    if (Buffer.byteLength(first) > Buffer.byteLength(second)) first = first.slice(0, -1)
    else second = second.slice(0, -1)
  }
  return [first, second, label].filter((part) => part !== '').join('_')
}
