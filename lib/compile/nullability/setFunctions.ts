// The verdict on what a function in FROM, or a set-returning function in a target list, gives.

import type { Nullability, TreeNode } from '../model.ts'
import { bool, int, node, nodes } from '../tree.ts'
import { verdictOf, verdictOfElements } from './expressions.ts'
import type { Env } from './scope.ts'
import { sqlFunctionVerdict } from './sqlFunctions.ts'
import { nonNull, nullable } from './verdict.ts'

/** PostgreSQL's own set-returning functions: which of their columns are never NULL. Others are not known here. */
const columns: Readonly<Record<string, readonly boolean[]>> = {
  generate_series: [true],
  generate_subscripts: [true],
  json_array_elements: [true],
  jsonb_array_elements: [true],
  json_array_elements_text: [false],
  jsonb_array_elements_text: [false],
  json_object_keys: [true],
  jsonb_object_keys: [true],
  json_each: [true, true],
  jsonb_each: [true, true],
  json_each_text: [true, false],
  jsonb_each_text: [true, false],
  jsonb_path_query: [true],
  regexp_matches: [true],
  regexp_split_to_table: [true],
  pg_get_keywords: [true, true, true, true, true],
}

/** The verdict on a column of a function in FROM; WITH ORDINALITY adds the last one. */
export function verdictOfFunctionColumn(entry: TreeNode, column: number, env: Env): Nullability {
  const functions = nodes(entry, 'functions')
  let first = 1
  for (const item of functions) {
    const count = int(item, 'funccolcount')
    if (column < first + count) {
      if (functions.length > 1) return nullable('the function gives fewer rows than another one')
      const call = node(item, 'funcexpr')!
      // Here the columns are the fields of the rows in the array.
      if (isOfRows(call, env)) return nullable('the field of the composite value is null')
      return verdictOfSetColumn(call, column - first, env)
    }
    first += count
  }
  return bool(entry, 'funcordinality')
    ? nonNull('a number of order')
    : nullable('the column is null where it comes from')
}

/** `unnest` of an array of composite values. */
function isOfRows(call: TreeNode, env: Env): boolean {
  const { functions, types } = env.scope.context.catalog
  const called = functions.get(int(call, 'funcid'))
  let type = types.get(int(call, 'funcresulttype'))
  while (type?.kind === 'domain') type = types.get(type.base)
  return called?.name === 'unnest' && called.schema === 'pg_catalog' && type?.kind === 'composite'
}

/** The verdict on a result column (0-based) of a function that is called as a table. */
export function verdictOfSetColumn(call: TreeNode, column: number, env: Env): Nullability {
  const { catalog } = env.scope.context
  const called = call.tag === 'FUNCEXPR' ? catalog.functions.get(int(call, 'funcid')) : undefined
  if (!called) return verdictOf(call, env)
  if (called.language === 'sql') return sqlFunctionVerdict(called, column, call, env)
  const returned = catalog.types.get(called.returnType)
  if (!called.returnsSet) {
    const isRow = returned?.kind === 'composite' || returned?.kind === 'pseudo'
    return isRow ? nullable(`${called.name}() gives nulls`) : verdictOf(call, env)
  }
  if (called.schema !== 'pg_catalog') return nullable(`${called.name}() gives nulls`)
  const args = nodes(call, 'args')
  if (called.name === 'unnest' && returned?.name === 'anyelement') return verdictOfElements(args[0]!, env)
  // A third argument is the text that stands for NULL.
  if (called.name === 'string_to_table' && args.length === 2) return nonNull('a part of a text')
  return columns[called.name]?.[column]
    ? nonNull(`${called.name}() gives no nulls`)
    : nullable(`${called.name}() gives nulls`)
}
