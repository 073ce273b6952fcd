// Conditions as pg-mem may run them: expressions of which only "true or not" matters. In and out: trees.

import { between, binary, caseOf, value } from './expressions.ts'
import { constant, elementsOf } from './params.ts'
import { type Node, nameOf, nodes } from './pgMem.ts'
import type { Scope } from './scope.ts'
import { isStatement, selectStatement } from './statements.ts'

/**
 * An expression of which only "true or not" matters: WHERE, ON, WHEN, FILTER.
 *
 * pg-mem computes `null AND false` to null and `null OR false` to false, and takes `null NOT IN (1)` for true. Where
 * null and false are the same to the reader, and no NOT stands above an AND, an OR or an IN, none of it shows: so NOT
 * is moved inwards, by De Morgan's laws.
 */
export function condition(node: Node, scope: Scope, negated = false): Node {
  const { op } = node
  if (node.type === 'binary' && (op === 'AND' || op === 'OR')) {
    const [left, right] = [condition(node.left as Node, scope, negated), condition(node.right as Node, scope, negated)]
    return (op === 'AND') === negated ? either(left, right) : both(left, right)
  }
  if (node.type === 'unary' && op === 'NOT') return condition(node.operand as Node, scope, !negated)
  if (node.type === 'ternary') return condition(between(node), scope, (op === 'NOT BETWEEN') !== negated)
  if (node.type === 'binary' && (op === 'IN' || op === 'NOT IN')) {
    const right = node.right as Node
    const listed = right.type === 'list' ? nodes(right.expressions) : [right]
    return isStatement(right)
      ? memberOfSelect(node.left as Node, right, scope, (op === 'NOT IN') !== negated)
      : memberOf(node.left as Node, listed, scope, (op === 'NOT IN') !== negated)
  }
  if (node.type === 'binary' && quantifier(node.right as Node)) return quantified(node, scope, negated)
  const leaf = value(node, scope)
  return negated ? { type: 'unary', op: 'NOT', operand: leaf } : leaf
}

/** The condition of a join: pg-mem looks for the equations in it. */
export function joinCondition(node: Node, scope: Scope): Node {
  if (node.type !== 'binary' || node.op !== 'AND') return condition(node, scope)
  return binary('AND', joinCondition(node.left as Node, scope), joinCondition(node.right as Node, scope))
}

/** AND and OR that leave out their right side where the left one decides: `n <> 0 AND 1 / n > 5`. */
function both(left: Node, right: Node): Node {
  return caseOf([{ when: left, value: right }], { type: 'boolean', value: false })
}

function either(left: Node, right: Node): Node {
  return caseOf([{ when: left, value: { type: 'boolean', value: true } }], right)
}

function quantifier(node: Node): string | null {
  const name = node.type === 'call' ? nameOf(node.function) : ''
  return name === 'any' || name === 'some' || name === 'all' ? name : null
}

/** `= ANY (…)` and `<> ALL (…)`; pg-mem answers nothing at all for an array and an indexed column. */
function quantified(node: Node, scope: Scope, negated: boolean): Node {
  const all = quantifier(node.right as Node) === 'all'
  const left = node.left as Node
  const argument = nodes((node.right as Node).args)[0] as Node
  if (node.op !== (all ? '!=' : '=')) return scope.refuse(`${node.op} ${all ? 'ALL' : 'ANY'}`)
  const excluded = all !== negated
  if (isStatement(argument)) return memberOfSelect(left, argument, scope, excluded)
  if (argument.type === 'array') return memberOf(left, nodes(argument.expressions), scope, excluded)
  if (argument.type === 'ref' && !excluded) {
    return binary('=', value(left, scope), { type: 'call', function: { name: 'any' }, args: [value(argument, scope)] })
  }
  const source = argument.type === 'cast' ? (argument.operand as Node) : argument
  const param = source.type === 'parameter' ? scope.params[Number(String(source.name).slice(1)) - 1] : undefined
  const elements = param && elementsOf(param)
  if (elements === undefined) return scope.refuse('ANY and ALL of anything but a parameter')
  // Whatever is compared with an unknown array: the result is null.
  if (elements === null) return { type: 'boolean', value: false }
  const listed = elements.map((element) => constant(element, scope.schema.enums, scope.refuse))
  return memberOf(left, listed, scope, excluded)
}

/** Whether a value is in a list, or is known not to be in it. */
function memberOf(left: Node, listed: readonly Node[], scope: Scope, excluded: boolean): Node {
  const side = value(left, scope)
  const elements = listed.map((element) => (isLiteral(element) ? element : value(element, scope)))
  if (excluded && !elements.every(isLiteral)) scope.refuse('NOT IN with anything but constants')
  const known = elements.filter((element) => element.type !== 'null')
  if (excluded && known.length < elements.length) return { type: 'boolean', value: false }
  if (known.length === 0) return { type: 'boolean', value: excluded }
  const member = binary(excluded ? 'NOT IN' : 'IN', side, { type: 'list', expressions: known })
  return excluded ? both({ type: 'unary', op: 'IS NOT NULL', operand: side }, member) : member
}

/** What `constant` makes, and what the parser makes of a constant. */
function isLiteral(node: Node): boolean {
  if (node.type === 'cast') return isLiteral(node.operand as Node)
  return ['integer', 'numeric', 'string', 'boolean', 'null'].includes(String(node.type))
}

function memberOfSelect(left: Node, select: Node, scope: Scope, excluded: boolean): Node {
  if (excluded) return scope.refuse('NOT IN (SELECT …)')
  return binary('IN', value(left, scope), selectStatement(select, scope))
}
