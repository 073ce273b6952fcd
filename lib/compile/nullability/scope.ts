// Where an expression stands. A scope is one query level: its range table, its join tree, the level around it. An `Env`
// is a place in it: the scope, and what is known of the rows there.

import type { Catalog } from '../catalog.ts'
import type { Nullability, TreeNode } from '../model.ts'
import { bool, int, isNode, node, nodes, text } from '../tree.ts'
import { whenTrue } from './conditions.ts'
import { both, type Facts, knownOnMatch, nothing } from './facts.ts'

/** What does not change within one analysis. */
export interface Context {
  readonly catalog: Catalog
  /** Of `$1`, `$2`, …: the statement's parameters, or the arguments of the SQL function whose body this is. */
  readonly params: readonly Nullability[]
  /** True for a statement's parameters: arrays hold no NULL then, because their TypeScript type has none. */
  readonly paramsAreTyped: boolean
  /** The output of recursive CTEs, assumed while their own recursive terms are analyzed. */
  readonly assumed: Map<TreeNode, readonly Nullability[]>
  /** SQL functions whose bodies are under analysis: they may call themselves. */
  readonly active: Set<number>
}

/** The context of a query without parameters: a view's, a constraint's. */
export function contextOf(catalog: Catalog): Context {
  return { catalog, params: [], paramsAreTyped: false, assumed: new Map(), active: new Set() }
}

export interface Env {
  readonly scope: Scope
  readonly facts: Facts
  /** In RETURNING, a target table's columns are the new row's. */
  readonly returning: boolean
  /** The outer joins that can null a column here, where the server does not say so (before 16). Null: all of them. */
  readonly joins: ReadonlySet<number> | null
  /** Behind GROUP BY with grouping sets, keys of what they may null, where the server does not say so (before 18). */
  readonly nulledGroups: ReadonlySet<string> | null
  /** False while CHECK constraints themselves are read: they may not be used to prove each other. */
  readonly withChecks: boolean
}

/** An outer join and the range table entries below each of its sides. */
export interface OuterJoin {
  readonly rtindex: number
  readonly type: 'left' | 'right' | 'full'
  readonly left: ReadonlySet<number>
  readonly right: ReadonlySet<number>
  readonly node: TreeNode
}

const joinTypes: Readonly<Record<number, OuterJoin['type'] | 'inner'>> = {
  0: 'inner',
  1: 'left',
  2: 'full',
  3: 'right',
}

export class Scope {
  readonly query: TreeNode
  /** Where this query stands in the one around it; null at the top, and for views. */
  readonly parent: Env | null
  readonly context: Context
  readonly rtable: readonly TreeNode[]
  /** By join index. */
  readonly outerJoins: ReadonlyMap<number, OuterJoin>
  /** Memo of this level's outputs and children; see `outputs.ts`. */
  outputs: readonly Nullability[] | null = null
  readonly children: Map<TreeNode, Scope> = new Map()
  /** The outputs of recursive WITH queries; see `ctes.ts`. */
  readonly recursive: Map<TreeNode, readonly Nullability[]> = new Map()
  #facts: Facts | 'busy' | null = null

  constructor(query: TreeNode, parent: Env | null, context: Context) {
    this.query = query
    this.parent = parent
    this.context = context
    this.rtable = nodes(query, 'rtable')
    this.outerJoins = findOuterJoins(node(query, 'jointree'))
  }

  /** What WHERE and the joins guarantee for every row that reaches GROUP BY and the target list. */
  get facts(): Facts {
    if (this.#facts === 'busy') return nothing
    if (this.#facts === null) {
      this.#facts = 'busy'
      const tree = node(this.query, 'jointree')
      this.#facts = tree ? joinTreeFacts(tree, this) : nothing
    }
    return this.#facts
  }

  /** Where the target list, GROUP BY and aggregates' arguments stand. */
  get env(): Env {
    return { scope: this, facts: this.facts, returning: false, joins: null, nulledGroups: null, withChecks: true }
  }

  /** The range table entry of that index, 1-based. */
  entry(index: number): TreeNode {
    const entry = this.rtable[index - 1]
    if (!entry) throw new RangeError(`the query has no range table entry ${index}`)
    return entry
  }

  /** The level below, for a subquery that stands in FROM or WITH; always the same for the same one. */
  child(query: TreeNode): Scope {
    const known = this.children.get(query)
    if (known) return known
    // A WITH query is read by others than the rows that pass this level's WHERE.
    const isCte = nodes(this.query, 'cteList').some((cte) => cte.ctequery === query)
    const scope = new Scope(query, isCte ? { ...this.env, facts: nothing } : this.env, this.context)
    this.children.set(query, scope)
    return scope
  }

  /** The name by which the query calls a range table entry. */
  nameOf(index: number): string {
    const eref = node(this.entry(index), 'eref')
    return (eref && text(eref, 'aliasname')) ?? 'a subquery'
  }
}

export function withFacts(env: Env, facts: Facts): Env {
  return facts === nothing ? env : { ...env, facts: both(env.facts, facts) }
}

/** The place `levels` queries further out, as an expression here sees it. */
export function envAt(env: Env, levels: number): Env {
  let at = env
  for (let left = levels; left > 0; left--) {
    if (!at.scope.parent) throw new RangeError(`a variable points ${levels} levels out, of ${levels - left}`)
    at = at.scope.parent
  }
  return at
}

/** Whether a fact is known here or at one of the places around it; `level` says how far out the key speaks of. */
export function isKnown(env: Env, kind: 'nonNull' | 'matched', level: number, key: string): boolean {
  let at: Env | null = env
  for (let left = level; at && left >= 0; left--) {
    if (at.facts[kind].has(`${left}.${key}`)) return true
    at = at.scope.parent
  }
  return false
}

/** What holds for every row that this part of the join tree gives. */
function joinTreeFacts(part: TreeNode, scope: Scope): Facts {
  const joins = new Set([...findOuterJoins(part).keys()])
  const env: Env = { scope, facts: nothing, returning: false, joins, nulledGroups: null, withChecks: true }
  const quals = node(part, 'quals')
  const condition = quals ? whenTrue(quals, env) : nothing
  if (isNode(part, 'FROMEXPR')) {
    return both(condition, ...nodes(part, 'fromlist').map((item) => joinTreeFacts(item, scope)))
  }
  if (!isNode(part, 'JOINEXPR')) return nothing
  const left = joinTreeFacts(node(part, 'larg')!, scope)
  const right = joinTreeFacts(node(part, 'rarg')!, scope)
  const join = int(part, 'rtindex')
  switch (joinTypes[int(part, 'jointype')]) {
    case 'inner':
      return both(condition, left, right)
    case 'left':
      return both(left, knownOnMatch(`0.${join}.right`, both(condition, right)))
    case 'right':
      return both(right, knownOnMatch(`0.${join}.left`, both(condition, left)))
    case 'full':
      // The ON clause holds only for rows with both sides; that is not tracked.
      return both(knownOnMatch(`0.${join}.left`, left), knownOnMatch(`0.${join}.right`, right))
    default:
      return nothing
  }
}

function findOuterJoins(part: TreeNode | null): Map<number, OuterJoin> {
  const joins = new Map<number, OuterJoin>()
  if (part) collect(part, joins)
  return joins
}

/** Adds the outer joins below to `joins`; answers the range table entries below, joins included. */
function collect(part: TreeNode, joins: Map<number, OuterJoin>): Set<number> {
  if (isNode(part, 'RANGETBLREF')) return new Set([int(part, 'rtindex')])
  if (isNode(part, 'FROMEXPR')) return new Set(nodes(part, 'fromlist').flatMap((item) => [...collect(item, joins)]))
  const left = collect(node(part, 'larg')!, joins)
  const right = collect(node(part, 'rarg')!, joins)
  const rtindex = int(part, 'rtindex')
  const type = joinTypes[int(part, 'jointype')] ?? 'full'
  if (type !== 'inner') joins.set(rtindex, { rtindex, type, left, right, node: part })
  return new Set([...left, ...right, rtindex])
}

/** The sides of outer joins (`join.side`) that null this column in rows where the join finds nothing. */
export function nullingSides(env: Env, variable: TreeNode): string[] {
  const scope = envAt(env, int(variable, 'varlevelsup')).scope
  const index = int(variable, 'varno')
  const sides: string[] = []
  for (const join of scope.outerJoins.values()) {
    if (!canNull(env, variable, join)) continue
    if (join.type !== 'right' && join.right.has(index)) sides.push(`${join.rtindex}.right`)
    if (join.type !== 'left' && join.left.has(index)) sides.push(`${join.rtindex}.left`)
  }
  return sides
}

function canNull(env: Env, variable: TreeNode, join: OuterJoin): boolean {
  const rels = variable.varnullingrels
  if (Array.isArray(rels)) return rels.includes(String(join.rtindex))
  return int(variable, 'varlevelsup') > 0 || env.joins === null || env.joins.has(join.rtindex)
}

/** True for SELECT; false for INSERT, UPDATE, DELETE and MERGE, whose columns are those of RETURNING. */
export function isSelect(query: TreeNode): boolean {
  return int(query, 'commandType') === 1
}

/** The target list's entries that a caller sees. */
export function visibleTargets(query: TreeNode): readonly TreeNode[] {
  const list = isSelect(query) ? 'targetList' : 'returningList'
  return nodes(query, list).filter((entry) => !bool(entry, 'resjunk'))
}
