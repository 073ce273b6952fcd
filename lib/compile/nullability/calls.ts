// The verdict on a call of a function or operator: only those that are known never to give NULL for non-null arguments
// pass (`neverNull.ts`), and SQL functions whose bodies say so.

import { calledFunction } from '../calledFunction.ts'
import type { Catalog } from '../catalog.ts'
import type { Nullability, TreeNode } from '../model.ts'
import { bool, int, isNode, nodes, text } from '../tree.ts'
import { verdictOf } from './expressions.ts'
import { neverNullRule } from './neverNull.ts'
import { hasSeveralSets } from './outputs.ts'
import type { Env } from './scope.ts'
import { verdictOfSetColumn } from './setFunctions.ts'
import { sqlFunctionVerdict } from './sqlFunctions.ts'
import { allOf, anyOf, nullable } from './verdict.ts'

export function verdictOfCall(
  call: TreeNode,
  env: Env,
  verdictOfArgument: (arg: TreeNode, env: Env) => Nullability = verdictOf,
): Nullability {
  const { catalog } = env.scope.context
  const called = calledFunction(call, catalog)
  if (!called) return nullable('the function gives null')
  if (bool(call, 'funcretset') || bool(call, 'opretset')) {
    if (hasSeveralSets(env.scope)) return nullable('the function gives fewer rows than another one')
    return verdictOfSetColumn(call, 0, env)
  }
  const args = nodes(call, 'args')
  const operator = catalog.operators.get(int(call, 'opno'))
  const name = operator?.name ?? `${called.name}()`
  const verdicts = args.map((arg) => verdictOfArgument(arg, env))
  const reason = `${name} of values is a value`
  const rule = neverNullRule(called, operator?.name ?? null, catalog)
  if (rule === 'some') return anyOf(verdicts, reason)
  if (rule !== null) {
    // VARIADIC null::text[] makes even concat() NULL.
    const isNeeded = (index: number): boolean =>
      rule === 'all' ||
      rule.includes(positionOf(args, index)) ||
      (bool(call, 'funcvariadic') && index === args.length - 1)
    return allOf(
      verdicts.filter((_, index) => isNeeded(index)),
      reason,
    )
  }
  if (called.schema === 'pg_catalog' && dependsOnConstant(called.name, args, catalog)) return allOf(verdicts, reason)
  if (called.language === 'sql') return sqlFunctionVerdict(called, 0, call, env)
  return nullable(`${operator ? `the operator ${name}` : name} gives null`)
}

/** `make_interval(days => 3)`: an argument that is given by name keeps its own position. */
function positionOf(args: readonly TreeNode[], index: number): number {
  const arg = args[index]
  return arg?.tag === 'NAMEDARGEXPR' ? int(arg, 'argnumber') : index
}

/** The fields of which infinity has a value: it is infinite, as epoch and year are. The hour of infinity is NULL. */
const infiniteFields: Readonly<Record<string, readonly string[]>> = {
  timestamp: ['epoch', 'julian', 'year', 'isoyear', 'decade', 'century', 'millennium'],
  interval: ['epoch', 'year', 'decade', 'century', 'millennium'],
}

/** Functions that give NULL for some formats and fields only, which are constants almost always. */
function dependsOnConstant(name: string, args: readonly TreeNode[], catalog: Catalog): boolean {
  if (name === 'extract' || name === 'date_part') {
    const field = constantText(args[0])?.toLowerCase()
    const type = typeName(args[1], catalog)
    if (field === undefined) return false
    if (type === 'time' || type === 'timetz') return true
    return (infiniteFields[type === 'interval' ? type : 'timestamp'] ?? []).includes(field)
  }
  // An empty format gives NULL, and so do infinite times: numbers with a format are left.
  if (name === 'to_char') {
    const isNumber = ['int4', 'int8', 'numeric', 'float4', 'float8'].includes(typeName(args[0], catalog))
    return isNumber && Boolean(constantText(args[1]))
  }
  return name === 'to_number' && Boolean(constantText(args[1]))
}

/** The text of a constant of type text: a length of four bytes, then its own. */
function constantText(constant: TreeNode | undefined): string | undefined {
  if (!isNode(constant, 'CONST') || bool(constant, 'constisnull') || int(constant, 'consttype') !== 25) return undefined
  const bytes = (text(constant, 'constvalue') ?? '').split(' ').slice(2, -1).map(Number)
  return Buffer.from(bytes.slice(4).map((byte) => byte & 0xff)).toString('utf8')
}

function typeName(expression: TreeNode | undefined, catalog: Catalog): string {
  return catalog.types.get(expression ? typeOf(expression) : 0)?.name ?? ''
}

/** The type of an expression, from whichever field its node keeps it in. */
function typeOf(expression: TreeNode): number {
  const fields = [
    'vartype',
    'consttype',
    'paramtype',
    'funcresulttype',
    'opresulttype',
    'resulttype',
    'coalescetype',
    'aggtype',
  ]
  const field = fields.find((name) => text(expression, name) !== null)
  return field ? int(expression, field) : 0
}
