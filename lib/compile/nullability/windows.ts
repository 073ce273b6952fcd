// The verdict on a window function: what it sees may lie outside the partition, and its frame may be empty.

import type { Nullability, TreeNode } from '../model.ts'
import { int, node, nodes } from '../tree.ts'
import { aggregateRule } from './aggregates.ts'
import { verdictOf } from './expressions.ts'
import { outputEnv } from './outputs.ts'
import type { Env } from './scope.ts'
import { allOf, nonNull, nullable } from './verdict.ts'

export function verdictOfWindowFunction(call: TreeNode, env: Env): Nullability {
  const oid = int(call, 'winfnoid')
  const called = env.scope.context.catalog.functions.get(oid)
  const name = called?.name ?? 'the window function'
  // What a CASE around it knows of the current row says nothing of the others in its window.
  const args = nodes(call, 'args').map((arg) => verdictOf(arg, outputEnv(env.scope)))
  const rule = aggregateRule(oid, env)
  if (rule === 'never') return nonNull(`${name}() is never null`)
  if (rule !== null) {
    if (node(call, 'aggfilter')) return nullable(`no row passes the filter of ${name}()`)
    if (!seesCurrentRow(call, env)) return nullable(`the frame of ${name}() is empty`)
    return rule === 'no rows'
      ? nonNull(`${name}() over at least one row`)
      : allOf(args.slice(0, 1), `${name}() over a value`)
  }
  if (called?.schema !== 'pg_catalog') return nullable(`${name}() gives null`)
  switch (name) {
    case 'row_number':
    case 'rank':
    case 'dense_rank':
    case 'percent_rank':
    case 'cume_dist':
      return nonNull(`${name}() is never null`)
    case 'ntile':
      return allOf(args, 'ntile() of a number')
    case 'lag':
    case 'lead':
      // lag(value, offset, default): the default stands in where there is no such row.
      return args.length === 3 ? allOf(args, 'there is a default') : nullable(`${name}() finds no row`)
    case 'first_value':
    case 'last_value':
      return seesCurrentRow(call, env)
        ? allOf(args, 'the frame has a row')
        : nullable(`the frame of ${name}() is empty`)
    default:
      return nullable(`${name}() finds no row`)
  }
}

/** The bits of `frameOptions` (`nodes/parsenodes.h`). */
const Frame = {
  range: 0x2,
  startUnboundedFollowing: 0x80,
  endUnboundedPreceding: 0x40,
  startOffsetFollowing: 0x2000,
  endOffsetPreceding: 0x1000,
  startOffsetPreceding: 0x800,
  endOffsetFollowing: 0x4000,
  excludeCurrentRow: 0x8000,
  excludeGroup: 0x10000,
} as const

/** Whether the frame always holds the current row, and so is never empty. */
function seesCurrentRow(call: TreeNode, env: Env): boolean {
  const windows = nodes(env.scope.query, 'windowClause')
  const window = windows.find((clause) => int(clause, 'winref') === int(call, 'winref'))
  if (!window) return false
  const options = int(window, 'frameOptions')
  const has = (bits: number): boolean => (options & bits) !== 0
  if (has(Frame.startOffsetFollowing | Frame.endOffsetPreceding)) return false
  if (has(Frame.startUnboundedFollowing | Frame.endUnboundedPreceding)) return false
  if (has(Frame.excludeCurrentRow | Frame.excludeGroup)) return false
  // RANGE adds the offset to the value, and what comes out need not be on the right side of it: '1 month -30 days'.
  return !(has(Frame.range) && has(Frame.startOffsetPreceding | Frame.endOffsetFollowing))
}
