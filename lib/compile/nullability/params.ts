// Where the parameters of a statement go, and what follows for NULL: a target column that is NOT NULL refuses it, a nullable
// one accepts it, a comparison with it could never be true, `is null`, `is distinct from` and `coalesce` expect it.

import type { Nullability, Origin, TreeNode, TreeValue } from '../model.ts'
import { bool, int, isNode, list, node, nodes } from '../tree.ts'
import { columnRefusesNull, viewScope } from './baseColumns.ts'
import { findCte } from './ctes.ts'
import { canonical } from './keys.ts'
import { originOfExpression, originOfRelationColumn } from './origins.ts'
import { type Env, isSelect, Scope, visibleTargets } from './scope.ts'
import { nonNull, nullable } from './verdict.ts'

/** What a statement does with a value. */
export interface Use {
  /** `refused` and `accepted` by a target column, `expected` by an explicit test, `compared`: NULL would never match. */
  readonly kind: 'refused' | 'accepted' | 'expected' | 'compared'
  readonly reason: string
  /** The target column, or the one it is compared with. */
  readonly origin: Origin | null
  /** True if it is the elements of an array that are compared. */
  readonly ofElements: boolean
}

/** Every use of every parameter, by its number. Uses that say nothing of NULL are left out. */
export function usesOfParams(scope: Scope): ReadonlyMap<number, readonly Use[]> {
  const uses = new Map<number, Use[]>()
  new Walk(uses).query(scope, [])
  return uses
}

/** What the uses of a parameter come to. */
export function verdictOfUses(uses: readonly Use[]): Nullability {
  const find = (kind: Use['kind']): Use | undefined => uses.find((use) => use.kind === kind)
  const deciding = find('refused') ?? find('expected') ?? find('compared') ?? find('accepted')
  if (!deciding) return nonNull('nothing says that it accepts null')
  return deciding.kind === 'refused' || deciding.kind === 'compared'
    ? nonNull(deciding.reason)
    : nullable(deciding.reason)
}

/** What becomes of a query's output columns: each may be written to columns of tables. */
type Sinks = readonly (readonly Use[] | undefined)[]

class Walk {
  readonly #uses: Map<number, Use[]>
  /** What becomes of the columns of WITH queries; those are walked after the queries that read them. */
  readonly #cteSinks = new Map<TreeNode, Use[][]>()

  constructor(uses: Map<number, Use[]>) {
    this.#uses = uses
  }

  query(scope: Scope, sinks: Sinks): void {
    const { query, env } = scope
    const entrySinks = new Map<number, Use[][]>()
    const into = (expression: TreeNode, uses: readonly Use[] = []): void =>
      this.#output(expression, uses, env, entrySinks)

    if (!isSelect(query)) this.#assignments(scope, into)
    else for (const [index, target] of visibleTargets(query).entries()) into(node(target, 'expr')!, sinks[index])
    for (const target of nodes(query, 'returningList')) this.#expression(node(target, 'expr')!, [], env)
    for (const target of nodes(query, 'targetList')) {
      if (isSelect(query) && bool(target, 'resjunk')) this.#expression(node(target, 'expr')!, [], env)
    }
    for (const field of otherParts) this.#any(query[field], env)

    if (node(query, 'setOperations')) this.#arms(node(query, 'setOperations')!, scope, sinks)
    scope.rtable.forEach((entry, index) => {
      this.#entry(entry, scope, entrySinks.get(index + 1) ?? [])
    })
    for (const cte of [...nodes(query, 'cteList')].reverse()) {
      this.query(scope.child(node(cte, 'ctequery')!), this.#cteSinks.get(cte) ?? [])
    }
  }

  /** INSERT, UPDATE, MERGE and ON CONFLICT DO UPDATE: expressions and the columns they are for. */
  #assignments(scope: Scope, into: (expression: TreeNode, uses: readonly Use[]) => void): void {
    const { query } = scope
    const entry = scope.entry(int(query, 'resultRelation'))
    const conflict = node(query, 'onConflict')
    const lists = [
      ...(int(query, 'commandType') === 4 ? [] : [nodes(query, 'targetList')]),
      ...(conflict ? [nodes(conflict, 'onConflictSet')] : []),
      ...nodes(query, 'mergeActionList').map((action) => nodes(action, 'targetList')),
    ]
    for (const target of lists.flat()) {
      const expression = node(target, 'expr')!
      into(expression, bool(target, 'resjunk') ? [] : targetUses(int(entry, 'relid'), int(target, 'resno'), scope))
    }
    if (conflict)
      for (const field of ['arbiterElems', 'arbiterWhere', 'onConflictWhere']) this.#any(conflict[field], scope.env)
    for (const action of nodes(query, 'mergeActionList')) this.#any(action.qual, scope.env)
  }

  /** An output expression. A column of a subquery hands its use on to what the subquery puts there. */
  #output(expression: TreeNode, uses: readonly Use[], env: Env, entrySinks: Map<number, Use[][]>): void {
    const plain = canonical(expression, env)
    if (isNode(plain, 'VAR') && int(plain, 'varlevelsup') === 0 && int(plain, 'varattno') > 0) {
      const index = int(plain, 'varno')
      addUses(entrySinks, index, int(plain, 'varattno') - 1, uses)
      return
    }
    // A cast between a subquery's column and its target.
    const [first] = nodes(plain, 'args')
    const inner = isCast(plain) ? (node(plain, 'arg') ?? first) : null
    if (inner && isNode(canonical(inner, env), 'VAR')) this.#output(inner, uses, env, entrySinks)
    else this.#expression(expression, uses, env)
  }

  #entry(entry: TreeNode, scope: Scope, sinks: Sinks): void {
    switch (int(entry, 'rtekind')) {
      case 1:
        // The arms of a set operation are walked with it.
        if (!node(scope.query, 'setOperations')) this.query(scope.child(node(entry, 'subquery')!), sinks)
        return
      case 5:
        for (const row of list(entry, 'values_lists')) {
          if (!Array.isArray(row)) continue
          row.forEach((value: TreeValue, index) => {
            if (isNode(value)) this.#expression(value, sinks[index] ?? [], scope.env)
          })
        }
        return
      case 6: {
        const found = findCte(entry, scope.env)
        if (found) for (const [index, uses] of sinks.entries()) addUses(this.#cteSinks, found.cte, index, uses ?? [])
        return
      }
      default:
        this.#any(entry.functions, scope.env)
        this.#any(entry.tablefunc, scope.env)
        this.#any(entry.tablesample, scope.env)
    }
  }

  #arms(part: TreeNode, scope: Scope, sinks: Sinks): void {
    if (isNode(part, 'SETOPERATIONSTMT')) {
      this.#arms(node(part, 'larg')!, scope, sinks)
      this.#arms(node(part, 'rarg')!, scope, sinks)
    } else {
      this.query(scope.child(node(scope.entry(int(part, 'rtindex')), 'subquery')!), sinks)
    }
  }

  #any(value: TreeValue | undefined, env: Env): void {
    if (isNode(value)) this.#expression(value, [], env)
    else if (Array.isArray(value)) for (const item of value) this.#any(item, env)
  }

  /** An expression, and what is done with its value. */
  #expression(expression: TreeNode, uses: readonly Use[], env: Env): void {
    const args = nodes(expression, 'args')
    const visit = (part: TreeNode | null | undefined, partUses: readonly Use[]): void => {
      if (part) this.#expression(part, partUses, env)
    }
    switch (expression.tag) {
      case 'PARAM':
        if (int(expression, 'paramkind') === 0) this.#record(int(expression, 'paramid'), uses)
        return
      case 'OPEXPR':
        // Only what is compared: `price * :factor` says nothing of NULL.
        if (int(expression, 'opresulttype') !== boolOid || args.length !== 2) break
        visit(args[0], [compared(args[1]!, env)])
        visit(args[1], [compared(args[0]!, env)])
        return
      case 'SCALARARRAYOPEXPR':
        visit(args[0], [compared(args[1]!, env)])
        visit(args[1], [{ ...compared(args[0]!, env), ofElements: true }])
        return
      case 'DISTINCTEXPR': {
        const { kind, reason } = expected('is distinct from expects null')
        visit(args[0], [{ ...compared(args[1]!, env), kind, reason }])
        visit(args[1], [{ ...compared(args[0]!, env), kind, reason }])
        return
      }
      case 'NULLTEST':
        visit(node(expression, 'arg'), [expected('the query tests it for null')])
        return
      case 'COALESCEEXPR':
        args.forEach((arg, index) => {
          const origin = uses[0]?.origin ?? null
          visit(arg, index < args.length - 1 ? [{ ...expected('coalesce expects null'), origin }] : uses)
        })
        return
      case 'CASEEXPR':
        visit(node(expression, 'arg'), [])
        for (const when of args) {
          visit(node(when, 'expr'), [])
          visit(node(when, 'result'), uses)
        }
        visit(node(expression, 'defresult'), uses)
        return
      case 'NULLIFEXPR':
        visit(args[0], uses)
        visit(args[1], [])
        return
      case 'COERCETODOMAIN': {
        const domain = env.scope.context.catalog.types.get(int(expression, 'resulttype'))
        const reason = `the domain ${domain?.name} refuses null`
        const refused: Use = { kind: 'refused', reason, origin: uses[0]?.origin ?? null, ofElements: false }
        visit(node(expression, 'arg'), domain?.notNull ? [refused] : uses)
        return
      }
      case 'SUBLINK':
        visit(node(expression, 'testexpr'), [])
        this.query(new Scope(node(expression, 'subselect')!, env, env.scope.context), [])
        return
    }
    if (isCast(expression)) {
      visit(node(expression, 'arg') ?? args[0], uses)
      return
    }
    for (const [field, part] of Object.entries(expression)) if (field !== 'tag') this.#any(part, env)
  }

  #record(index: number, uses: readonly Use[]): void {
    this.#uses.set(index, [...(this.#uses.get(index) ?? []), ...uses])
  }
}

/** Adds to what becomes of a column (0-based) of a range table entry or a WITH query. */
function addUses<Key>(sinks: Map<Key, Use[][]>, key: Key, column: number, uses: readonly Use[]): void {
  const columns = sinks.get(key) ?? []
  columns[column] = [...(columns[column] ?? []), ...uses]
  sinks.set(key, columns)
}

const boolOid = 16

/** The parts of a Query that hold expressions besides its target lists, range table and WITH queries. */
const otherParts = ['jointree', 'havingQual', 'limitOffset', 'limitCount', 'windowClause', 'mergeJoinCondition']

/** A change of type that keeps NULL NULL. CoercionForm 1 and 2: a function that is called by a cast. */
function isCast(expression: TreeNode): boolean {
  if (expression.tag === 'FUNCEXPR') return [1, 2].includes(int(expression, 'funcformat'))
  return ['RELABELTYPE', 'COERCEVIAIO', 'ARRAYCOERCEEXPR', 'COLLATEEXPR'].includes(expression.tag)
}

function expected(reason: string): Use {
  return { kind: 'expected', reason, origin: null, ofElements: false }
}

function compared(other: TreeNode, env: Env): Use {
  const origin = originOfExpression(canonical(other, env), env)
  const what = origin ? `${origin.table}.${origin.column}` : 'something'
  return { kind: 'compared', reason: `compared with ${what}: null would never match`, origin, ofElements: false }
}

/** What a column of a table does with what is written to it; through an updatable view, the table's column behind it. */
function targetUses(oid: number, number: number, scope: Scope): Use[] {
  const { context } = scope
  const relation = context.catalog.relations.get(oid)
  const column = relation?.columns.find((candidate) => candidate.number === number)
  if (!relation || !column) return []
  if (relation.kind === 'view') {
    const view = viewScope(relation, context)
    const target = view ? visibleTargets(view.query)[number - 1] : undefined
    const expression = target ? node(target, 'expr') : null
    if (!view || !isNode(expression, 'VAR')) return []
    return targetUses(int(view.entry(int(expression, 'varno')), 'relid'), int(expression, 'varattno'), view)
  }
  const name = `${relation.name}.${column.name}`
  const origin = originOfRelationColumn(relation, column)
  return columnRefusesNull(relation, column, context)
    ? [{ kind: 'refused', reason: `${name} refuses null`, origin, ofElements: false }]
    : [{ kind: 'accepted', reason: `${name} accepts null`, origin, ofElements: false }]
}
