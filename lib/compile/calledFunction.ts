// Which function a call in a tree is of, and what the tree leaves out of it.

import type { Catalog, CatalogFunction } from './catalog.ts'
import type { TreeNode } from './model.ts'
import { int, nodes } from './tree.ts'

/** The function behind a call or an operator. */
export function calledFunction(call: TreeNode, catalog: Catalog): CatalogFunction | undefined {
  const oid = int(call, call.tag === 'FUNCEXPR' ? 'funcid' : 'opfuncid')
  return catalog.functions.get(oid || (catalog.operators.get(int(call, 'opno'))?.function ?? 0))
}

/** The defaults of a function that a call may leave arguments to: the planner puts them in, so the tree has none. */
export function defaultsOf(call: TreeNode, called: CatalogFunction): readonly TreeNode[] {
  return call.tag === 'FUNCEXPR' && nodes(call, 'args').length < called.argumentTypes.length ? called.defaults : []
}
