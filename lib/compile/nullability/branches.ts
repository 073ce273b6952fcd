// The ways through a CASE: what is known on each of them, and what comes out.

import type { TreeNode } from '../model.ts'
import { isNode, node, nodes } from '../tree.ts'
import { whenNotTrue, whenTrue } from './conditions.ts'
import { both, type Facts, nothing } from './facts.ts'
import type { Env } from './scope.ts'

/** A way through a CASE: what brought us there, what comes out, and the place where that is evaluated. */
export interface Branch {
  readonly facts: Facts
  readonly result: TreeNode
  readonly at: Env
}

/** The branches of a CASE that can be taken, ELSE last. */
export function branches(expression: TreeNode, env: Env): Branch[] {
  const found: Branch[] = []
  const subject = node(expression, 'arg')
  let before = nothing
  for (const when of nodes(expression, 'args')) {
    const condition = subject ? replaceTested(node(when, 'expr')!, subject) : node(when, 'expr')!
    const at = { ...env, facts: both(env.facts, before) }
    const facts = both(before, whenTrue(condition, at))
    add(facts, node(when, 'result')!)
    before = both(before, whenNotTrue(condition, at))
  }
  add(before, node(expression, 'defresult')!)
  return found

  function add(facts: Facts, result: TreeNode): void {
    const known = both(env.facts, facts)
    if (!known.impossible) found.push({ facts, result, at: { ...env, facts: known } })
  }
}

/** In `case x when 1 then …` the conditions hold a placeholder for x. */
export function replaceTested(condition: TreeNode, subject: TreeNode): TreeNode {
  if (condition.tag === 'CASETESTEXPR') return subject
  const replaced: Record<string, TreeNode[string]> = { ...condition }
  for (const field of ['arg', 'args']) {
    const part = condition[field]
    if (isNode(part)) replaced[field] = replaceTested(part, subject)
    else if (Array.isArray(part))
      replaced[field] = part.map((item) => (isNode(item) ? replaceTested(item, subject) : item))
  }
  return replaced as TreeNode
}
