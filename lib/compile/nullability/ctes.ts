// The verdict on a column of a WITH query, also a recursive or a data-modifying one.

import type { Nullability, TreeNode } from '../model.ts'
import { bool, int, node, nodes, text } from '../tree.ts'
import { nothing } from './facts.ts'
import { verdictsOfOutputs } from './outputs.ts'
import { type Env, envAt, Scope, visibleTargets } from './scope.ts'
import { nonNull, nullable } from './verdict.ts'

export function verdictOfCteColumn(entry: TreeNode, column: number, env: Env): Nullability {
  const found = findCte(entry, env)
  if (!found) return nullable('the WITH query gives null')
  const verdicts = verdictsOfCte(found.cte, found.home)
  return verdicts[column - 1] ?? verdictOfAddedColumn(found.cte, column - verdicts.length - 1)
}

/** The WITH query that a range table entry names, and the place of the query it belongs to. */
export function findCte(entry: TreeNode, env: Env): { readonly cte: TreeNode; readonly home: Env } | null {
  const home = envAt(env, int(entry, 'ctelevelsup'))
  const cte = nodes(home.scope.query, 'cteList').find((candidate) => candidate.ctename === text(entry, 'ctename'))
  return cte ? { cte, home } : null
}

function verdictsOfCte(cte: TreeNode, home: Env): readonly Nullability[] {
  const query = node(cte, 'ctequery')!
  if (!bool(cte, 'cterecursive')) return verdictsOfOutputs(home.scope.child(query))
  const { assumed } = home.scope.context
  const assumption = assumed.get(cte)
  if (assumption) return assumption
  const known = home.scope.recursive.get(cte)
  if (known) return known
  const verdicts = iterate(cte, query, home)
  home.scope.recursive.set(cte, verdicts)
  return verdicts
}

/**
 * A recursive query's rows come from its first arm, or from earlier rows through its second. So: assume that no column is
 * null, analyze both arms under that, and start again with what did not hold, until the assumption proves itself.
 */
function iterate(cte: TreeNode, query: TreeNode, home: Env): readonly Nullability[] {
  const { assumed } = home.scope.context
  let assumption: readonly Nullability[] = visibleTargets(query).map(() =>
    nonNull('no row of the recursion has a null there'),
  )
  try {
    for (;;) {
      assumed.set(cte, assumption)
      const verdicts = verdictsOfOutputs(new Scope(query, { ...home, facts: nothing }, home.scope.context))
      const holds = verdicts.every((verdict, index) => verdict.nullable === assumption[index]?.nullable)
      if (holds) return verdicts
      assumption = verdicts
    }
  } finally {
    assumed.delete(cte)
  }
}

/** SEARCH adds a sequence column; CYCLE adds a mark and a path. The rewriter fills them, so the tree does not have them. */
function verdictOfAddedColumn(cte: TreeNode, position: number): Nullability {
  const added: boolean[] = []
  const cycle = node(cte, 'cycle_clause')
  if (node(cte, 'search_clause')) added.push(true)
  if (cycle) {
    const isValue = (mark: TreeNode | null): boolean => mark?.tag === 'CONST' && !bool(mark, 'constisnull')
    added.push(isValue(node(cycle, 'cycle_mark_value')) && isValue(node(cycle, 'cycle_mark_default')), true)
  }
  return added[position] ? nonNull('filled by SEARCH or CYCLE') : nullable('the column is null where it comes from')
}
