// The verdict on a call of a function written in SQL: its body is a query like any other, over the call's arguments.

import type { CatalogFunction } from '../catalog.ts'
import type { Nullability, TreeNode } from '../model.ts'
import { int, node, nodes } from '../tree.ts'
import { verdictOf } from './expressions.ts'
import { verdictsOfOutputs } from './outputs.ts'
import { alwaysHasRow } from './rowCount.ts'
import { type Context, type Env, Scope } from './scope.ts'
import { nonNull, nullable } from './verdict.ts'

/** The verdict on a column (0-based) of what the call gives; a scalar is column 0. */
export function sqlFunctionVerdict(called: CatalogFunction, column: number, call: TreeNode, env: Env): Nullability {
  const { context } = env.scope
  const name = `${called.name}()`
  const body = context.catalog.sqlBody(called.oid)
  if (!body || context.active.has(called.oid)) return nullable(`${name} gives null`)

  const returned = context.catalog.types.get(called.returnType)
  if (returned?.name === 'void') return nullable(`${name} returns nothing`)

  const args = verdictsOfArguments(called, call, env)
  const nullArgument = args.find((verdict) => verdict.nullable)
  // A strict function is not called with NULL; one that returns a set then has no rows.
  if (called.strict && !called.returnsSet && nullArgument) return nullArgument
  const params = called.strict ? args.map(() => nonNull('the function is strict')) : args

  context.active.add(called.oid)
  try {
    const scope = new Scope(body, null, { ...context, params, paramsAreTyped: false })
    const outputs = verdictsOfOutputs(scope)
    const isRow = returned?.kind === 'composite' || returned?.name === 'record'
    // A body may also give its row as one composite value.
    if (isRow && outputs.length === 1) return nullable(`${name} gives nulls`)
    const output = outputs[returned?.kind === 'composite' ? placeOf(returned.relation, column, context) : column]
    if (!output) return nullable(`${name} gives nulls`)
    if (output.nullable) return nullable(`${name} gives null: ${output.reason}`)
    if (!called.returnsSet && !alwaysHasRow(scope)) return nullable(`the query in ${name} has no row`)
    return nonNull(`${name} never gives null`)
  } finally {
    context.active.delete(called.oid)
  }
}

/** A column that was dropped from a table keeps its number in the table's row type; the body does not give it. */
function placeOf(relation: number, column: number, { catalog }: Context): number {
  const columns = catalog.relations.get(relation)?.columns
  return columns ? columns.findIndex(({ number }) => number === column + 1) : column
}

/** By parameter number: arguments may be given by name, or left to their defaults. */
function verdictsOfArguments(called: CatalogFunction, call: TreeNode, env: Env): Nullability[] {
  const withoutDefault = called.argumentTypes.length - called.defaults.length
  const verdicts = called.argumentTypes.map((_, index) => {
    const value = called.defaults[index - withoutDefault]
    return value ? verdictOf(value, env) : nullable('an argument is missing')
  })
  nodes(call, 'args').forEach((arg, position) => {
    const isNamed = arg.tag === 'NAMEDARGEXPR'
    verdicts[isNamed ? int(arg, 'argnumber') : position] = verdictOf(isNamed ? node(arg, 'arg')! : arg, env)
  })
  return verdicts
}
