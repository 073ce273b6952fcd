// The forms of single-row INSERT, UPDATE and DELETE: the same statement over a table of inputs.
// Where one statement could do something else than one per input, there is none, and the reason is told.

import type { AnalyzedQuery } from '../analyze.ts'
import type { Catalog } from '../catalog.ts'
import type { TreeNode } from '../model.ts'
import { int } from '../tree.ts'
import { type Candidates, none } from './candidate.ts'
import { changeForm } from './change.ts'
import { insertForm } from './insert.ts'
import { obstacleOf } from './obstacles.ts'
import { writtenRow } from './row.ts'

/** CmdType: 2 UPDATE, 3 INSERT, 4 DELETE, 5 MERGE. */
export function writeForms(query: AnalyzedQuery, tree: TreeNode, catalog: Catalog): Candidates {
  const obstacle = obstacleOf(tree, catalog)
  if (obstacle !== null) return none(obstacle, false)
  const command = int(tree, 'commandType')
  if (command === 5) return none('it is a MERGE', false)
  const form = command === 3 ? insertForm(query, tree, catalog) : changeForm(query, tree, catalog)
  if (typeof form === 'string') return none(form, false)
  const row = writtenRow(query, tree, catalog)
  return {
    candidates: [{ ...form, ...(row && { row }) }],
    reason: 'PostgreSQL does not take it over a table of inputs',
    readOnly: false,
  }
}
