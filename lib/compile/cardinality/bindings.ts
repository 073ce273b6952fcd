// Which columns of a query can have but one value each: compared by `=` with parameters, constants, columns of the
// queries around, or columns that are bound themselves.

import { calledFunction, defaultsOf } from '../calledFunction.ts'
import { isDeterministic } from '../catalogTypes.ts'
import type { TreeNode, TreeValue } from '../model.ts'
import { canonical, keyOf } from '../nullability/keys.ts'
import type { Env, Scope } from '../nullability/scope.ts'
import { int, isNode, node, nodes, text } from '../tree.ts'

/** A condition that every row passes, and the range table entries whose columns it may bind. */
interface Condition {
  readonly expression: TreeNode
  readonly entries: ReadonlySet<number>
}

export class Bindings {
  readonly #env: Env
  readonly #conditions: Condition[] = []
  /** `entry.column`, and `entry` for those of which one row is left. */
  readonly #bound = new Set<string>()

  /** @param bound expressions of this query that are bound from outside */
  constructor(scope: Scope, bound: readonly TreeNode[]) {
    this.#env = scope.env
    const tree = node(scope.query, 'jointree')
    if (tree) this.#collect(tree)
    for (const expression of bound) this.#bind(expression)
    this.#spread()
  }

  /** One row of this entry is left: all of its columns are bound. */
  bindEntry(index: number): void {
    this.#bound.add(String(index))
    this.#spread()
  }

  /** The numbers of the entry's columns that are bound. */
  columnsOf(index: number): ReadonlySet<number> {
    const prefix = `${index}.`
    return new Set(
      [...this.#bound].filter((key) => key.startsWith(prefix)).map((key) => Number(key.slice(prefix.length))),
    )
  }

  isBound(expression: TreeNode): boolean {
    return this.#isBound(canonical(expression, this.#env), 0)
  }

  /** Whether an index's expression, of which `1` is the entry, is compared with a value, as in `lower(email) = :email`. */
  isCompared(expression: TreeNode, index: number): boolean {
    const key = keyOf(withEntry(expression, index) as TreeNode, this.#env)
    if (key === null) return false
    return this.#conditions.some(
      (condition) =>
        condition.entries.has(index) &&
        equalities(condition.expression, this.#env).some(
          ([side, other]) => keyOf(side, this.#env) === key && (!other || this.isBound(other)),
        ),
    )
  }

  /** Whether a partial index's condition, of which `1` is the entry, is one of the query's own. */
  isKnown(predicate: TreeNode, index: number): boolean {
    const conditions = this.#conditions.filter(({ entries }) => entries.has(index))
    const known = new Set(conditions.map(({ expression }) => keyOf(expression, this.#env)))
    return termsOf(withEntry(predicate, index) as TreeNode).every((term) => {
      const key = keyOf(term, this.#env)
      return key !== null && known.has(key)
    })
  }

  /** JoinType: 0 inner, 1 left, 2 full, 3 right. The condition of an outer join binds its inner side only. */
  #collect(part: TreeNode): Set<number> {
    if (isNode(part, 'RANGETBLREF')) return new Set([int(part, 'rtindex')])
    if (isNode(part, 'FROMEXPR')) {
      const entries = new Set(nodes(part, 'fromlist').flatMap((item) => [...this.#collect(item)]))
      this.#addTerms(node(part, 'quals'), entries)
      return entries
    }
    const left = this.#collect(node(part, 'larg')!)
    const right = this.#collect(node(part, 'rarg')!)
    const both = new Set([...left, ...right])
    const entries = [both, right, new Set<number>(), left][int(part, 'jointype')]
    this.#addTerms(node(part, 'quals'), entries ?? new Set())
    return both
  }

  #addTerms(quals: TreeNode | null, entries: ReadonlySet<number>): void {
    if (quals) for (const expression of termsOf(quals)) this.#conditions.push({ expression, entries })
  }

  /** Until nothing is added. */
  #spread(): void {
    for (let before = -1; before !== this.#bound.size; ) {
      before = this.#bound.size
      for (const { expression, entries } of this.#conditions) {
        for (const [side, other] of equalities(expression, this.#env)) {
          if (other && !this.isBound(other)) continue
          const column = columnOf(side, this.#env)
          if (column && entries.has(column.entry)) this.#bound.add(`${column.entry}.${column.number}`)
        }
      }
    }
  }

  #bind(expression: TreeNode): void {
    const column = columnOf(expression, this.#env)
    if (column) this.#bound.add(`${column.entry}.${column.number}`)
  }

  /** Whether every column in it is bound; `depth` is how many queries further in we are. */
  #isBound(value: TreeValue, depth: number): boolean {
    if (value === null || typeof value === 'string') return true
    if (!isNode(value)) return value.every((item) => this.#isBound(item, depth))
    if (value.tag === 'VAR') {
      if (int(value, 'varlevelsup') !== depth) return true
      const entry = int(value, 'varno')
      return this.#bound.has(String(entry)) || this.#bound.has(`${entry}.${int(value, 'varattno')}`)
    }
    const called = calls.has(value.tag) ? calledFunction(value, this.#env.scope.context.catalog) : undefined
    // Evaluated anew for every row.
    if (called?.volatility === 'volatile') return false
    if (called && !defaultsOf(value, called).every((field) => this.#isBound(field, depth))) return false
    const inner = value.tag === 'QUERY' ? depth + 1 : depth
    return Object.values(value).every((field) => this.#isBound(field, inner))
  }
}

const calls = new Set(['FUNCEXPR', 'OPEXPR'])

/** The terms of an AND. */
function termsOf(condition: TreeNode): readonly TreeNode[] {
  if (!isNode(condition, 'BOOLEXPR') || text(condition, 'boolop') !== 'and') return [condition]
  return nodes(condition, 'args').flatMap(termsOf)
}

/** What a condition says is equal to what, both ways round; a flag is equal to a constant. */
function equalities(condition: TreeNode, env: Env): (readonly [TreeNode, TreeNode | null])[] {
  const [left, right] = nodes(condition, 'args')
  switch (condition.tag) {
    case 'OPEXPR': {
      const operator = env.scope.context.catalog.operators.get(int(condition, 'opno'))
      if (operator?.name !== '=' || !left || !right) return []
      const pairs = [
        [left, right],
        [right, left],
      ] as const
      return pairs.filter(([side]) => !isWidened(side, int(condition, 'inputcollid'), env))
    }
    case 'BOOLEXPR':
      return text(condition, 'boolop') === 'not' && left ? [[left, null]] : []
    case 'VAR':
      return [[condition, null]]
    default:
      return []
  }
}

/** Compared as citext or bpchar, or under a collation of somebody's own, more is equal than a key keeps apart. */
function isWidened(side: TreeNode, collation: number, env: Env): boolean {
  let plain = side
  for (; plain.tag === 'RELABELTYPE' || plain.tag === 'COLLATEEXPR'; plain = node(plain, 'arg')!) {
    const name = env.scope.context.catalog.types.get(int(plain, 'resulttype'))?.name
    if (name === 'bpchar' || name === 'citext') return true
  }
  const own = plain.tag === 'VAR' ? int(plain, 'varcollid') : int(plain, 'funccollid')
  return !isDeterministic(collation) && collation !== own
}

function columnOf(expression: TreeNode, env: Env): { entry: number; number: number } | null {
  const plain = canonical(expression, env)
  if (!isNode(plain, 'VAR') || int(plain, 'varlevelsup') > 0) return null
  return { entry: int(plain, 'varno'), number: int(plain, 'varattno') }
}

/** The expressions of a table's own have 1 for the table. */
function withEntry(value: TreeValue, index: number): TreeValue {
  if (value === null || typeof value === 'string') return value
  if (Array.isArray(value)) return value.map((item) => withEntry(item, index))
  const changed = Object.fromEntries(
    Object.entries(value as TreeNode).map(([field, inner]) => [field, withEntry(inner, index)]),
  ) as TreeNode
  return isNode(changed, 'VAR') ? { ...changed, varno: String(index) } : changed
}
