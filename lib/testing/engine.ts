// pg-mem with the faults that can be mended from inside: arithmetic, text functions, the clock. Everything above hands
// it trees and gets rows; a state of all data costs nothing to keep or to put back.

import type { CompiledFunction, DataType, IBackup, IMemoryDb, ISchema } from 'pg-mem'
import { MemoryServerError } from './failures.ts'
import { loadPgMem, type Node } from './pgMem.ts'
import { UnsupportedInMemoryError } from './unsupported.ts'

/** All data at one moment. */
export type State = IBackup

export interface Answer {
  readonly columns: readonly { readonly name: string; readonly type: string }[]
  readonly rows: readonly (readonly unknown[])[]
  readonly affected: number
}

export interface Engine {
  parse(sql: string): Node[]
  /** Runs a statement on a state. @returns the answer and the state after it */
  run(tree: Node, state: State, clock: Date): { answer: Answer; state: State }
  /** Runs a CREATE, ALTER or DROP: states from before it are lost. */
  define(tree: Node): void
  /** The state after the last `define` or `run`. */
  state(): State
}

export async function createEngine(): Promise<Engine> {
  const { newDb, parse } = await loadPgMem()
  const db = newDb()
  let now = new Date()
  mend(db, () => now)

  const execute = (tree: Node): Answer => {
    // pg-mem writes into the trees it is given.
    const prepared = db.public.prepare([structuredClone(tree)] as unknown as Parameters<ISchema['prepare']>[0])
    const columns = prepared.describe().result
    const result = prepared.bind().executeAll()
    const keys = rowKeys(columns.map((column) => column.name))
    const rows = result.rows.map((row: Record<string, unknown>) => keys.map((key) => row[key]))
    return { columns, rows, affected: result.rowCount }
  }
  return {
    parse,
    run(tree, state, clock) {
      state.restore()
      now = clock
      const answer = execute(tree)
      return { answer, state: db.backup() }
    },
    define(tree) {
      db.public.query([structuredClone(tree)] as unknown as Parameters<ISchema['query']>[0])
    },
    state: () => db.backup(),
  }
}

/** pg-mem's rows are objects: the second column called `id` is there as `id1`. */
function rowKeys(names: readonly string[]): string[] {
  const keys = [...names]
  for (const [index, name] of names.entries()) {
    if (names.indexOf(name) === index) continue
    for (let suffix = 1; keys.includes(keys[index]!, index + 1) || keys.indexOf(keys[index]!) < index; suffix++) {
      keys[index] = `${name}${suffix}`
    }
  }
  return keys
}

function mend(db: IMemoryDb, now: () => Date): void {
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
          implementation: (a: number, b: number) => calculate(a, b, returns),
        })
      }
    }
  }
  const jsonb = { left: type('jsonb'), right: type('jsonb'), returns: type('jsonb') }
  catalog.registerOperator({ ...jsonb, operator: '||', implementation: refuseJsonConcatenation })

  const [text, bool, integer] = [type('text'), type('bool'), type('integer')]
  const define = (name: string, args: DataType[], returns: DataType, implementation: (...args: string[]) => unknown) =>
    catalog.registerFunction({ name, args, returns, implementation: implementation as CompiledFunction }, true)
  define('lower', [text], text, (value) => value!.replace(/./gsu, (character) => simple(character.toLowerCase(), 'i')))
  define('upper', [text], text, (value) =>
    value!.replace(/./gsu, (character) => simple(character.toUpperCase(), character)),
  )
  define('length', [text], integer, (value) => [...value!].length)
  define(
    'plainsql_like',
    [text, text],
    bool,
    (value, pattern) => likeRegExp(pattern!, '').test(value!) as unknown as object,
  )
  define(
    'plainsql_ilike',
    [text, text],
    bool,
    (value, pattern) => likeRegExp(pattern!, 'i').test(value!) as unknown as object,
  )
  // Anew for every row, but the same moment: that of the transaction's start.
  const impure = { args: [], impure: true }
  catalog.registerFunction(
    { ...impure, name: 'now', returns: type('timestamptz'), implementation: () => new Date(now()) },
    true,
  )
  catalog.registerFunction(
    { ...impure, name: 'gen_random_uuid', returns: type('uuid'), implementation: () => crypto.randomUUID() },
    true,
  )
}

/** Not `bigint`, which pg-mem takes for another word for integer. */
const numbers = ['integer', 'int8', 'float']

const arithmetic = {
  '+': (a: number, b: number, type: string) => inRange(a + b, type),
  '-': (a: number, b: number, type: string) => inRange(a - b, type),
  '*': (a: number, b: number, type: string) => inRange(a * b, type),
  '/': (a: number, b: number, type: string) => {
    if (b === 0) throw new MemoryServerError('22012', 'division by zero')
    return type === 'float' ? a / b : Math.trunc(a / b)
  },
}

function inRange(value: number, type: string): number {
  if (type === 'float') return value
  if (type === 'integer' && (value > 2147483647 || value < -2147483648)) {
    throw new MemoryServerError('22003', 'integer out of range')
  }
  if (!Number.isSafeInteger(value)) throw new UnsupportedInMemoryError(null, 'integers beyond ±(2^53 − 1)')
  return value
}

function refuseJsonConcatenation(): never {
  throw new UnsupportedInMemoryError(null, 'jsonb || jsonb')
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
