// The verdict on a call of a function written in SQL: its body is a query like any other.

import type { CatalogFunction } from '../catalog.ts'
import type { Nullability, TreeNode } from '../model.ts'
import type { Env } from './scope.ts'
import { nullable } from './verdict.ts'

export function sqlFunctionVerdict(called: CatalogFunction, _column: number, _call: TreeNode, _env: Env): Nullability {
  return nullable(`${called.name}() may give null`)
}
