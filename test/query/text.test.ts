// Parameters and rows in text form, seen from a generated query: what arrives at the other side, and what is said of
// misuse. No message holds a value.
// wire only: no call of it goes over a connection

import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { DecodeError, ParameterError } from '../../lib/errors.ts'
import * as codec from '../../lib/query/codecs.ts'
import type { QuerySource } from '../../lib/query/executor.ts'
import type { ParamWriter } from '../../lib/query/params.ts'
import type { RowReader } from '../../lib/query/row.ts'
import { decodeRows, encodeParams } from '../../lib/query/text.ts'

const SECRET = 'hunter2'
const tags = codec.array(codec.text)

interface AnyParams {
  readonly x: never
}

/** A query that does one thing: write one parameter `x`, or read one column `c`. */
function query<Row = unknown>(part: Partial<QuerySource<AnyParams, Row>>): QuerySource<AnyParams, Row> {
  return { name: 'getUser', source: 'sql/users.sql:3', statement: 'getUser_1', sql: 'select 1', params: ['x'], ...part }
}

const encode = (write: (w: ParamWriter, p: AnyParams) => void, x: unknown) =>
  encodeParams(query({ write }), { x } as AnyParams)
const decode = <T>(read: (r: RowReader) => T, ...row: (string | null)[]) => decodeRows(query({ read }), ['c'], [row])[0]

test('parameters in the order in which they are written', () => {
  const source: QuerySource<{ id: number; at: Date | null }, unknown> = {
    ...query({}),
    params: ['id', 'at'],
    write(w, p) {
      w.int4(p.id)
      w.nullable.timestamptz(p.at)
    },
  }
  assert.equal(encodeParams(source, { id: 1, at: null }), ['1', null])
  assert.equal(encodeParams(source, { id: 1, at: new Date(0) }), ['1', '1970-01-01 00:00:00.000+00'])
})

test('a query without parameters needs none, and one without columns returns no rows', () => {
  assert.equal(
    encodeParams<void>({ name: 'now', source: 'a.sql:1', statement: 'now_1', sql: 'select now()' }, undefined),
    [],
  )
  assert.equal(decodeRows(query({}), [], [[], []]), [])
})

test('every method of the writer, and of its nullable half', () => {
  const values: [Exclude<keyof ParamWriter, 'nullable' | 'value'>, unknown, string][] = [
    ['int2', 1, '1'],
    ['int4', 1, '1'],
    ['oid', 1, '1'],
    ['int8', 1n, '1'],
    ['float4', 1.5, '1.5'],
    ['float8', -0, '-0'],
    ['numeric', '1.50', '1.50'],
    ['bool', true, 't'],
    ['text', 'a', 'a'],
    ['timestamptz', new Date(0), '1970-01-01 00:00:00.000+00'],
    ['timestamp', new Date(0), '1970-01-01 00:00:00.000'],
    ['bytea', Buffer.of(1), '\\x01'],
    ['json', { a: 1 }, '{"a":1}'],
  ]
  for (const [method, value, expected] of values) {
    assert.equal(
      encode((w, p) => w[method](p.x), value),
      [expected],
      method,
    )
    assert.equal(
      encode((w, p) => w.nullable[method](p.x), value),
      [expected],
      method,
    )
    assert.equal(
      encode((w, p) => w.nullable[method](p.x), null),
      [null],
      method,
    )
  }
  assert.equal(
    encode((w, p) => w.value(p.x, tags), ['a']),
    ['{"a"}'],
  )
  assert.equal(
    encode((w, p) => w.nullable.value(p.x, tags), null),
    [null],
  )
  assert.equal(
    encode((w, p) => w.json(p.x), null),
    ['null'],
    'JSON has a null of its own',
  )
})

test('every method of the reader, and of its nullable half', () => {
  const texts: [Exclude<keyof RowReader, 'nullable' | 'value'>, string, unknown][] = [
    ['int2', '1', 1],
    ['int4', '1', 1],
    ['oid', '1', 1],
    ['int8', '1', 1],
    ['bigint', '1', 1n],
    ['float4', '1.5', 1.5],
    ['float8', 'NaN', Number.NaN],
    ['bool', 'f', false],
    ['text', '', ''],
    ['timestamptz', '1970-01-01 00:00:00+00', new Date(0)],
    ['timestamp', '1970-01-01 00:00:00', new Date(0)],
    ['bytea', '\\x01', Buffer.of(1)],
    ['json', '{"a":1}', { a: 1 }],
  ]
  for (const [method, text, expected] of texts) {
    assert.equal(
      decode<unknown>((r) => r[method](0), text),
      expected,
      method,
    )
    assert.equal(
      decode<unknown>((r) => r.nullable[method](0), text),
      expected,
      method,
    )
    assert.is(
      decode<unknown>((r) => r.nullable[method](0), null),
      null,
      method,
    )
  }
  assert.equal(
    decode((r) => r.value(0, tags), '{a}'),
    ['a'],
  )
  assert.is(
    decode((r) => r.nullable.value(0, tags), null),
    null,
  )
})

const where = 'in getUser (sql/users.sql:3)'
const refusedParams: [() => unknown, string][] = [
  [() => encode((w, p) => w.int4(p.x), SECRET), `parameter "x" must be an integer, got a string ${where}`],
  [() => encode((w, p) => w.int4(p.x), null), `parameter "x" must be an integer, got null ${where}`],
  [() => encode((w, p) => w.int4(p.x), undefined), `parameter "x" must be an integer, got undefined ${where}`],
  [
    () => encode((w, p) => w.nullable.int4(p.x), undefined),
    `parameter "x" must be an integer, got undefined (pass null for NULL) ${where}`,
  ],
  [() => encode((w, p) => w.text(p.x), [SECRET]), `parameter "x" must be a string, got an array ${where}`],
  [
    () => encode((w, p) => w.text(p.x), `${SECRET}\0`),
    `parameter "x" holds the character U+0000, which PostgreSQL cannot store ${where}`,
  ],
  [
    () => encode((w, p) => w.value(p.x, tags), [SECRET, 1]),
    `parameter "x" element [1] must be a string, got a number ${where}`,
  ],
  [() => encode((w, p) => w.value(p.x, tags), null), `parameter "x" must be an array, got null ${where}`],
  [() => encode((w, p) => w.json(p.x), undefined), `parameter "x" must be a JSON value, got undefined ${where}`],
  [
    () => encodeParams(query({ write: () => {} }), undefined as never),
    `parameter "x" must come in an object, got undefined ${where}`,
  ],
  [
    () => encodeParams(query({ write: () => {} }), SECRET as never),
    `parameter "x" must come in an object, got a string ${where}`,
  ],
  [
    () => encodeParams(query({ write: () => {}, params: ['id', 'email'] }), null as never),
    `parameter "id, email" must come in an object, got null ${where}`,
  ],
]

test('misuse of parameters', () => {
  for (const [work, message] of refusedParams) {
    const error = errorOf(work)
    assert.instance(error, ParameterError)
    assert.is(error.message, message)
    assert.is((error as ParameterError).query, 'getUser')
  }
})

test('the parameter is named by its number, whichever half wrote it', () => {
  const write = (w: ParamWriter) => {
    w.int4(1)
    w.nullable.text(null)
    w.text(1 as never)
  }
  const error = errorOf(() => encodeParams(query({ write, params: ['a', 'b', 'c'] }), {} as AnyParams))
  assert.is((error as ParameterError).parameter, 'c')
})

const notNull = 'is NULL, but its type says that it cannot be: run `plainsql generate`, or mark the column "name?"'
const stale = (type: string) => `is not ${type} as PostgreSQL prints it: run \`plainsql generate\``
const refusedRows: [(r: RowReader) => unknown, string | null, string][] = [
  [(r) => r.int4(0), null, notNull],
  [(r) => r.bool(0), null, notNull],
  [(r) => r.json(0), null, notNull],
  [(r) => r.value(0, tags), null, notNull],
  [(r) => r.int2(0), SECRET, stale('int2')],
  [(r) => r.nullable.int4(0), SECRET, stale('int4')],
  [(r) => r.int8(0), SECRET, stale('int8')],
  [(r) => r.bigint(0), SECRET, stale('int8')],
  [(r) => r.float8(0), SECRET, stale('float8')],
  [(r) => r.bool(0), SECRET, stale('bool')],
  [(r) => r.json(0), SECRET, stale('JSON')],
  [(r) => r.bytea(0), SECRET, "arrived in the escape format: set bytea_output to 'hex'"],
  [(r) => r.value(0, tags), SECRET, stale('text[]')],
  [(r) => r.value(0, tags), '{NULL}', 'element [0] is NULL, which its type rules out'],
  [(r) => r.timestamptz(0), 'infinity', 'is infinity, which a Date cannot hold: select it as text'],
]

test('rows that are not what the types say', () => {
  for (const [read, text, problem] of refusedRows) {
    const error = errorOf(() => decode(read, text))
    assert.instance(error, DecodeError)
    assert.is(error.message, `column "c" ${problem} ${where}`)
    assert.is((error as DecodeError).column, 'c')
  }
})

test('a column that did not arrive is named by its number', () => {
  const problem = 'did not arrive: the query was generated for another schema; run `plainsql generate`'
  for (const read of [(r: RowReader) => r.text(1), (r: RowReader) => r.nullable.text(1)]) {
    assert.is(errorOf(() => decode(read, 'a')).message, `column "1" ${problem} ${where}`)
  }
})

function errorOf(work: () => unknown): Error {
  try {
    work()
  } catch (error) {
    assert.instance(error, Error)
    assert.not.match((error as Error).message, SECRET)
    return error as Error
  }
  assert.unreachable('nothing was thrown')
  throw new Error('unreachable')
}

test.run()
