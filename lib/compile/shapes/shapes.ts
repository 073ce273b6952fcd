// What is in a value, as the query's tree tells: rows, arrays and JSON documents that the query builds, through
// subqueries, WITH queries and views. An expression and its place in, a `Shape` out. Pure. What cannot be followed has
// the shape that its type says, which is always true.

import type { TreeNode } from '../model.ts'
import { viewScope } from '../nullability/baseColumns.ts'
import { branches, whenNonNull, whenTrue } from '../nullability/conditions.ts'
import { findCte } from '../nullability/ctes.ts'
import { verdictOf } from '../nullability/expressions.ts'
import { originOfExpression } from '../nullability/origins.ts'
import { outputEnv } from '../nullability/outputs.ts'
import { type Env, envAt, Scope, visibleTargets, withFacts } from '../nullability/scope.ts'
import { bool, int, isNode, list, node, nodes } from '../tree.ts'
import { shapeOfArray } from './arrays.ts'
import { emptyDocument, isNullConstant } from './constants.ts'
import { shapeOfJsonCall, shapeOfJsonConstructor, shapeOfJsonOperator } from './documents.ts'
import { columnTypes, oids, typeOf } from './expressionType.ts'
import { type Field, type Member, mergeAll, type Shape } from './model.ts'

/** The shape of an output column, 0-based; of all arms of a set operation together. */
export function shapeOfOutput(scope: Scope, index: number): Shape {
  const operations = node(scope.query, 'setOperations')
  const target = visibleTargets(scope.query)[index]
  if (operations && target) {
    const arms = armsOf(operations).map((arm) => scope.child(node(scope.entry(arm), 'subquery')!))
    const fallback = typeShape(typeOf(target, scope.context.catalog))
    return mergeAll(
      arms.map((arm) => shapeOfOutput(arm, index)),
      fallback,
    )
  }
  return shapeOf(node(target!, 'expr')!, outputEnv(scope))
}

/** The shape of the value of `expression` at `env`. */
export function shapeOf(expression: TreeNode, env: Env): Shape {
  const { catalog } = env.scope.context
  const oid = typeOf(expression, catalog)
  const type = catalog.types.get(oid)
  const isPlain = type && type.element === 0 && type.kind !== 'composite' && !isDocument(oid) && oid !== oids.record
  if (isPlain && oid !== oids.unknown) return { kind: 'type', oid, origin: originOfExpression(expression, env) }
  return shapeOfStructure(expression, oid, env)
}

/** An expression as a part of something else. */
export function memberOf(expression: TreeNode, env: Env): Member {
  return { shape: shapeOf(expression, env), nullability: verdictOf(expression, env) }
}

/** Where the arguments of an aggregate or window function stand: in front of the grouping, and behind the filter. */
export function argumentEnv(call: TreeNode, env: Env): Env {
  const at = isNode(call, 'AGGREF') ? env.scope.env : outputEnv(env.scope)
  const filter = node(call, 'aggfilter')
  return filter ? withFacts(at, whenTrue(filter, at)) : at
}

/** The first argument of an aggregate or window function; null for an aggregate of an outer query. */
export function argumentOf(call: TreeNode, index = 0): TreeNode | null {
  if (int(call, 'agglevelsup') > 0) return null
  const argument = nodes(call, 'args')[index]
  return argument && isNode(argument, 'TARGETENTRY') ? node(argument, 'expr') : (argument ?? null)
}

export function typeShape(oid: number): Shape {
  // A literal without a type comes out as text.
  return { kind: 'type', oid: oid === oids.unknown ? oids.text : oid, origin: null }
}

export function isDocument(oid: number): boolean {
  return oid === oids.json || oid === oids.jsonb
}

function shapeOfStructure(expression: TreeNode, oid: number, env: Env): Shape {
  const { catalog } = env.scope.context
  const asTyped: Shape = {
    ...typeShape(oid),
    ...(isNode(expression, 'VAR') && { origin: originOfExpression(expression, env) }),
  }
  switch (expression.tag) {
    case 'VAR':
      return shapeOfVariable(expression, env) ?? asTyped
    case 'CONST':
      return isNullConstant(expression) ? { kind: 'null' } : shapeOfConstant(expression, oid, env)
    case 'RELABELTYPE':
    case 'COLLATEEXPR':
      return shapeOf(node(expression, 'arg')!, env)
    case 'COERCEVIAIO': {
      // Between json and jsonb the content stays.
      const source = typeOf(node(expression, 'arg')!, catalog)
      return isDocument(source) && isDocument(oid) ? shapeOf(node(expression, 'arg')!, env) : asTyped
    }
    case 'COALESCEEXPR':
      return mergeAll(
        nodes(expression, 'args').map((arg) => shapeOf(arg, env)),
        asTyped,
      )
    case 'CASEEXPR':
      return mergeAll(
        branches(expression, env).map(({ result, at }) => shapeOf(result, at)),
        asTyped,
      )
    case 'NULLIFEXPR':
      return shapeOf(nodes(expression, 'args')[0]!, env)
    case 'SUBLINK':
      if (int(expression, 'subLinkType') === 4) return shapeOfOutput(subScope(expression, env), 0)
      return shapeOfArray(expression, oid, env) ?? asTyped
    case 'ROWEXPR':
      return shapeOfRow(expression, env)
    case 'FUNCEXPR':
      return shapeOfJsonCall(expression, env) ?? shapeOfArray(expression, oid, env) ?? asTyped
    case 'OPEXPR':
      return shapeOfJsonOperator(expression, env) ?? shapeOfArray(expression, oid, env) ?? asTyped
    case 'AGGREF':
    case 'WINDOWFUNC':
      return shapeOfJsonCall(expression, env) ?? shapeOfArray(expression, oid, env) ?? asTyped
    case 'JSONCONSTRUCTOREXPR':
      return isDocument(oid) ? (shapeOfJsonConstructor(expression, env) ?? asTyped) : asTyped
    case 'JSONVALUEEXPR':
      return shapeOf(node(expression, 'formatted_expr') ?? node(expression, 'raw_expr')!, env)
    default:
      return shapeOfArray(expression, oid, env) ?? asTyped
  }
}

function shapeOfConstant(constant: TreeNode, oid: number, env: Env): Shape {
  if (!isDocument(oid)) return shapeOfArray(constant, oid, env) ?? typeShape(oid)
  const content = emptyDocument(constant)
  if (content === null) return typeShape(oid)
  return { kind: 'json', content: content === '[]' ? { kind: 'empty array' } : { kind: 'object', fields: [] } }
}

/** The scope of a subquery in an expression. */
export function subScope(link: TreeNode, env: Env): Scope {
  return new Scope(node(link, 'subselect')!, env, env.scope.context)
}

/** What a column's name stands for; null for a table's own columns, of which the type says all. */
function shapeOfVariable(variable: TreeNode, env: Env): Shape | null {
  const owner = envAt(env, int(variable, 'varlevelsup'))
  const column = int(variable, 'varattno')
  const entry = owner.scope.entry(int(variable, 'varno'))
  if (column === 0) return shapeOfWholeRow(variable, entry, env)
  if (column < 0) return null
  switch (int(entry, 'rtekind')) {
    case 0: {
      const relation = env.scope.context.catalog.relations.get(int(entry, 'relid'))
      const view = relation && relation.kind !== 'table' ? viewScope(relation, env.scope.context) : null
      // What is written to a view comes back as its INSTEAD OF trigger likes.
      if (view && owner.returning && int(variable, 'varno') === int(owner.scope.query, 'resultRelation')) return null
      return view ? shapeOfOutput(view, column - 1) : shapeOfArray(variable, int(variable, 'vartype'), env)
    }
    case 1:
      return shapeOfOutput(owner.scope.child(node(entry, 'subquery')!), column - 1)
    case 2:
      return shapeOf(nodes(entry, 'joinaliasvars')[column - 1]!, owner)
    case 5: {
      const values = list(entry, 'values_lists').map((row) => (row as readonly TreeNode[])[column - 1]!)
      return mergeAll(
        values.map((value) => shapeOf(value, owner)),
        typeShape(int(variable, 'vartype')),
      )
    }
    case 6: {
      const found = findCte(entry, owner)
      if (!found || bool(found.cte, 'cterecursive')) return null
      const scope = found.home.scope.child(node(found.cte, 'ctequery')!)
      return column <= visibleTargets(scope.query).length ? shapeOfOutput(scope, column - 1) : null
    }
    case 9:
      return shapeOf(nodes(entry, 'groupexprs')[column - 1]!, owner)
    default:
      return null
  }
}

/** `select u`, `to_jsonb(u)`: an object of the columns, each as it is in a row that is there. */
function shapeOfWholeRow(variable: TreeNode, entry: TreeNode, env: Env): Shape | null {
  const { catalog } = env.scope.context
  const there = withFacts(env, whenNonNull(variable, env))
  const column = (name: string, number: number, type: number): Field => ({
    name,
    ...memberOf({ ...variable, varattno: String(number), vartype: String(type) }, there),
  })
  if (int(entry, 'rtekind') === 0) {
    const relation = catalog.relations.get(int(entry, 'relid'))
    if (!relation) return null
    return { kind: 'object', fields: relation.columns.map(({ name, number, type }) => column(name, number, type)) }
  }
  const alias = node(entry, 'eref')
  const names = alias ? list(alias, 'colnames').map(String) : []
  const types = columnTypes(entry, catalog)
  // Functions, of which the tree does not list all columns.
  if (types.length === 0 || types.length !== names.length) return null
  return { kind: 'object', fields: types.map((type, index) => column(names[index]!, index + 1, type)) }
}

/** `row(a, b)`: PostgreSQL calls its fields f1, f2, …, unless it was made one of a composite type. */
function shapeOfRow(row: TreeNode, env: Env): Shape {
  const { catalog } = env.scope.context
  const columns = catalog.relations.get(catalog.types.get(int(row, 'row_typeid'))?.relation ?? 0)?.columns
  const fields = nodes(row, 'args').flatMap((arg, index): Field[] => {
    const column = columns?.find((candidate) => candidate.number === index + 1)
    // Of a composite type, a column that was dropped still has its place.
    if (columns && !column) return []
    return [{ name: column?.name ?? `f${index + 1}`, ...memberOf(arg, env) }]
  })
  return { kind: 'object', fields }
}

/** The range table indexes of a set operation's arms. */
function armsOf(part: TreeNode): number[] {
  if (!isNode(part, 'SETOPERATIONSTMT')) return [int(part, 'rtindex')]
  return [...armsOf(node(part, 'larg')!), ...armsOf(node(part, 'rarg')!)]
}
