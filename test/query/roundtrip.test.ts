// Codecs against a real server. For every type: values from fast-check go to PostgreSQL, which must see what we meant
// (`sees`, an expression of its own), and come back the same. Then texts that PostgreSQL made up itself.
// The values of a type travel in one statement, as JSON, so that our own array codec proves nothing about itself.

import fc from 'fast-check'
import { Client } from 'pg'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import * as codec from '../../lib/query/codecs.ts'
import { freshDatabase, type TestDatabase, testServer } from '../support/server.ts'

const SCHEMA = `
  create extension hstore;
  create type mood as enum ('sad', 'so-so, "fine"', 'NULL');
  create type address as (street text, zip int4, tags text[]);
  create type textrange as range (subtype = text, collation = "C");
  create type parcel as ("from" address, "to" address[], mood mood, during textrange);
`
let database: TestDatabase
let client: Client

test.before(async () => {
  database = await freshDatabase(SCHEMA)
  client = new Client({ connectionString: database.url, types: { getTypeParser: () => (text: string) => text } })
  await client.connect()
  // Offsets of half an hour, and of seconds before 1884.
  await client.query(`set timezone = 'America/St_Johns'`)
})

test.after(async () => {
  await client.end()
  await database.drop()
  await (await testServer()).stop()
})

/** `SEED=… npx tsx test/query/roundtrip.test.ts` repeats a failed run. */
const seed = Number(process.env.SEED ?? Date.now() % 2 ** 31)

interface Subject<T> {
  readonly codec: codec.Codec<T, NoInfer<T>>
  readonly values: fc.Arbitrary<T>
  /** What PostgreSQL says of the value `x`: an SQL expression of type jsonb. By default, the value. */
  readonly sees?: string
  /** What it should say. By default, the value. */
  readonly meant?: (value: T) => unknown
  /** Equal values as one: applied to what was sent and to what came back. */
  readonly normal?: (value: T) => T
}

function roundTrip<T>(type: string, { codec, values, sees = 'to_jsonb(x)', meant, normal }: Subject<T>): void {
  test(`${type} of ${codec.type}`, async () => {
    const sent = fc.sample(values, { numRuns: 300, seed })
    const { rows } = await client.query<[string, string]>({
      text: `select x, (${sees})::text from (select v::${type} as x, n
               from jsonb_array_elements_text($1::jsonb) with ordinality as sent (v, n)) as t order by n`,
      values: [JSON.stringify(sent.map((value) => codec.encode(value)))],
      rowMode: 'array',
    })
    assert.is(rows.length, sent.length)
    for (const [index, value] of sent.entries()) {
      const [text, seen] = rows[index]!
      assert.equal(JSON.parse(seen), meant ? meant(value) : value, `what PostgreSQL sees (seed ${seed})`)
      const back = codec.decode(text)
      assert.equal(normal ? normal(back) : back, normal ? normal(value) : value, `what comes back (seed ${seed})`)
    }
  })
}

const int4 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })
const bytes = fc.uint8Array().map((value): Uint8Array => Buffer.from(value))
const hex = (value: Uint8Array) => Buffer.from(value).toString('hex')
const string = fc.oneof(
  fc.string({ unit: fc.constantFrom(...'aZ09 "\'\\,;:{}()[]<>=\n\r\t\v\f\b\u00a0'.split(''), 'NULL', 'é', '😀') }),
  fc.constantFrom('NULL', 'null', '', ' ', 'empty', 'infinity', '-', '\\N', '{}', '\ufeff', '\u2028', '\uffff'),
  fc.string({ unit: 'binary' }).map((value) => value.replaceAll('\0', '')),
)
const dates = (min: string, max: string) => fc.date({ noInvalidDate: true, min: new Date(min), max: new Date(max) })
const date = fc.oneof(
  dates('-004713-11-24', '+275760-09-13'),
  dates('-000100-01-01', '0100-01-01'),
  dates('1880-01-01', '2100-01-01'),
)
const milliseconds = 'to_jsonb(extract(epoch from x) * 1000)'
const each = (expression: string) => `(select coalesce(jsonb_agg(${expression}), '[]') from unnest(x) as e)`

roundTrip('int2', { codec: codec.int2, values: fc.integer({ min: -32768, max: 32767 }) })
roundTrip('int4', { codec: codec.int4, values: int4 })
roundTrip('oid', { codec: codec.oid, values: fc.integer({ min: 0, max: 2 ** 32 - 1 }), sees: 'to_jsonb(x::int8)' })
roundTrip('int8', { codec: codec.int8, values: fc.maxSafeInteger() })
roundTrip('int8', {
  codec: { ...codec.bigint, type: 'bigint' },
  values: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  sees: 'to_jsonb(x::text)',
  meant: String,
})
// The bytes tell −0 from 0.
roundTrip('float8', {
  codec: codec.float8,
  values: fc.double(),
  sees: `to_jsonb(encode(float8send(x), 'hex'))`,
  meant: (value) => hex(new Uint8Array(Float64Array.of(value).buffer).reverse()),
})
roundTrip('float4', {
  codec: codec.float4,
  values: fc.float(),
  sees: `to_jsonb(encode(float4send(x), 'hex'))`,
  meant: (value) => hex(new Uint8Array(Float32Array.of(value).buffer).reverse()),
  normal: Math.fround,
})
roundTrip('numeric', {
  codec: { ...codec.numeric, encode: (value: string) => codec.numeric.encode(value) },
  values: fc.tuple(fc.bigInt(), fc.stringMatching(/^(\.\d{1,30})?$/)).map((parts) => parts.join('')),
  sees: 'to_jsonb(x::text)',
})
roundTrip('bool', { codec: codec.bool, values: fc.boolean() })
roundTrip('text', { codec: codec.text, values: string })
roundTrip('bytea', { codec: codec.bytea, values: bytes, sees: `to_jsonb(encode(x, 'hex'))`, meant: hex })
roundTrip('timestamptz', { codec: codec.timestamptz, values: date, sees: milliseconds, meant: Number })
roundTrip('timestamp', { codec: codec.timestamp, values: date, sees: milliseconds, meant: Number })
for (const type of ['json', 'jsonb']) {
  roundTrip(type, { codec: codec.json<unknown>(), values: fc.jsonValue({ stringUnit: 'grapheme' }) })
}
const mood = codec.oneOf('mood', 'sad', 'so-so, "fine"', 'NULL')
const moods = fc.constantFrom('sad' as const, 'so-so, "fine"' as const, 'NULL' as const)
roundTrip('mood', { codec: mood, values: moods })

roundTrip('int4[]', { codec: codec.array(codec.int4), values: fc.array(int4) })
roundTrip('mood[]', { codec: codec.array(mood), values: fc.array(moods) })
roundTrip('text[]', { codec: codec.array(codec.nullable(codec.text)), values: fc.array(fc.option(string)) })
roundTrip('text[]', { codec: codec.array(codec.text, 2), values: matrix(string) })
roundTrip('int4[]', {
  codec: codec.array(codec.nullable(codec.int4), 3),
  values: fc.array(matrix(fc.option(int4), 2), { minLength: 1, maxLength: 1 }),
})
roundTrip('timestamptz[]', {
  codec: codec.array(codec.timestamptz),
  values: fc.array(date),
  sees: each('extract(epoch from e) * 1000'),
  meant: (value) => value.map(Number),
})
roundTrip('bytea[]', {
  codec: codec.array(codec.bytea),
  values: fc.array(bytes),
  sees: each(`encode(e, 'hex')`),
  meant: (value) => value.map(hex),
})
roundTrip('box[]', {
  codec: codec.array(codec.text, 1, ';'),
  values: fc.array(fc.tuple(fc.nat(9), fc.nat(9)).map(([x, y]) => `(${x + 10},${y + 10}),(${x},${y})`)),
  sees: 'to_jsonb(x::text[])',
})

const address = codec.composite({
  street: codec.text,
  zip: codec.nullable(codec.int4),
  tags: codec.array(codec.nullable(codec.text)),
})
const addresses = record({ street: string, zip: fc.option(int4), tags: fc.array(fc.option(string)) })
roundTrip('address', { codec: address, values: addresses })
roundTrip('address[]', { codec: codec.array(codec.nullable(address)), values: fc.array(fc.option(addresses)) })
roundTrip('parcel', {
  codec: codec.composite({ from: address, to: codec.array(address), mood, during: codec.range(codec.text) }),
  values: record({ from: addresses, to: fc.array(addresses), mood: moods, during: ranges(string, byBytes) }),
  sees: 'jsonb_build_array((x)."from", (x)."to", (x).mood, lower((x).during))',
  meant: ({ from, to, mood, during }) => [from, to, mood, during === 'empty' ? null : during.lower],
  normal: (value) => ({ ...value, during: infiniteIsExclusive(value.during) }),
})

const integers = `(select coalesce(jsonb_agg(n), '[]') from generate_series(-50, 50) as n where n <@ x)`
const small = fc.integer({ min: -40, max: 40 })
roundTrip('int4range', {
  codec: codec.range(codec.int4),
  values: ranges(small, (a, b) => a - b),
  sees: integers,
  meant: integersIn,
  normal: (value) => {
    const [first, last] = [integersIn(value).at(0), integersIn(value).at(-1)]
    if (first === undefined || last === undefined) return 'empty'
    return infiniteIsExclusive({
      lower: first === -50 ? null : first,
      upper: last === 50 ? null : last + 1,
      bounds: '[)',
    })
  },
})
roundTrip('int4multirange', {
  codec: codec.multirange(codec.int4),
  // Points in ascending order, in pairs: no two ranges touch, so that PostgreSQL merges none.
  values: fc.uniqueArray(small).map((points) => {
    const sorted = points.sort((a, b) => a - b)
    return sorted.flatMap((lower, index) => {
      const upper = sorted[index + 1]
      return index % 2 === 1 || upper === undefined ? [] : [{ lower, upper, bounds: '[)' as const }]
    })
  }),
  sees: integers,
  meant: (value) => value.flatMap(integersIn),
})
roundTrip('tstzrange', {
  codec: codec.range(codec.timestamptz),
  values: ranges(date, (a, b) => Number(a) - Number(b)),
  sees: 'jsonb_build_array(extract(epoch from lower(x)) * 1000, extract(epoch from upper(x)) * 1000)',
  meant: (value) =>
    value === 'empty' ? [null, null] : [value.lower, value.upper].map((bound) => bound && Number(bound)),
  normal: infiniteIsExclusive,
})
roundTrip('textrange', {
  codec: codec.range(codec.text),
  values: ranges(string, byBytes),
  sees: 'jsonb_build_array(lower(x), upper(x))',
  meant: (value) => (value === 'empty' ? [null, null] : [value.lower, value.upper]),
  normal: infiniteIsExclusive,
})
roundTrip('hstore', {
  codec: codec.hstore,
  values: fc.dictionary(string, fc.option(string), { noNullPrototype: true }),
  sees: 'hstore_to_jsonb(x)',
})

const zones = ['UTC', 'Asia/Kolkata', 'America/St_Johns', 'Europe/Amsterdam', 'Africa/Monrovia', 'Pacific/Apia']

test('timestamps of PostgreSQL’s own, with microseconds, in many zones: cut to the millisecond', async () => {
  for (const zone of zones) {
    await client.query(`set timezone = '${zone}'`)
    const { rows } = await client.query<[string, string, string]>({
      text: `select x, x at time zone 'UTC', floor(extract(epoch from x) * 1000) from (
               select '4714-11-25 00:00+00 BC'::timestamptz + make_interval(secs => random() * 8.85e12) as x
                 from generate_series(1, 300)
               union all
               select '1850-01-01'::timestamptz + make_interval(secs => random() * 6e9) from generate_series(1, 300)
               union all
               select '0101-01-01 BC'::timestamptz + make_interval(secs => random() * 6e9) from generate_series(1, 300)
             ) as t`,
      rowMode: 'array',
    })
    for (const [withZone, withoutZone, milliseconds] of rows) {
      assert.is(codec.timestamptz.decode(withZone).getTime(), Number(milliseconds), `${withZone} in ${zone}`)
      assert.is(codec.timestamp.decode(withoutZone).getTime(), Number(milliseconds), withoutZone)
    }
  }
})

const printed: [sql: string, codec: codec.Codec<unknown, never>, value: unknown][] = [
  [`'[0:1]={1,2}'::int4[]`, codec.array(codec.int4), [1, 2]],
  [
    `array_fill(7, array[2, 2], array[0, -1])`,
    codec.array(codec.int4, 2),
    [
      [7, 7],
      [7, 7],
    ],
  ],
  [`array[]::int4[]`, codec.array(codec.int4, 2), []],
  [`array_remove(array[1], 1)`, codec.array(codec.int4), []],
  [`array['infinity', 'nan', -0.0]::float8[]`, codec.array(codec.float8), [Infinity, Number.NaN, -0]],
  [`row('', null, '{}')::address`, address, { street: '', zip: null, tags: [] }],
  [`int4range(1, 3, '[]')`, codec.range(codec.int4), { lower: 1, upper: 4, bounds: '[)' }],
  [`int4range(1, 1)`, codec.range(codec.int4), 'empty'],
  [`numrange(null, 1.50, '[]')`, codec.range(codec.numeric), { lower: null, upper: '1.50', bounds: '(]' }],
  [`'{[1,2),[2,3),empty}'::int4multirange`, codec.multirange(codec.int4), [{ lower: 1, upper: 3, bounds: '[)' }]],
  [`hstore(array['a', 'b'], array[null, 'null'])`, codec.hstore, { a: null, b: 'null' }],
  [`true::bool`, codec.bool, true],
]

test('other texts of PostgreSQL’s own', async () => {
  const { rows } = await client.query<string[]>({
    text: `select ${printed.map(([sql]) => sql).join(', ')}`,
    rowMode: 'array',
  })
  for (const [index, [sql, type, value]] of printed.entries()) assert.equal(type.decode(rows[0]![index]!), value, sql)
})

test('what codecs refuse, PostgreSQL would refuse or change', async () => {
  const refused = [
    `select timestamp '4714-11-23 23:59:59.999 BC'`,
    `select chr(0)`,
    `select '{{1},{1,2}}'::int4[]`,
    `select '9223372036854775808'::int8`,
    `select '32768'::int2`,
    `select '4294967296'::oid`,
  ]
  for (const sql of refused) {
    const error = await client.query(sql).then(
      () => null,
      (error: { code?: string }) => error,
    )
    assert.match(error?.code ?? 'accepted', /^(22|54)/, sql)
  }
  const { rows } = await client.query<[string]>({ text: `select '{{},{}}'::int4[]`, rowMode: 'array' })
  assert.equal(rows, [['{}']])
})

/** A rectangle of up to 3 × `height`, with no row empty. */
function matrix<T>(cell: fc.Arbitrary<T>, height = 3): fc.Arbitrary<T[][]> {
  return fc.integer({ min: 1, max: 3 }).chain((width) => {
    return fc.array(fc.array(cell, { minLength: width, maxLength: width }), { minLength: height, maxLength: height })
  })
}

function record<T>(fields: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> {
  return fc.record<T>(fields, { noNullPrototype: true }) as fc.Arbitrary<T>
}

/** Ranges in which lower is below upper; each bound may be infinite. */
function ranges<T>(bound: fc.Arbitrary<T>, compare: (a: T, b: T) => number): fc.Arbitrary<codec.Range<T>> {
  const pair = fc.tuple(bound, bound).filter(([a, b]) => compare(a, b) !== 0)
  const bounds = fc.constantFrom<codec.Bounds>('[)', '[]', '(]', '()')
  const some = fc.tuple(pair, bounds, fc.boolean(), fc.boolean()).map(([[a, b], bounds, from, to]) => {
    const [lower, upper] = compare(a, b) < 0 ? [a, b] : [b, a]
    return { lower: from ? lower : null, upper: to ? upper : null, bounds }
  })
  return fc.oneof({ weight: 9, arbitrary: some }, fc.constant('empty' as const))
}

/** The order of the collation "C". */
function byBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b))
}

function infiniteIsExclusive<T>(value: codec.Range<T>): codec.Range<T> {
  if (value === 'empty') return value
  const { lower, upper, bounds } = value
  return {
    lower,
    upper,
    bounds: `${lower === null ? '(' : bounds[0]}${upper === null ? ')' : bounds[1]}` as codec.Bounds,
  }
}

/** Those from −50 to 50. */
function integersIn(value: codec.Range<number>): number[] {
  if (value === 'empty') return []
  const { lower, upper, bounds } = value
  const first = lower === null ? -50 : bounds.startsWith('[') ? lower : lower + 1
  const last = upper === null ? 50 : bounds.endsWith(']') ? upper : upper - 1
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => first + index)
}

test.run()
