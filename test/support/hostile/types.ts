// Types whose equal values may look different, or whose names are keywords, with values for rows and for parameters.

import type { Random } from '../random.ts'

export interface Type {
  readonly sql: string
  /** Of parameters. Those of rows are made from the same, as literals. */
  readonly values: readonly unknown[]
  readonly literals: readonly string[]
  /** Rows can be sorted and grouped by it, and which of several equal values is taken does not show. */
  readonly exact?: boolean
  readonly noOrder?: boolean
  readonly text?: boolean
  readonly number?: boolean
}

const quoted = (value: string): string => `'${value.replaceAll("'", "''")}'`

function strings(sql: string, values: readonly string[], more: Partial<Type> = {}): Type {
  return { sql, values, literals: values.map(quoted), text: true, ...more }
}

function others(sql: string, values: readonly unknown[], literals: readonly string[], more: Partial<Type> = {}): Type {
  return { sql, values, literals: literals.map((literal) => (/^'/.test(literal) ? literal : quoted(literal))), ...more }
}

const words = ['a', 'A', 'b', 'á', 'a ', '', "it's", '{"}', 'null', ',', 'ab', 'ac']
const numbers = [0, 1, 2, 3, 4]

/** Those that no row has to begin with: an INSERT of them comes through. */
const fresh = [5, 6, 7, 8, 9, 10, 11]

export const int4: Type = others('int4', [...numbers, ...fresh, -0], numbers.map(String), { exact: true, number: true })
export const int8: Type = others('int8', [...numbers, ...fresh, 2n], numbers.map(String), { exact: true, number: true })
export const text: Type = strings('text', words, { exact: true })
/** The array types of some. */
export const arrays: Map<Type, Type> = new Map()

export const types: readonly Type[] = [
  int4,
  int8,
  text,
  others('int2', numbers, numbers.map(String), { exact: true, number: true }),
  others('numeric', [1, '1.0', '1.00', 2, '0'], ['1', '1.0', '2', 'NaN'], { number: true }),
  others('numeric(6,2)', [1, '1.0', '1.004', 2], ['1', '2', '3'], { number: true }),
  others('float8', [0, -0, 1, Number.NaN, 1.5], ['0', '-0', '1', 'NaN'], {}),
  strings('text collate "C"', words, { exact: true }),
  strings('text collate loose', words),
  strings('citext', words),
  strings('varchar(4)', ['a', 'A', 'a ', 'b', 'a     ', 'abcd', ''], { exact: true }),
  strings('char(3)', ['a', 'A', 'a ', 'b', 'a     ', '']),
  strings('name', words),
  strings('"char"', ['a', 'b', 'A', '']),
  others(
    'uuid',
    [
      '00000000-0000-4000-8000-00000000000A',
      '{00000000-0000-4000-8000-00000000000a}',
      '00000000-0000-4000-8000-00000000000b',
    ],
    ['00000000-0000-4000-8000-00000000000a', '00000000-0000-4000-8000-00000000000b'],
  ),
  others('bool', [true, false], ['t', 'f'], { exact: true }),
  others('date', ['2020-01-01', '2020-1-1', '2021-01-01'], ['2020-01-01', '2021-01-01', 'infinity']),
  others('timestamptz', [new Date('2020-01-01'), new Date('2021-01-01')], ['2020-01-01Z', '2021-01-01Z']),
  others('timestamp', [new Date('2020-01-01'), new Date('2021-01-01')], ['2020-01-01', '2021-01-01']),
  others('time', ['10:00', '10:00:00', '11:00'], ['10:00', '11:00']),
  others('interval', ['1 day', '24:00:00', '1 mon'], ['1 day', '24 hours', '30 days']),
  others('jsonb', [{ a: 1 }, [], null, 'x', 1, { a: 1.0 }], ['{"a":1}', '[]', 'null', '"x"', '{"a": 1.0}']),
  others('json', [{ a: 1 }, [], null, 'x'], ['{"a":1}', '[]', 'null'], { noOrder: true }),
  others('bytea', [Buffer.from('a'), Buffer.from([0, 255])], ['\\x61', '\\x00ff']),
  others('inet', ['10.0.0.1', '10.0.0.1/32', '10.0.0.2'], ['10.0.0.1', '10.0.0.2']),
  others('money', ['1', '1.00', '$2'], ['1', '2']),
  others('bit(3)', ['101', '010'], ['101', '010', '000']),
  others('varbit', ['101', '1', ''], ['101', '1']),
  others('oid', numbers, numbers.map(String), { exact: true }),
  others(
    'int4range',
    [{ lower: 1, upper: 3 }, { lower: 1, upper: 2, bounds: '[]' }, 'empty'],
    ['[1,3)', '[2,4)', 'empty'],
  ),
  others('int4multirange', [[{ lower: 1, upper: 3 }], []], ['{[1,3)}', '{}']),
  others('mood', ['sad', 'ok'], ['sad', 'ok'], { exact: true }),
  others('"Mixed mood"', ['sad', 'OK'], ['sad', 'OK'], { exact: true }),
  others('"order"', ['sad', 'OK'], ['sad', 'OK'], { exact: true }),
  strings('slug', ['a', 'b', 'ab', 'A'], { exact: true }),
  strings('loosely', words),
  others('posint', [1, 2, 3, 0], ['1', '2', '3'], { number: true }),
  others('int4[]', [[], [1, 2], [1]], ['{}', '{1,2}', '{1}']),
  others('text[]', [[], ['a', 'A'], ['{"}', '']], ['{}', '{a,A}', '{"{\\"}",""}']),
  others('ints', [[], [1, 2]], ['{}', '{1,2}']),
  others(
    'place',
    [
      { city: 'a', p1: 1 },
      { city: null, p1: 2 },
    ],
    ['(a,1)', '(,2)', '("A ",)'],
  ),
  others('point', ['(1,2)', '(2,1)'], ['(1,2)', '(3,4)'], { noOrder: true }),
  others('box', ['(1,2),(0,0)', '(2,1),(0,0)'], ['(1,2),(0,0)'], { noOrder: true }),
]

for (const element of [int4, text]) {
  arrays.set(element, types.find(({ sql }) => sql === `${element.sql}[]`) as Type)
}

/** The parameters of one call. */
export function inputOf(random: Random, params: readonly Type[]): Record<string, unknown> {
  return Object.fromEntries(
    params.map(({ values }, number) => [`a${number + 1}`, random.chance(4) ? null : random.pick(values)]),
  )
}
