// The shapes of SQL arrays: what their elements are, and whether one of them can be NULL.

import { calledFunction } from '../calledFunction.ts'
import type { Relation } from '../catalog.ts'
import { isVector } from '../catalogTypes.ts'
import type { Nullability, TreeNode } from '../model.ts'
import { verdictOf, verdictOfElements } from '../nullability/expressions.ts'
import { originOfExpression } from '../nullability/origins.ts'
import { verdictOfOutput } from '../nullability/outputs.ts'
import { type Env, envAt } from '../nullability/scope.ts'
import { allOf, nonNull, nullable } from '../nullability/verdict.ts'
import { bool, int, isNode, node, nodes } from '../tree.ts'
import { isFlatArray, isNullConstant } from './constants.ts'
import { type Member, mergeAll, type Shape } from './model.ts'
import { argumentEnv, argumentOf, memberOf, shapeOf, shapeOfOutput, subScope, typeShape } from './shapes.ts'

/** The shape of an expression whose type is an array; null if no more is known of it than that. */
export function shapeOfArray(expression: TreeNode, oid: number, env: Env): Shape | null {
  const type = env.scope.context.catalog.types.get(oid)
  if (!type || type.element === 0 || isVector(type)) return null
  const elementType = type.element
  if (isNode(expression, 'VAR')) return shapeOfColumn(expression, elementType, env)
  const element = elementOf(expression, elementType, env)
  return element && { kind: 'array', element, origin: null }
}

function elementOf(expression: TreeNode, elementType: number, env: Env): Member | null {
  const typed = (nullability: Nullability): Member => ({ shape: typeShape(elementType), nullability })
  switch (expression.tag) {
    case 'ARRAYEXPR': {
      const elements = nodes(expression, 'elements')
      const isNested = bool(expression, 'multidims')
      return {
        shape: mergeAll(
          elements.map((element) => shapeOf(element, env)),
          typeShape(isNested ? int(expression, 'array_typeid') : elementType),
        ),
        nullability: isNested
          ? nonNull('PostgreSQL has no null among inner arrays')
          : allOf(
              elements.map((element) => verdictOf(element, env)),
              'no element is null',
            ),
      }
    }
    case 'SUBLINK': {
      const scope = subScope(expression, env)
      return { shape: shapeOfOutput(scope, 0), nullability: verdictOfOutput(scope, 0) }
    }
    case 'AGGREF':
    case 'WINDOWFUNC': {
      const argument = argumentOf(expression)
      return argument && calledName(expression, env) === 'array_agg'
        ? memberOf(argument, argumentEnv(expression, env))
        : null
    }
    case 'FUNCEXPR':
    case 'OPEXPR':
      return elementOfCall(expression, elementType, env)
    case 'CONST':
      return isFlatArray(expression) ? typed(verdictOfElements(expression, env)) : null
    case 'ARRAYCOERCEEXPR': {
      const inner = shapeOf(node(expression, 'arg')!, env)
      return inner.kind === 'array' ? typed(inner.element.nullability) : null
    }
    default:
      return null
  }
}

/** Functions that keep NULL out of what they give, or say what else goes in. `||` is one of three. */
function elementOfCall(call: TreeNode, elementType: number, env: Env): Member | null {
  const [array, element] = nodes(call, 'args')
  if (!array || !element) return null
  const inner = (of = array): Member => {
    const shape = shapeOf(of, env)
    if (shape.kind === 'array') return shape.element
    return { shape: typeShape(elementType), nullability: nullable('the array holds nulls') }
  }
  switch (calledName(call, env)) {
    case 'array_remove':
      return isNullConstant(element) ? { ...inner(), nullability: nonNull('array_remove took them out') } : inner()
    case 'array_append':
      return eitherOf(inner(), memberOf(element, env), elementType)
    case 'array_prepend':
      return eitherOf(memberOf(array, env), inner(element), elementType)
    case 'array_cat': {
      // A NULL among the two adds nothing. Of arrays with different dimensions one is an element of the other.
      const both = [array, element].filter((part) => !isNullConstant(part)).map((part) => inner(part))
      const [first, second = first] = both
      const areAlike = (first?.shape.kind === 'array') === (second?.shape.kind === 'array')
      return first && second && areAlike ? eitherOf(first, second, elementType) : null
    }
    case 'string_to_array':
      // A third argument is the text that stands for NULL.
      return nodes(call, 'args').length === 2
        ? { shape: typeShape(elementType), nullability: nonNull('parts of a text') }
        : null
    case 'regexp_split_to_array':
      return { shape: typeShape(elementType), nullability: nonNull('parts of a text') }
    default:
      return null
  }
}

/** An element of an array that was put together. */
function eitherOf(a: Member, b: Member, elementType: number): Member {
  return {
    shape: mergeAll([a.shape, b.shape], typeShape(elementType)),
    nullability: allOf([a.nullability, b.nullability], 'no element is null'),
  }
}

/** The name of one of PostgreSQL's own functions, aggregates and window functions. */
export function calledName(call: TreeNode, env: Env): string | null {
  const { catalog } = env.scope.context
  const field = { AGGREF: 'aggfnoid', WINDOWFUNC: 'winfnoid' }[call.tag]
  const called = field ? catalog.functions.get(int(call, field)) : calledFunction(call, catalog)
  return called?.schema === 'pg_catalog' ? called.name : null
}

/** A table's column: its declared dimensions, and what a CHECK constraint says of its elements. */
function shapeOfColumn(variable: TreeNode, elementType: number, env: Env): Shape | null {
  const { catalog } = env.scope.context
  const entry = envAt(env, int(variable, 'varlevelsup')).scope.entry(int(variable, 'varno'))
  const relation = catalog.relations.get(int(entry, 'relid'))
  const column = relation?.columns.find((candidate) => candidate.number === int(variable, 'varattno'))
  if (!relation || !column) return null
  const withDescendants = bool(entry, 'inh') && relation.descendants.length > 0
  const origin = originOfExpression(variable, env)
  let element: Member = {
    shape: typeShape(elementType),
    nullability: refusesNullElements(relation, column.number, withDescendants)
      ? nonNull(`a CHECK constraint of ${relation.name} excludes null elements`)
      : nullable('the array holds nulls'),
  }
  for (let depth = 1; depth < column.dimensions; depth++) {
    element = {
      shape: { kind: 'array', element, origin: null },
      nullability: nonNull('PostgreSQL has no null among inner arrays'),
    }
  }
  return { kind: 'array', element, origin }
}

/** `check (array_position(tags, null) is null)`, which also refuses arrays of several dimensions. */
function refusesNullElements(relation: Relation, column: number, withDescendants: boolean): boolean {
  if (relation.kind === 'foreign table') return false
  return relation.checks.some(({ tree, noInherit }) => {
    if (noInherit && withDescendants) return false
    const terms = isNode(tree, 'BOOLEXPR') && tree.boolop === 'and' ? nodes(tree, 'args') : [tree]
    return terms.some((term) => isPositionOfNull(term, column))
  })
}

const arrayPosition = 3277

function isPositionOfNull(term: TreeNode, column: number): boolean {
  // NullTestType 0 is IS NULL.
  const call = isNode(term, 'NULLTEST') && int(term, 'nulltesttype') === 0 ? node(term, 'arg') : null
  if (!isNode(call ?? undefined, 'FUNCEXPR') || int(call!, 'funcid') !== arrayPosition) return false
  const [array, element] = nodes(call!, 'args')
  const inner = isNode(array, 'RELABELTYPE') ? node(array, 'arg')! : array
  return isNode(inner, 'VAR') && int(inner, 'varattno') === column && element !== undefined && isNullConstant(element)
}
