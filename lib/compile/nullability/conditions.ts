// What a condition tells of its columns: `where p.title > $1` lets no row through whose title is NULL, and with it none
// for which the left join of `p` found nothing. An expression and how it came out in, facts out.

import { calledFunction } from '../calledFunction.ts'
import type { TreeNode } from '../model.ts'
import { bool, int, isNode, node, nodes, text } from '../tree.ts'
import { everyRowPassedWhere } from './aggregates.ts'
import { branches } from './branches.ts'
import { whenComparisonTrue } from './comparisons.ts'
import { verdictOf } from './expressions.ts'
import {
  both,
  either,
  type Facts,
  impossible,
  knownMatched,
  knownNonNull,
  knownNull,
  nothing,
  outward,
} from './facts.ts'
import { canonical, keyOf, variableKey } from './keys.ts'
import { type Env, nullingSides, Scope } from './scope.ts'

export { branches }

/** What holds where `condition` is true: what WHERE, an inner join's ON, HAVING, FILTER and CASE let through. */
export function whenTrue(condition: TreeNode, env: Env): Facts {
  const args = nodes(condition, 'args')
  switch (condition.tag) {
    case 'CONST':
      return isConstantTrue(condition) ? nothing : impossible
    case 'BOOLEXPR':
      if (condition.boolop === 'and') return both(...args.map((arg) => whenTrue(arg, env)))
      if (condition.boolop === 'or')
        return oneOf(
          args.map((arg) => whenTrue(arg, env)),
          env,
        )
      return whenFalse(args[0]!, env)
    case 'NULLTEST':
      return bool(condition, 'argisrow')
        ? whenRowTest(condition, env, isNotNullTest(condition))
        : isNotNullTest(condition)
          ? whenNonNull(node(condition, 'arg')!, env)
          : whenNull(node(condition, 'arg')!, env)
    case 'BOOLEANTEST':
      return whenBooleanTest(condition, env, true)
    case 'SCALARARRAYOPEXPR':
      // `x = any (…)` is true for an element; `x <> all ('{}')` is true without looking at x.
      return bool(condition, 'useOr') ? whenStrictCall(condition, env) : whenNonNull(args[1]!, env)
    case 'ROWCOMPAREEXPR':
      // (a, b) < (c, d) compares a with c first, and is NULL if one of them is.
      return both(...[nodes(condition, 'largs')[0], nodes(condition, 'rargs')[0]].map((arg) => whenNonNull(arg!, env)))
    case 'COALESCEEXPR':
      return either(args.map((arg) => whenTrue(arg, env)))
    case 'CASEEXPR':
      return either(branches(condition, env).map(({ facts, result, at }) => both(facts, whenTrue(result, at))))
    case 'SUBLINK':
      return whenSubLinkTrue(condition, env)
    case 'OPEXPR':
      return both(whenNonNull(condition, env), whenComparisonTrue(condition, env))
    default:
      return whenNonNull(condition, env)
  }
}

/** What holds where `condition` is false. */
export function whenFalse(condition: TreeNode, env: Env): Facts {
  const args = nodes(condition, 'args')
  switch (condition.tag) {
    case 'CONST':
      return isConstantFalse(condition) ? nothing : impossible
    case 'BOOLEXPR':
      if (condition.boolop === 'and')
        return oneOf(
          args.map((arg) => whenFalse(arg, env)),
          env,
        )
      if (condition.boolop === 'or') return both(...args.map((arg) => whenFalse(arg, env)))
      return whenTrue(args[0]!, env)
    case 'NULLTEST':
      return bool(condition, 'argisrow')
        ? whenRowTest(condition, env, null)
        : isNotNullTest(condition)
          ? whenNull(node(condition, 'arg')!, env)
          : whenNonNull(node(condition, 'arg')!, env)
    case 'BOOLEANTEST':
      return whenBooleanTest(condition, env, false)
    case 'SCALARARRAYOPEXPR':
      return bool(condition, 'useOr') ? whenNonNull(args[1]!, env) : whenStrictCall(condition, env)
    case 'ROWCOMPAREEXPR':
      return both(...[nodes(condition, 'largs')[0], nodes(condition, 'rargs')[0]].map((arg) => whenNonNull(arg!, env)))
    case 'DISTINCTEXPR': {
      // Not distinct: both are NULL or neither is.
      const [left, right] = args
      if (!verdictOf(left!, env).nullable) return whenNonNull(right!, env)
      return verdictOf(right!, env).nullable ? nothing : whenNonNull(left!, env)
    }
    case 'CASEEXPR':
      return either(branches(condition, env).map(({ facts, result, at }) => both(facts, whenFalse(result, at))))
    case 'COALESCEEXPR':
      return either(args.map((arg) => whenFalse(arg, env)))
    default:
      return whenNonNull(condition, env)
  }
}

/** What holds where `condition` is false or NULL: behind a WHEN of CASE that was not taken. */
export function whenNotTrue(condition: TreeNode, env: Env): Facts {
  const args = nodes(condition, 'args')
  switch (condition.tag) {
    case 'CONST':
      return isConstantTrue(condition) ? impossible : nothing
    case 'BOOLEXPR':
      if (condition.boolop === 'and')
        return oneOf(
          args.map((arg) => whenNotTrue(arg, env)),
          env,
        )
      if (condition.boolop === 'or') return both(...args.map((arg) => whenNotTrue(arg, env)))
      return whenNotFalse(args[0]!, env)
    default:
      return verdictOf(condition, env).nullable ? nothing : whenFalse(condition, env)
  }
}

/** What holds where `condition` is true or NULL: what a CHECK constraint lets through. */
export function whenNotFalse(condition: TreeNode, env: Env): Facts {
  const args = nodes(condition, 'args')
  switch (condition.tag) {
    case 'CONST':
      return isConstantFalse(condition) ? impossible : nothing
    case 'BOOLEXPR':
      if (condition.boolop === 'and') return both(...args.map((arg) => whenNotFalse(arg, env)))
      if (condition.boolop === 'or')
        return oneOf(
          args.map((arg) => whenNotFalse(arg, env)),
          env,
        )
      return whenNotTrue(args[0]!, env)
    default:
      return verdictOf(condition, env).nullable ? nothing : whenTrue(condition, env)
  }
}

/** One of them holds, of those that what is known here does not contradict. */
function oneOf(all: readonly Facts[], env: Env): Facts {
  return either(all.map((facts) => (both(env.facts, facts).impossible ? impossible : facts)))
}

/** What holds where `expression` is not NULL: its own key, and whatever would have made it NULL. */
export function whenNonNull(expression: TreeNode, env: Env): Facts {
  const plain = canonical(expression, env)
  const args = nodes(plain, 'args')
  const key = keyOf(plain, env)
  const itself = key === null ? nothing : knownNonNull(key)
  switch (plain.tag) {
    case 'CONST':
      return bool(plain, 'constisnull') ? impossible : nothing
    case 'VAR':
      return both(itself, whenPresent(plain, env))
    case 'FUNCEXPR':
    case 'OPEXPR':
      return both(itself, whenStrictCall(plain, env))
    case 'COERCEVIAIO':
    case 'ARRAYCOERCEEXPR':
    case 'COERCETODOMAIN':
      return both(itself, whenNonNull(node(plain, 'arg')!, env))
    case 'SCALARARRAYOPEXPR':
      // With an empty array the other side does not matter.
      return both(itself, whenNonNull(args[1]!, env))
    case 'NULLIFEXPR':
      return both(itself, whenNonNull(args[0]!, env))
    case 'COALESCEEXPR':
      return both(itself, either(args.map((arg) => whenNonNull(arg, env))))
    case 'CASEEXPR':
      return both(
        itself,
        either(branches(plain, env).map(({ facts, result, at }) => both(facts, whenNonNull(result, at)))),
      )
    case 'BOOLEXPR':
      return plain.boolop === 'not' ? both(itself, whenNonNull(args[0]!, env)) : itself
    case 'SUBSCRIPTINGREF':
      return both(itself, whenNonNull(node(plain, 'refexpr')!, env))
    default:
      return itself
  }
}

function whenNull(expression: TreeNode, env: Env): Facts {
  const key = keyOf(expression, env)
  return key === null ? nothing : knownNull(key)
}

/** A column that is not NULL belongs to a row that the outer joins around it did find. */
function whenPresent(variable: TreeNode, env: Env): Facts {
  const level = int(variable, 'varlevelsup')
  // Before 16 the server does not say which joins a column of an outer query has passed here.
  if (level > 0 && !Array.isArray(variable.varnullingrels)) return nothing
  return knownMatched(nullingSides(env, variable).map((side) => `${level}.${side}`))
}

/** A strict function that gave a value got values. */
function whenStrictCall(call: TreeNode, env: Env): Facts {
  const called = calledFunction(call, env.scope.context.catalog)
  if (!called?.strict || called.returnsSet) return nothing
  return both(...nodes(call, 'args').map((arg) => whenNonNull(arg, env)))
}

/** `row is not null` is true if every field has a value; `row is null` is false if the row is there at all. */
function whenRowTest(test: TreeNode, env: Env, everyField: boolean | null): Facts {
  const row = canonical(node(test, 'arg')!, env)
  if (everyField === null) {
    return !isNotNullTest(test) && isNode(row, 'VAR') ? whenPresent(row, env) : nothing
  }
  if (!everyField) return nothing
  if (isNode(row, 'ROWEXPR')) return both(...nodes(row, 'args').map((arg) => whenNonNull(arg, env)))
  if (!isNode(row, 'VAR')) return nothing
  // For a table's row the key ends in `.*`: every column. For a column that is a row, only the column.
  const key = variableKey(row)
  return both(knownNonNull(key, ...(int(row, 'varattno') === 0 ? [`${key}.*`] : [])), whenPresent(row, env))
}

/** BoolTestType: 0 IS TRUE, 1 IS NOT TRUE, 2 IS FALSE, 3 IS NOT FALSE, 4 IS UNKNOWN, 5 IS NOT UNKNOWN. */
function whenBooleanTest(test: TreeNode, env: Env, outcome: boolean): Facts {
  const arg = node(test, 'arg')!
  const kind = int(test, 'booltesttype')
  // A test that came out false is its own opposite that came out true, and opposites are neighbours.
  switch (outcome ? kind : kind ^ 1) {
    case 0:
      return whenTrue(arg, env)
    case 1:
      return whenNotTrue(arg, env)
    case 2:
      return whenFalse(arg, env)
    case 3:
      return whenNotFalse(arg, env)
    case 4:
      return whenNull(arg, env)
    default:
      return whenNonNull(arg, env)
  }
}

/** `exists (…)` had a row; `x in (…)` found x in one. */
function whenSubLinkTrue(link: TreeNode, env: Env): Facts {
  const query = node(link, 'subselect')
  if (!isNode(query, 'QUERY')) return nothing
  // SubLinkType: 0 EXISTS, 1 ALL, 2 ANY.
  const kind = int(link, 'subLinkType')
  const test = node(link, 'testexpr')
  const tested = kind === 2 && test ? whenTrue(test, env) : nothing
  // Where it aggregates, a row may come out although none passed its WHERE.
  const passes = everyRowPassedWhere(query) && !node(query, 'setOperations')
  if ((kind !== 0 && kind !== 2) || !passes) return tested
  return both(tested, outward(new Scope(query, env, env.scope.context).facts))
}

function isNotNullTest(test: TreeNode): boolean {
  return int(test, 'nulltesttype') === 1
}

function isConstantTrue(constant: TreeNode): boolean {
  return !bool(constant, 'constisnull') && /\[ 1 /.test(text(constant, 'constvalue') ?? '')
}

function isConstantFalse(constant: TreeNode): boolean {
  return !bool(constant, 'constisnull') && /\[ 0 /.test(text(constant, 'constvalue') ?? '')
}
