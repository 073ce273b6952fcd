// pg-mem's operators and functions as PostgreSQL has them, and those that statements are translated to.

import type { CompiledFunction, DataType, IMemoryDb } from 'pg-mem'
import { MemoryServerError } from './failures.ts'
import { type Json, jsonbContains, jsonbMember, jsonbText } from './jsonb.ts'
import { UnsupportedInMemoryError } from './unsupported.ts'

/** @param now the moment of the transaction's start */
export function mend(db: IMemoryDb, now: () => Date): void {
  mendOperators(db)
  mendFunctions(db, now)
}

/** Not `bigint`, which pg-mem takes for another word for integer. */
const numbers = ['integer', 'int8', 'float']

function mendOperators(db: IMemoryDb): void {
  // The first schema on pg-mem's search path, where its own operators and functions are.
  const catalog = db.getSchema('pg_catalog')
  const type = (name: string) => name as DataType
  for (const left of numbers) {
    for (const right of numbers) {
      // The wider of the two, as PostgreSQL chooses.
      const returns = numbers[Math.max(numbers.indexOf(left), numbers.indexOf(right))]!
      for (const [operator, calculate] of Object.entries(arithmetic)) {
        catalog.registerOperator({
          operator: operator as keyof typeof arithmetic,
          left: type(left),
          right: type(right),
          returns: type(returns),
          // Or constants were computed before anyone asks, in branches of a CASE that nobody takes.
          impure: true,
          implementation: (a: number, b: number) => inRange(calculate(a, b, returns), returns),
        })
      }
    }
  }
  const jsonb = { left: type('jsonb'), right: type('jsonb') }
  const refuse = (feature: string) => (): never => {
    throw new UnsupportedInMemoryError(null, feature)
  }
  catalog.registerOperator({
    ...jsonb,
    operator: '||',
    returns: type('jsonb'),
    implementation: refuse('jsonb || jsonb'),
  })
  catalog.registerOperator({ ...jsonb, operator: '@>', returns: type('bool'), implementation: jsonbContains })
  const removed = { operator: '-', left: type('jsonb'), returns: type('jsonb') } as const
  for (const right of ['text', 'integer'].map(type)) {
    catalog.registerOperator({ ...removed, right, implementation: refuse('jsonb - key') })
  }
}

const arithmetic = {
  '+': (a: number, b: number) => a + b,
  '-': (a: number, b: number) => a - b,
  '*': (a: number, b: number) => a * b,
  '/': (a: number, b: number, type: string) => {
    if (b === 0) throw new MemoryServerError('22012', 'division by zero')
    return type === 'float' ? a / b : Math.trunc(a / b)
  },
}

function inRange(value: number, type: string): number {
  if (type === 'float') return value
  const limit = type === 'smallint' ? 2 ** 15 : 2 ** 31
  if (type !== 'int8' && (value >= limit || value < -limit))
    throw new MemoryServerError('22003', `${type} out of range`)
  if (!Number.isSafeInteger(value)) throw new UnsupportedInMemoryError(null, 'integers beyond ±(2^53 − 1)')
  return value
}

function mendFunctions(db: IMemoryDb, now: () => Date): void {
  const catalog = db.getSchema('pg_catalog')
  const define = (name: string, args: string[], returns: string, implementation: (...args: never[]) => unknown) =>
    catalog.registerFunction(
      {
        name,
        args: args as DataType[],
        returns: returns as DataType,
        implementation: implementation as unknown as CompiledFunction,
        // Anew for every row: moments are the transaction's.
        impure: args.length === 0,
      },
      true,
    )
  define('lower', ['text'], 'text', (value: string) =>
    value.replace(/./gsu, (character) => simple(character.toLowerCase(), 'i')),
  )
  define('upper', ['text'], 'text', (value: string) =>
    value.replace(/./gsu, (character) => simple(character.toUpperCase(), character)),
  )
  define('length', ['text'], 'integer', (value: string) => [...value].length)
  define('plainsql_like', ['text', 'text'], 'bool', (value: string, pattern: string) =>
    likeRegExp(pattern, '').test(value),
  )
  define('plainsql_ilike', ['text', 'text'], 'bool', (value: string, pattern: string) =>
    likeRegExp(pattern, 'i').test(value),
  )
  define('plainsql_int2', ['integer'], 'integer', (value: number) => inRange(value, 'smallint'))
  define('plainsql_int4', ['integer'], 'integer', (value: number) => inRange(value, 'integer'))
  define('plainsql_int8', ['int8'], 'int8', (value: number) => inRange(value, 'int8'))
  for (const json of ['json', 'jsonb']) {
    for (const key of ['text', 'integer']) {
      define('plainsql_member', [json, key], json, jsonbMember)
      define('plainsql_member_text', [json, key], 'text', (document: Json, at: string | number) => {
        const member = jsonbMember(document, at)
        if (json === 'json' && typeof member === 'object') {
          throw new UnsupportedInMemoryError(null, '->> that gives a document out of a column of type json')
        }
        return typeof member === 'symbol' || member === null || typeof member === 'string'
          ? text(member)
          : jsonbText(member)
      })
    }
  }
  define('now', [], 'timestamptz', () => new Date(now()))
  define('gen_random_uuid', [], 'uuid', () => crypto.randomUUID())
}

/** JSON's null, which is a symbol to pg-mem, has no text. */
function text(member: string | symbol | null): string | null {
  return typeof member === 'string' ? member : null
}

/** PostgreSQL's case mapping turns one character into one; only İ becomes two in lower case, an i and a dot. */
function simple(mapped: string, otherwise: string): string {
  return [...mapped].length === 1 ? mapped : otherwise
}

/** Source: PostgreSQL's "Pattern Matching", LIKE, with its default escape character, the backslash. */
function likeRegExp(pattern: string, flags: string): RegExp {
  let source = ''
  for (let at = 0; at < pattern.length; at++) {
    const escaped = pattern[at] === '\\'
    if (escaped) at++
    const character = pattern[at]
    if (character === undefined) throw new UnsupportedInMemoryError(null, 'LIKE patterns that end with a backslash')
    if (!escaped && character === '%') source += '.*'
    else if (!escaped && character === '_') source += '.'
    else source += character.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')
  }
  return new RegExp(`^${source}$`, `su${flags}`)
}
