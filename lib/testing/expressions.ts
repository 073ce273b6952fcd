// Expressions as pg-mem may run them: a tree in, a tree out whose result in pg-mem is PostgreSQL's, or a refusal.
// It is a list of what is allowed, not of what is known to be wrong: what nobody has compared is refused.

import { condition } from './conditions.ts'
import { constant } from './params.ts'
import { isNode, type Node, nameOf, nodes } from './pgMem.ts'
import { only, type Scope } from './scope.ts'
import { isStatement, selectStatement } from './statements.ts'

/** An expression whose value matters, null included. */
export function value(node: Node, scope: Scope): Node {
  switch (node.type) {
    case 'string':
      if (/^\s*null\s*$/.test(String(node.value)))
        scope.refuse("the constant 'null', JSON's null, which pg-mem takes for SQL's")
      if (isSubtleArray(String(node.value))) scope.refuse('array constants with quotes or NULL in them')
      return node
    case 'boolean':
    case 'null':
      return node
    case 'integer':
      if (!Number.isSafeInteger(node.value)) scope.refuse('integers beyond ±(2^53 − 1)')
      // PostgreSQL's constants are bigint where integer is too narrow.
      return Number(node.value) >= 2 ** 31 ? { type: 'cast', operand: node, to: { name: 'int8' } } : node
    case 'ref':
      only(node, scope, 'table', 'name')
      return node
    case 'parameter':
      return parameter(node, scope)
    case 'cast':
      return cast(node, scope)
    case 'case':
      return caseWhen(node, scope)
    case 'call':
      return call(node, scope)
    case 'keyword':
      if (node.keyword === 'current_timestamp') return { type: 'call', function: { name: 'now' }, args: [] }
      return scope.refuse(String(node.keyword))
    case 'member':
      return member(node, scope)
    case 'unary':
      return unary(node, scope)
    case 'binary':
      return operation(node, scope)
    case 'ternary':
      return known(node, scope)
    case 'numeric':
      return scope.refuse('decimal constants outside of a comparison')
  }
  return scope.refuse(isStatement(node) ? 'subqueries as values' : `expressions of kind "${String(node.type)}"`)
}

/** pg-mem reads `{x,NULL}` as two texts, and the quotes of `{"a,b"}` as part of one. */
function isSubtleArray(text: string): boolean {
  if (!/^\{.*(?:NULL|["\\]).*\}$/is.test(text)) return false
  try {
    JSON.parse(text)
    return false
  } catch {
    return true
  }
}

const comparisons: ReadonlySet<unknown> = new Set(['=', '!=', '<', '>', '<=', '>='])
const arithmetic: ReadonlySet<unknown> = new Set(['+', '-', '*', '/', '||', '@>'])

function operation(node: Node, scope: Scope): Node {
  const { op } = node
  const [left, right] = [node.left as Node, node.right as Node]
  if (['AND', 'OR', 'IN', 'NOT IN'].includes(op as string)) return known(node, scope)
  if (comparisons.has(op)) {
    // PostgreSQL reads `a = b IS NULL` as `(a = b) IS NULL`; the parser takes it for `a = (b IS NULL)`.
    if (right.type === 'unary' && String(right.op).startsWith('IS ')) scope.refuse(`IS behind ${op}`)
    const side = (operand: Node) => (operand.type === 'numeric' ? operand : value(operand, scope))
    return binary(op as string, side(left), side(right))
  }
  if (isSmallint(left, scope) && isSmallint(right, scope)) scope.refuse('arithmetic of two smallints')
  if (arithmetic.has(op)) return binary(op as string, value(left, scope), value(right, scope))
  const like = /^(NOT )?(I?LIKE)$/.exec(String(op))
  if (!like) return scope.refuse(`the operator ${op}`)
  // pg-mem knows neither the escapes of a pattern nor that % matches line breaks.
  const matches = called(`plainsql_${like[2]!.toLowerCase()}`, value(left, scope), value(right, scope))
  return like[1] ? { type: 'unary', op: 'NOT', operand: matches } : matches
}

/** A condition as a value: it is true, or its negation is, or it is null. */
function known(node: Node, scope: Scope): Node {
  const [yes, no] = [false, true].map((negated) => ({
    when: condition(node, scope, negated),
    value: { type: 'boolean', value: !negated },
  }))
  return caseOf([yes!, no!])
}

/** BETWEEN as the two comparisons that it is. */
export function between(node: Node): Node {
  const [side, lo, hi] = [node.value as Node, node.lo as Node, node.hi as Node]
  return binary('AND', binary('>=', side, lo), binary('<=', side, hi))
}

/** pg-mem's own members of a scalar are nulls, and the texts of documents JavaScript's. */
function member(node: Node, scope: Scope): Node {
  const key = { type: typeof node.member === 'number' ? 'integer' : 'string', value: node.member }
  return called(node.op === '->>' ? 'plainsql_member_text' : 'plainsql_member', value(node.operand as Node, scope), key)
}

function unary(node: Node, scope: Scope): Node {
  const operand = node.operand as Node
  if (node.op === '-' && operand.type === 'numeric') return { ...node, operand }
  if (node.op === '-' && isSmallint(operand, scope)) scope.refuse('the minus of a smallint')
  // pg-mem's own minus knows no range.
  if (node.op === '-') return binary('*', { type: 'integer', value: -1 }, value(operand, scope))
  return { ...node, operand: value(operand, scope) }
}

/** PostgreSQL's smallints overflow where pg-mem's integers do not. */
function isSmallint(node: Node, { schema }: Scope): boolean {
  if (node.type === 'cast') return canonicalTypes[nameOf(node.to)] === 'int2'
  return node.type === 'ref' && schema.smallints.has(nameOf(node))
}

function caseWhen(node: Node, scope: Scope): Node {
  only(node, scope, 'value', 'whens', 'else')
  const subject = isNode(node.value) ? node.value : null
  const whens = nodes(node.whens).map((branch) => ({
    when: condition(subject ? binary('=', subject, branch.when as Node) : (branch.when as Node), scope),
    value: value(branch.value as Node, scope),
  }))
  return caseOf(whens, isNode(node.else) ? value(node.else, scope) : undefined)
}

/** A CASE whose ELSE is a branch as well: pg-mem adds its own to the tree, each time that it looks at it. */
export function caseOf(whens: readonly { when: Node; value: Node }[], otherwise?: Node): Node {
  const last = otherwise ? [{ when: { type: 'boolean', value: true }, value: otherwise }] : []
  return { type: 'case', value: null, whens: [...whens, ...last], else: null }
}

/** Constants may be cast to any faithful type; the values of a table only to what cannot change them on the way. */
function cast(node: Node, scope: Scope): Node {
  const operand = node.operand as Node
  const to = node.to as Node
  const target = to.kind === 'array' ? `${nameOf(to.arrayOf)}[]` : nameOf(to)
  const element = target.replace('[]', '')
  const canonical = canonicalTypes[element] ?? (scope.schema.enums.has(element) ? element : undefined)
  if (canonical === undefined || to.config) return scope.refuse(`casts to ${target}`)
  if (operand.type === 'parameter') return parameter(operand, scope, target === element ? canonical : `${canonical}[]`)
  if (operand.type === 'numeric' && canonical === 'float8') return operand
  const isConstant = operand.type === 'string' || operand.type === 'null' || operand.type === 'integer'
  if (!isConstant && !castTypes.has(canonical)) return scope.refuse(`casts of a column to ${target}`)
  const result = { type: 'cast', operand: value(operand, scope), to: { name: pgMemTypes[canonical] ?? canonical } }
  // pg-mem's own casts know no ranges.
  return canonical.startsWith('int') ? called(`plainsql_${canonical}`, result) : result
}

/** What any value can be cast to, as far as pg-mem does it at all. */
const castTypes: ReadonlySet<string> = new Set(['int2', 'int4', 'int8', 'text', 'bool'])

/** The names that a type goes by, and the one that codecs call it. */
const canonicalTypes: Readonly<Record<string, string>> = {
  ...{ smallint: 'int2', int2: 'int2', integer: 'int4', int: 'int4', int4: 'int4', bigint: 'int8', int8: 'int8' },
  ...{ 'double precision': 'float8', float8: 'float8', boolean: 'bool', bool: 'bool', uuid: 'uuid' },
  ...{ text: 'text', varchar: 'text', 'character varying': 'text' },
  ...{ 'timestamp with time zone': 'timestamptz', timestamptz: 'timestamptz', date: 'date', jsonb: 'json' },
  ...{ 'timestamp without time zone': 'timestamp', timestamp: 'timestamp' },
}
const pgMemTypes: Readonly<Record<string, string>> = { int2: 'int4', float8: 'double precision', json: 'jsonb' }

function parameter(node: Node, scope: Scope, type?: string): Node {
  const param = scope.params[Number(String(node.name).slice(1)) - 1]
  if (!param) return scope.refuse(`the parameter ${String(node.name)}, which has no value`)
  // What the generator writes as text may be of any type; a cast in the SQL says which.
  const typed = type !== undefined && param.type === 'text' ? { ...param, type } : param
  return constant(typed, scope.schema.enums, scope.refuse)
}

const functions: ReadonlySet<string> = new Set(['lower', 'upper', 'length', 'coalesce', 'now', 'gen_random_uuid'])
export const aggregates: ReadonlySet<string> = new Set(['count', 'sum', 'min', 'max'])

function call(node: Node, scope: Scope): Node {
  only(node, scope, 'function', 'args', 'filter', 'distinct')
  const name = nameOf(node.function)
  const args = nodes(node.args)
  if (name === 'nullif' && args.length === 2) {
    const isEqual = { when: value(binary('=', args[0]!, args[1]!), scope), value: { type: 'null' } }
    return caseOf([isEqual], value(args[0]!, scope))
  }
  if (name === 'exists') return { ...node, args: args.map((select) => selectStatement(select, scope)) }
  if (!functions.has(name) && !aggregates.has(name)) return scope.refuse(`the function ${name}()`)
  if (node.distinct && name !== 'count') scope.refuse(`${name}(DISTINCT …)`)
  if (name === 'sum' && scope.schema.hasNumeric) scope.refuse('sum() in a schema with numeric columns')
  // pg-mem does not look at the rows for count(*): of a DISTINCT it counts all.
  const [counted, ...others] = args.map((arg) => (arg.name === '*' ? { type: 'integer', value: 1 } : value(arg, scope)))
  if (!isNode(node.filter)) return { ...node, args: counted ? [counted, ...others] : [] }
  // pg-mem takes two aggregates that differ by their FILTER for one; they all pass over nulls.
  const whens = [{ when: condition(node.filter, scope), value: counted! }]
  return { ...node, filter: undefined, args: [caseOf(whens)] }
}

function called(name: string, ...args: readonly Node[]): Node {
  return { type: 'call', function: { name }, args }
}

export function binary(op: string, left: Node, right: Node): Node {
  return { type: 'binary', op, left, right }
}
