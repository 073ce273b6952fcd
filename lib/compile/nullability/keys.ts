// Names for expressions, so that "not null" said of one place is found again at another: `lower(u.name)` in WHERE and in
// the target list have the same key. A key holds no locations, and sees through the names that joins and GROUP BY give.

import { calledFunction, defaultsOf } from '../calledFunction.ts'
import type { TreeNode, TreeValue } from '../model.ts'
import { bool, int, isNode, list, node, text } from '../tree.ts'
import type { Env } from './scope.ts'

/** The key of an expression as seen from `env`, or null if its value may differ from one evaluation to the next. */
export function keyOf(expression: TreeNode, env: Env): string | null {
  const plain = canonical(expression, env)
  if (isNode(plain, 'VAR')) return variableKey(plain)
  const parts: string[] = []
  return write(plain, env, parts) ? `0.${parts.join(' ')}` : null
}

/** `level.entry.column`; the column is 0 for a whole row. */
export function variableKey(variable: TreeNode): string {
  const returning = int(variable, 'varreturningtype')
  const row = returning === 0 ? '' : returning === 1 ? 'old.' : 'new.'
  return `${int(variable, 'varlevelsup')}.${row}${int(variable, 'varno')}.${int(variable, 'varattno')}`
}

/** An expression without the wrappers that never change whether it is NULL, and with names of joins and groups resolved. */
export function canonical(expression: TreeNode, env: Env): TreeNode {
  let at = expression
  for (;;) {
    if (at.tag === 'RELABELTYPE' || at.tag === 'COLLATEEXPR' || at.tag === 'CONVERTROWTYPEEXPR') {
      at = node(at, 'arg') ?? at
    } else if (at.tag === 'VAR') {
      const meant = meantBy(at, env)
      if (!meant) return at
      at = meant
    } else if (at.tag === 'FIELDSELECT') {
      const row = canonical(node(at, 'arg')!, env)
      // A field of a table's whole row is the table's column.
      if (!isNode(row, 'VAR') || int(row, 'varattno') !== 0) return at
      return { ...row, varattno: text(at, 'fieldnum') ?? '0', vartype: text(at, 'resulttype') ?? '0' }
    } else {
      return at
    }
  }
}

/** What a join's or a group's name stands for; null for any other variable, and behind grouping sets. */
function meantBy(variable: TreeNode, env: Env): TreeNode | null {
  // Names of levels further out would have to be moved here: they keep their own.
  if (int(variable, 'varlevelsup') > 0 || int(variable, 'varattno') <= 0) return null
  const { scope } = env
  const entry = scope.entry(int(variable, 'varno'))
  const field = { 2: 'joinaliasvars', 9: 'groupexprs' }[int(entry, 'rtekind')]
  if (!field || list(variable, 'varnullingrels').length > 0) return null
  if (field === 'groupexprs' && list(scope.query, 'groupingSets').length > 0) return null
  const meant = list(entry, field)[int(variable, 'varattno') - 1]
  return isNode(meant) ? meant : null
}

const ignored = new Set([
  'location',
  'varnullingrels',
  'varnosyn',
  'varattnosyn',
  'varnoold',
  'varoattno',
  'funcformat',
  'coercionformat',
  'relabelformat',
  'list_start',
  'list_end',
])

function write(value: TreeValue, env: Env, parts: string[]): boolean {
  if (value === null || typeof value === 'string') {
    parts.push(value ?? '<>')
    return true
  }
  if (Array.isArray(value)) {
    parts.push('(')
    const done = value.every((item) => write(item, env, parts))
    parts.push(')')
    return done
  }
  const expression = canonical(value as TreeNode, env)
  if (!isRepeatable(expression, env)) return false
  parts.push('{', expression.tag)
  for (const [field, part] of Object.entries(expression)) {
    if (field === 'tag' || ignored.has(field)) continue
    parts.push(field)
    if (!write(part, env, parts)) return false
  }
  parts.push('}')
  return true
}

/** Whether a second evaluation for the same row gives the same: nothing volatile, no subquery. */
function isRepeatable(expression: TreeNode, env: Env): boolean {
  switch (expression.tag) {
    case 'SUBLINK':
    case 'NEXTVALUEEXPR':
    case 'CASETESTEXPR':
      return false
    case 'FUNCEXPR':
    case 'OPEXPR':
    case 'DISTINCTEXPR':
    case 'NULLIFEXPR':
    case 'SCALARARRAYOPEXPR': {
      if (bool(expression, 'funcretset') || bool(expression, 'opretset')) return false
      const found = calledFunction(expression, env.scope.context.catalog)
      return (
        found !== undefined &&
        found.volatility !== 'volatile' &&
        defaultsOf(expression, found).every((value) => write(value, env, []))
      )
    }
    default:
      return true
  }
}
