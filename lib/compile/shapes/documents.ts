// The shapes of JSON documents that a query builds, by the functions that build them. Sources: json.c and jsonb.c.

import type { TreeNode } from '../model.ts'
import type { Env } from '../nullability/scope.ts'
import { nonNull } from '../nullability/verdict.ts'
import { bool, int, node, nodes } from '../tree.ts'
import { calledName } from './arrays.ts'
import { constantText } from './constants.ts'
import type { Field, Member, Shape } from './model.ts'
import { argumentEnv, argumentOf, memberOf } from './shapes.ts'

/** The shape of a call of a function or an aggregate that makes JSON; null for all others. */
export function shapeOfJsonCall(call: TreeNode, env: Env): Shape | null {
  const args = nodes(call, 'args')
  const [first] = args
  const name = calledName(call, env)
  switch (name?.replace(/^jsonb/, 'json')) {
    case 'json_build_object':
      return bool(call, 'funcvariadic') ? null : shapeOfPairs(args, env, false)
    case 'json_build_array':
      if (bool(call, 'funcvariadic')) return null
      return document({ kind: 'tuple', elements: args.map((arg) => partOf(arg, env)) })
    case 'to_json':
    case 'array_to_json':
    case 'row_to_json':
      return first ? document(partOf(first, env).shape) : null
    case 'json_agg':
      return shapeOfAggregate(call, env, false)
    case 'json_agg_strict':
      return shapeOfAggregate(call, env, true)
    case 'json_object_agg':
    case 'json_object_agg_unique':
    case 'json_object_agg_strict':
    case 'json_object_agg_unique_strict': {
      const value = argumentOf(call, 1)
      const isStrict = name?.endsWith('_strict') ?? false
      return (
        value && document({ kind: 'record', element: withoutNull(partOf(value, argumentEnv(call, env)), isStrict) })
      )
    }
    default:
      // `to_jsonb` has its `b` at the end.
      return name === 'to_jsonb' && first ? document(partOf(first, env).shape) : null
  }
}

/** The constructors of the SQL standard: `json_object('id': id)`, `json_array(…)`, `json_arrayagg(…)`. */
export function shapeOfJsonConstructor(made: TreeNode, env: Env): Shape | null {
  const args = nodes(made, 'args')
  const isAbsentOnNull = bool(made, 'absent_on_null')
  // JsonConstructorType: 1 object, 2 array, 3 objectagg, 4 arrayagg, 5 parse, 6 scalar, 7 serialize.
  switch (int(made, 'type')) {
    case 1:
      return shapeOfPairs(args, env, isAbsentOnNull)
    case 2: {
      const elements = args.map((arg) => partOf(arg, env))
      // Elements that may be left out move the others.
      if (isAbsentOnNull && elements.some((element) => element.nullability.nullable)) return null
      return document({ kind: 'tuple', elements })
    }
    case 3:
    case 4: {
      const call = node(made, 'func')
      return call && shapeOfJsonCall(call, env)
    }
    case 6:
      return args[0] ? document(partOf(args[0], env).shape) : null
    default:
      return null
  }
}

/** `to_jsonb(u) || jsonb_build_object(…)`, `to_jsonb(u) - 'password'`. */
export function shapeOfJsonOperator(operation: TreeNode, env: Env): Shape | null {
  const [left, right] = nodes(operation, 'args')
  if (!left || !right) return null
  const from = partOf(left, env).shape
  switch (calledName(operation, env)) {
    case 'jsonb_concat': {
      const added = partOf(right, env).shape
      if (from.kind !== 'object' || added.kind !== 'object') return null
      const names = new Set(added.fields.map((field) => field.name))
      return document({
        kind: 'object',
        fields: [...from.fields.filter((field) => !names.has(field.name)), ...added.fields],
      })
    }
    case 'jsonb_delete': {
      const key = constantText(right)
      if (from.kind !== 'object' || key === null) return null
      return document({ kind: 'object', fields: from.fields.filter((field) => field.name !== key) })
    }
    default:
      return null
  }
}

function shapeOfAggregate(call: TreeNode, env: Env, isStrict: boolean): Shape | null {
  const argument = argumentOf(call)
  if (!argument) return null
  const element = withoutNull(partOf(argument, argumentEnv(call, env)), isStrict)
  return document({ kind: 'array', element, origin: null })
}

/** Of keys that are there twice, the last one counts: to JavaScript's JSON.parse and to jsonb. */
function shapeOfPairs(args: readonly TreeNode[], env: Env, isAbsentOnNull: boolean): Shape | null {
  const fields = new Map<string, Field>()
  for (let index = 0; index < args.length; index += 2) {
    const name = constantText(args[index])
    const value = args[index + 1]
    if (name === null || !value) return null
    const part = partOf(value, env)
    if (isAbsentOnNull && part.nullability.nullable) return null
    fields.delete(name)
    fields.set(name, { name, ...part })
  }
  return document({ kind: 'object', fields: [...fields.values()] })
}

/** An SQL value inside of a document: what was a document of its own is a part of the new one. */
function partOf(expression: TreeNode, env: Env): Member {
  const { shape, nullability } = memberOf(expression, env)
  return { shape: contentOf(shape), nullability }
}

function contentOf(shape: Shape): Shape {
  return shape.kind === 'json' ? shape.content : shape
}

function withoutNull(member: Member, isStrict: boolean): Member {
  return isStrict ? { ...member, nullability: nonNull('nulls are left out') } : member
}

function document(content: Shape): Shape {
  return { kind: 'json', content: contentOf(content) }
}
