// Which relations, functions, operators and types node trees refer to, by OID. Trees in, sets out.

import type { TreeNode, TreeValue } from './model.ts'

export interface Mentions {
  readonly relations: Set<number>
  readonly functions: Set<number>
  readonly operators: Set<number>
  /** Of casts and parameters only. */
  readonly types: Set<number>
}

const fields: Readonly<Record<string, keyof Mentions>> = {
  relid: 'relations',
  funcid: 'functions',
  aggfnoid: 'functions',
  winfnoid: 'functions',
  opfuncid: 'functions',
  opno: 'operators',
  opnos: 'operators',
  resulttype: 'types',
  paramtype: 'types',
}

/** Everything that these trees mention, at any depth. */
export function mentionsIn(trees: Iterable<TreeValue>): Mentions {
  const found: Mentions = { relations: new Set(), functions: new Set(), operators: new Set(), types: new Set() }
  const open: (TreeNode | readonly TreeValue[])[] = []
  for (const tree of trees) if (tree !== null && typeof tree === 'object') open.push(tree)
  for (let at = open.pop(); at; at = open.pop()) {
    if (Array.isArray(at)) {
      for (const item of at) if (item !== null && typeof item === 'object') open.push(item)
      continue
    }
    // Most of the time in a large schema is spent here: no arrays of entries are made.
    for (const field in at) {
      const value = (at as TreeNode)[field]
      const kind = fields[field]
      if (kind) for (const oid of Array.isArray(value) ? value : [value]) add(found[kind], Number(oid))
      else if (value != null && typeof value === 'object') open.push(value)
    }
  }
  return found
}

/** OID 0 stands for none. */
function add(oids: Set<number>, oid: number): void {
  if (oid > 0) oids.add(oid)
}
