// The analyzed bodies of functions written in SQL: OIDs in, Query nodes out. A body in `begin atomic` form is stored as a
// tree. One in quotes is analyzed by the function that checks it at CREATE FUNCTION, `fmgr_sql_validator`, while the
// server sends the tree of what it parses. Nothing of the body is run.

import type pg from 'pg'
import { loadSqlBodyRows } from './catalogRows.ts'
import type { TreeNode, TreeValue } from './model.ts'
import { int, isNode, node, nodes, parseTree, unwrapTree } from './tree.ts'

/**
 * The last statement of each body, which makes the result. One round trip, and one more if there are bodies in quotes.
 * Left out: polymorphic functions, which have no body before their call, and those with settings of their own, whose
 * names may mean something else when they run.
 */
export async function loadSqlBodies(client: pg.Client, oids: readonly number[]): Promise<Map<number, TreeNode>> {
  const bodies = new Map<number, TreeNode>()
  if (oids.length === 0) return bodies
  const quoted: number[] = []
  for (const row of await loadSqlBodyRows(client, oids)) {
    if (row.tree === null) {
      if (!row.hasSettings) quoted.push(row.oid)
      continue
    }
    const body = lastQuery(parseTree(row.tree))
    if (body) bodies.set(row.oid, body)
  }
  for (const [oid, body] of await analyzeQuoted(client, quoted)) bodies.set(oid, body)
  return bodies
}

/** A stored body is a list of one list of queries, or one query. */
function lastQuery(value: TreeValue | undefined): TreeNode | null {
  if (Array.isArray(value)) return lastQuery(value.at(-1))
  return isNode(value, 'QUERY') ? value : null
}

async function analyzeQuoted(client: pg.Client, oids: readonly number[]): Promise<Map<number, TreeNode>> {
  const bodies = new Map<number, TreeNode>()
  if (oids.length === 0) return bodies
  // Every call sends its own tree first, and then those of the body's statements; the last one makes the result.
  const calls = [...oids]
  let current = 0
  const onNotice = (notice: { routine?: string | undefined; detail?: string | undefined }): void => {
    if (notice.routine !== 'elog_node_display' || notice.detail === undefined) return
    const tree = parseTree(unwrapTree(notice.detail))
    // Utility statements give no result, neither those of bodies nor the settings below.
    if (!isNode(tree, 'QUERY') || tree.utilityStmt !== null) return
    if (isValidation(tree)) current = calls.shift() ?? 0
    else bodies.set(current, tree)
  }
  client.on('notice', onNotice)
  try {
    const settings = client.query(
      'set check_function_bodies = on; set client_min_messages = log; set debug_print_parse = on; set debug_pretty_print = off',
    )
    const validations = oids.map((oid) => client.query(`select pg_catalog.fmgr_sql_validator(${oid}::oid)`))
    const reset = client.query(
      'reset check_function_bodies; reset client_min_messages; reset debug_print_parse; reset debug_pretty_print',
    )
    // A body that does not pass (its table is gone) is no body here: what calls it is nullable.
    await Promise.all([settings, Promise.allSettled(validations), reset])
  } finally {
    client.off('notice', onNotice)
  }
  return bodies
}

function isValidation(tree: TreeNode): boolean {
  const [target] = nodes(tree, 'targetList')
  const call = target ? node(target, 'expr') : null
  return call !== null && int(call, 'funcid') === validatorOid
}

/** OID of `fmgr_sql_validator` itself, the same in all versions (`catalog/pg_proc.dat`). */
const validatorOid = 2248
