// pg-mem's types as PostgreSQL has them: how their values are compared, and what becomes of those of other types.

import type { DataType, IMemoryDb } from 'pg-mem'
import { MemoryServerError } from './failures.ts'
import { type Json, jsonbText } from './jsonb.ts'
import { momentOf } from './moments.ts'
import { UnsupportedInMemoryError } from './unsupported.ts'

/**
 * Makes what does some work of pg-mem's with mended types. They are all databases' of this process, and some may be the
 * user's own: elsewhere they are as they were.
 */
export function mendedTypes(db: IMemoryDb): <T>(work: () => T) => T {
  const types = typeMends(db)
  return (work) => {
    const undo = types.map(([target, method, mended]) => {
      const own = Object.getOwnPropertyDescriptor(target, method)
      target[method] = mended
      return () => (own ? Object.defineProperty(target, method, own) : delete target[method])
    })
    try {
      return work()
    } finally {
      for (const one of undo) one()
    }
  }
}

/** To pg-mem two labels of an enum are two texts. */
export function orderEnum(db: IMemoryDb, name: string): void {
  const type = typeOf(db, name) as PgMemType & { values: readonly string[] }
  type.doGt = (a: string, b: string) => type.values.indexOf(a) > type.values.indexOf(b)
  type.doLt = (a: string, b: string) => type.values.indexOf(a) < type.values.indexOf(b)
}

/** An expression that pg-mem has built. */
interface Built {
  setType(type: PgMemType): Built
  /** Nulls stay null. */
  setConversion(convert: (value: never) => unknown, hash: (hash: string) => unknown): Built
}

type PgMemType = { primary: string } & Record<string, unknown>

type TypeMend = readonly [target: PgMemType, method: string, mended: (...args: never[]) => unknown]

function typeOf(db: IMemoryDb, name: string): PgMemType {
  return db.public.getType(name as DataType) as unknown as PgMemType
}

function typeMends(db: IMemoryDb): TypeMend[] {
  const type = (name: string) => typeOf(db, name)
  const cast = (name: string, mended: (value: Built, to: PgMemType) => Built | null): TypeMend => {
    const original = type(name).doCast as (value: Built, to: PgMemType) => Built
    const from = type(name)
    return [from, 'doCast', (value: Built, to: PgMemType) => mended(value, to) ?? original.call(from, value, to)]
  }
  const refuse = (feature: string) => (): never => {
    throw new UnsupportedInMemoryError(null, feature)
  }
  const convert = (value: Built, to: PgMemType, how: (value: never) => unknown) =>
    value.setType(to).setConversion(how, (hash) => ({ hash, to: to.primary }))

  const array = (type('text').asArray as () => PgMemType).call(type('text'))
  const arrays = Object.getPrototypeOf(array) as PgMemType
  const toArray = arrays.doCanCast as (to: PgMemType) => boolean
  return [
    ...['json', 'jsonb'].flatMap((name): TypeMend[] => [
      [type(name), 'doEquals', (a: Json, b: Json) => jsonbText(a) === jsonbText(b)],
      [type(name), 'doGt', refuse('the order of jsonb')],
      [type(name), 'doLt', refuse('the order of jsonb')],
      cast(name, (value, to) => {
        if (to.primary === 'text')
          return convert(value, to, name === 'jsonb' ? jsonbText : refuse('casts of json to text'))
        return to.primary === 'integer' || to.primary === 'bigint' || to.primary === 'float'
          ? convert(value, to, refuse('casts of jsonb to numbers'))
          : null
      }),
    ]),
    ...['timestamp', 'timestamptz', 'date'].map((name): TypeMend => {
      const to = type(name)
      const build = (value: Built, from: PgMemType) =>
        from.primary === 'text'
          ? value.setConversion(
              (text: string) => momentOf(text, name),
              (hash) => ({ hash, name }),
            )
          : null
      return [to, 'doBuildFrom', build]
    }),
    ...['float', 'decimal'].map((name) =>
      cast(name, (value, to) => {
        if (to.primary === 'integer' || to.primary === 'bigint') return convert(value, to, rounded)
        return to.primary === 'text' ? convert(value, to, refuse('casts of numbers with a fraction to text')) : null
      }),
    ),
    [type('integer'), 'doPrefer', (to: PgMemType) => (isNumber(to) ? to : null)],
    cast('bool', (value, to) => {
      if (to.primary === 'text') return convert(value, to, String)
      return to.primary === 'integer' ? convert(value, to, Number) : null
    }),
    cast('text', (value, to) => (to.primary === 'bool' ? convert(value, to, booleanOf) : null)),
    // An array is no text, nor any of what pg-mem makes of texts: it reads `tags @> '{x}'` as JSON. Lists are subqueries.
    [
      arrays,
      'doCanCast',
      function (this: PgMemType, to: PgMemType) {
        return this.primary === 'list' || to.primary === 'array' ? toArray.call(this, to) : false
      },
    ],
    ...['time', 'interval', 'inet', 'bytea'].map((name): TypeMend => [type(name), 'doCanCast', () => false]),
  ]
}

function isNumber({ primary }: PgMemType): boolean {
  return primary === 'integer' || primary === 'bigint' || primary === 'float' || primary === 'decimal'
}

/** PostgreSQL rounds halves of a float8 to the even number, and those of a numeric away from zero. */
function rounded(value: number): number {
  if (Math.abs(value % 1) === 0.5) throw new UnsupportedInMemoryError(null, 'the rounding of halves')
  return Math.round(value)
}

/** Source: parse_bool_with_len in src/backend/utils/adt/bool.c. */
function booleanOf(text: string): boolean {
  const word = text.trim().toLowerCase()
  const isStart = (of: string, atLeast = 1) => word.length >= atLeast && of.startsWith(word)
  if (isStart('true') || isStart('yes') || word === 'on' || word === '1') return true
  if (isStart('false') || isStart('no') || isStart('off', 2) || word === '0') return false
  throw new MemoryServerError('22P02', `invalid input syntax for type boolean: "${text}"`)
}
