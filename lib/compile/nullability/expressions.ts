// The verdict on an expression: can it be NULL at this place? One small function per node type of PostgreSQL's analyzed
// tree (`nodes/primnodes.h`); a node that is not known here is nullable.

import type { Nullability, TreeNode } from '../model.ts'
import { bool, int, isNode, node, nodes, text } from '../tree.ts'
import { verdictOfAggregate } from './aggregates.ts'
import { branches, replaceTested } from './branches.ts'
import { verdictOfCall } from './calls.ts'
import { knownMatched } from './facts.ts'
import { canonical, keyOf } from './keys.ts'
import { verdictOfOutput } from './outputs.ts'
import { alwaysHasRow } from './rowCount.ts'
import { type Env, isKnown, Scope, withFacts } from './scope.ts'
import { verdictOfVariable } from './variables.ts'
import { allOf, anyOf, nonNull, nullable } from './verdict.ts'
import { verdictOfWindowFunction } from './windows.ts'

type Rule = (expression: TreeNode, env: Env) => Nullability

/** Whether `expression` can be NULL in a row at `env`, and why. */
export function verdictOf(expression: TreeNode, env: Env): Nullability {
  const plain = canonical(expression, env)
  const nulled = env.nulledGroups && keyOf(plain, env)
  if (nulled && env.nulledGroups?.has(nulled)) {
    const isExcluded = isKnown(env, 'nonNull', 0, nulled.slice(2))
    return isExcluded ? nonNull('a condition excludes null') : nullable('the grouping set does not have it')
  }
  const rule = rules[plain.tag]
  const verdict = rule ? rule(plain, env) : nullable(`the ${plain.tag.toLowerCase()} gives null`)
  if (!verdict.nullable || plain.tag === 'VAR') return verdict
  // The facts are asked last: most expressions need no key.
  const key = keyOf(plain, env)
  return key !== null && isKnown(env, 'nonNull', 0, key.slice(2)) ? nonNull('a condition excludes null') : verdict
}

const argument: Rule = (expression, env) => verdictOf(node(expression, 'arg')!, env)
const everyArgument: Rule = (expression, env) =>
  allOf(
    nodes(expression, 'args').map((arg) => verdictOf(arg, env)),
    'no argument is null',
  )
const someArgument: Rule = (expression, env) =>
  anyOf(
    nodes(expression, 'args').map((arg) => verdictOf(arg, env)),
    'every argument can be null',
  )
const never =
  (reason: string): Rule =>
  () =>
    nonNull(reason)

const rules: Readonly<Record<string, Rule>> = {
  CONST: (constant) => (bool(constant, 'constisnull') ? nullable('it is the constant null') : nonNull('a constant')),
  PARAM: verdictOfParam,
  VAR: verdictOfVariable,

  FUNCEXPR: verdictOfCall,
  OPEXPR: verdictOfCall,
  NULLIFEXPR: () => nullable('the arguments of nullif are equal'),
  DISTINCTEXPR: never('is distinct from is never null'),
  SCALARARRAYOPEXPR: verdictOfArrayComparison,
  ROWCOMPAREEXPR: (expression, env) =>
    allOf(
      [...nodes(expression, 'largs'), ...nodes(expression, 'rargs')].map((arg) => verdictOf(arg, env)),
      'no field is null',
    ),
  NAMEDARGEXPR: argument,
  AGGREF: verdictOfAggregate,
  WINDOWFUNC: verdictOfWindowFunction,
  GROUPINGFUNC: never('grouping() is a number'),
  MERGESUPPORTFUNC: never('merge_action() is a word'),

  BOOLEXPR: verdictOfLogic,
  NULLTEST: never('a null test is never null'),
  BOOLEANTEST: never('a boolean test is never null'),
  CASEEXPR: verdictOfCase,
  COALESCEEXPR: verdictOfCoalesce,
  MINMAXEXPR: someArgument,
  SUBLINK: verdictOfSubLink,

  COERCEVIAIO: argument,
  ARRAYCOERCEEXPR: argument,
  COERCETODOMAIN: (expression, env) =>
    env.scope.context.catalog.types.get(int(expression, 'resulttype'))?.notNull
      ? nonNull('its domain refuses null')
      : argument(expression, env),
  COERCETODOMAINVALUE: () => nullable('the value of the domain is null'),

  ROWEXPR: never('a row'),
  ARRAYEXPR: never('an array'),
  FIELDSELECT: () => nullable('the field of the composite value is null'),
  FIELDSTORE: never('a row'),
  SUBSCRIPTINGREF: verdictOfSubscript,

  JSONVALUEEXPR: (expression, env) =>
    verdictOf(node(expression, 'formatted_expr') ?? node(expression, 'raw_expr')!, env),
  JSONCONSTRUCTOREXPR: verdictOfJsonConstructor,
  JSONISPREDICATE: (expression, env) => verdictOf(node(expression, 'expr')!, env),
  JSONEXPR: () => nullable('the path finds nothing'),
  XMLEXPR: verdictOfXml,

  // SQLValueFunctionOp 13 and 14: current_schema and current_catalog; the search path may name no schema.
  SQLVALUEFUNCTION: (expression) =>
    [14].includes(int(expression, 'op')) ? nullable('there is no current schema') : nonNull('always there'),
  NEXTVALUEEXPR: never('a sequence’s next value'),
  CURRENTOFEXPR: never('where current of'),
}

function verdictOfParam(param: TreeNode, env: Env): Nullability {
  // ParamKind 0: a parameter of the statement. The others stand for a subquery's columns.
  if (int(param, 'paramkind') !== 0) return nullable('the column of the subquery is null')
  const index = int(param, 'paramid')
  return env.scope.context.params[index - 1] ?? nullable(`$${index} is null`)
}

function verdictOfLogic(expression: TreeNode, env: Env): Nullability {
  return everyArgument(expression, env)
}

function verdictOfCase(expression: TreeNode, env: Env): Nullability {
  return allOf(
    branches(expression, env).map(({ result, at }) => {
      const verdict = verdictOf(result, at)
      const isMissingElse = isNode(result, 'CONST') && bool(result, 'constisnull') && result === expression.defresult
      return isMissingElse && verdict.nullable ? nullable('no branch of the case applies') : verdict
    }),
    'no branch of the case is null',
  )
}

function verdictOfCoalesce(expression: TreeNode, env: Env): Nullability {
  const args = nodes(expression, 'args')
  const verdict = someArgument(expression, env)
  if (!verdict.nullable) return verdict
  // Of a full join's two sides at least one is there.
  for (const join of env.scope.outerJoins.values()) {
    if (join.type !== 'full') continue
    const hasValueOn = (side: 'left' | 'right'): boolean => {
      const there = withFacts(env, knownMatched([`0.${join.rtindex}.${side}`]))
      return args.some((arg) => !verdictOf(arg, there).nullable)
    }
    if (hasValueOn('left') && hasValueOn('right')) return nonNull('one side of the full join is there')
  }
  return verdict
}

/** SubLinkType: 0 EXISTS, 1 ALL, 2 ANY, 3 row comparison, 4 one value, 5 several for UPDATE, 6 ARRAY(). */
function verdictOfSubLink(link: TreeNode, env: Env): Nullability {
  const query = node(link, 'subselect')!
  const kind = int(link, 'subLinkType')
  if (kind === 0) return nonNull('exists is never null')
  if (kind === 6) return nonNull('array(…) is never null')
  const scope = new Scope(query, env, env.scope.context)
  if (kind === 4) {
    const verdict = verdictOfOutput(scope, 0)
    if (verdict.nullable) return verdict
    return alwaysHasRow(scope) ? verdict : nullable('the subquery has no row')
  }
  const test = node(link, 'testexpr')
  if ((kind === 1 || kind === 2) && test) return verdictOfTest(test, scope, env)
  return nullable('the subquery has no row')
}

/** `x in (select y …)` compares x with a placeholder for y, an operator for each column. */
function verdictOfTest(test: TreeNode, scope: Scope, env: Env): Nullability {
  if (isNode(test, 'PARAM')) return verdictOfOutput(scope, int(test, 'paramid') - 1)
  if (isNode(test, 'RELABELTYPE')) return verdictOfTest(node(test, 'arg')!, scope, env)
  if (isNode(test, 'OPEXPR')) {
    return verdictOfCall(test, env, (arg) =>
      hasPlaceholder(arg) ? verdictOfTest(arg, scope, env) : verdictOf(arg, env),
    )
  }
  if (isNode(test, 'BOOLEXPR')) {
    return allOf(
      nodes(test, 'args').map((arg) => verdictOfTest(arg, scope, env)),
      'neither side is null',
    )
  }
  return nullable('the comparison with the subquery’s row is null')
}

function hasPlaceholder(expression: TreeNode): boolean {
  if (isNode(expression, 'PARAM')) return int(expression, 'paramkind') === 2
  const arg = node(expression, 'arg')
  return isNode(expression, 'RELABELTYPE') && arg !== null && hasPlaceholder(arg)
}

/** `x = any (array)`: NULL too if nothing matches and the array holds a NULL. */
function verdictOfArrayComparison(expression: TreeNode, env: Env): Nullability {
  const [, array] = nodes(expression, 'args')
  const elements = verdictOfElements(array!, env)
  if (elements.nullable) return elements
  return verdictOfCall(expression, env)
}

/** Whether an array can hold a NULL. Parameters are arrays of their element type, which has none. */
export function verdictOfElements(array: TreeNode, env: Env): Nullability {
  const plain = canonical(array, env)
  switch (plain.tag) {
    case 'PARAM':
      return env.scope.context.paramsAreTyped
        ? nonNull('the parameter’s elements are not null')
        : nullable('the array holds nulls')
    case 'ARRAYEXPR':
      return allOf(
        nodes(plain, 'elements').map((element) =>
          bool(plain, 'multidims') ? verdictOfElements(element, env) : verdictOf(element, env),
        ),
        'no element is null',
      )
    case 'CONST':
      return constantHasNulls(plain) ? nullable('the array holds a null') : nonNull('no element is null')
    case 'ARRAYCOERCEEXPR': {
      // Each element goes through a cast, in which a placeholder stands for it.
      const cast = replaceTested(node(plain, 'elemexpr')!, { tag: 'CONST', constisnull: 'false' })
      return allOf([verdictOfElements(node(plain, 'arg')!, env), verdictOf(cast, env)], 'no element is null')
    }
    case 'SUBLINK':
      return verdictOfOutput(new Scope(node(plain, 'subselect')!, env, env.scope.context), 0)
    case 'COALESCEEXPR':
      return allOf(
        nodes(plain, 'args').map((arg) => verdictOfElements(arg, env)),
        'no element is null',
      )
    case 'AGGREF': {
      const argument = nodes(plain, 'args')[0]
      const name = env.scope.context.catalog.functions.get(int(plain, 'aggfnoid'))?.name
      if (name !== 'array_agg' || !argument) return nullable('the array holds nulls')
      return verdictOf(node(argument, 'expr')!, env)
    }
    default:
      return nullable('the array holds nulls')
  }
}

/** An array's header (`utils/array.h`): length, dimensions, then the offset of the data, which is 0 if no NULL is in it. */
function constantHasNulls(constant: TreeNode): boolean {
  const bytes = (text(constant, 'constvalue') ?? '').split(' ').slice(2, -1)
  return bool(constant, 'constisnull') || bytes.length < 12 || bytes.slice(8, 12).some((byte) => byte !== '0')
}

/** An element may be missing. As a target of UPDATE: types of fixed width (point) stay NULL if they were. */
function verdictOfSubscript(expression: TreeNode, env: Env): Nullability {
  const assigned = node(expression, 'refassgnexpr')
  if (!assigned) return nullable('there is nothing at the subscript')
  return allOf([verdictOf(node(expression, 'refexpr')!, env), verdictOf(assigned, env)], 'an assigned element')
}

/** JsonConstructorType: 1 object, 2 array, 3 objectagg, 4 arrayagg, 5 parse, 6 scalar, 7 serialize. */
function verdictOfJsonConstructor(expression: TreeNode, env: Env): Nullability {
  const kind = int(expression, 'type')
  if (kind === 1 || kind === 2) return nonNull('a JSON value')
  const inner = node(expression, 'func')
  return inner ? verdictOf(inner, env) : everyArgument(expression, env)
}

/** XmlExprOp: 0 concat, 1 element, 2 forest, 3 parse, 4 pi, 5 root, 6 serialize, 7 is document. */
function verdictOfXml(expression: TreeNode, env: Env): Nullability {
  const op = int(expression, 'op')
  if (op === 1) return nonNull('an XML element')
  return op === 0 ? someArgument(expression, env) : nullable('the XML is null')
}
