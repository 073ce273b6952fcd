// Arrays in binary form: the same to PostgreSQL as their text; and what does not fit goes as text.
// wire only: it is about the wire

import fc from 'fast-check'
import { Client } from 'pg'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { isBinaryArray, putArray } from '../../lib/database/wire/arrays.ts'
import { Outgoing } from '../../lib/database/wire/outgoing.ts'
import { type Wire, wireOver } from '../../lib/database/wire/wire.ts'
import { ParameterError, type QueryError } from '../../lib/errors.ts'
import { type Cell, cellArray } from '../../lib/query/cells.ts'
import * as codec from '../../lib/query/codecs.ts'
import type { ParamWriter } from '../../lib/query/params.ts'
import { freshDatabase } from '../support/server.ts'
import { failure, rows } from './support.ts'

const test = suite('arrays in binary form')
const { url, drop } = await freshDatabase('create domain slug as text check (value <> $$$$)')
const client = new Client(url)
await client.connect()
const wired = new Client(url)
await wired.connect()
const wire = wireOver(wired) as Wire
test.after(async () => {
  await client.end()
  await wired.end()
  await drop()
})

const storable = fc.string({ unit: 'binary' }).filter((text) => !text.includes('\0'))
const json = fc.json().filter((text) => !text.includes('\\u0000'))
const cellsOf: Readonly<Record<string, fc.Arbitrary<Cell>>> = {
  bool: fc.boolean(),
  int2: fc.integer({ min: -32768, max: 32767 }),
  int4: fc.integer(),
  int8: fc.oneof(
    fc.maxSafeInteger(),
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map((value) => String(value)),
  ),
  float8: fc.double(),
  text: storable,
  varchar: storable,
  json,
  jsonb: json,
  timestamptz: fc.date({ min: new Date('1716-01-01'), max: new Date('2284-01-01'), noInvalidDate: true }),
}

for (const [type, cell] of Object.entries(cellsOf)) {
  test(`${type}[]: the same as its text`, async () => {
    const { rows: found } = await client.query(`select '${type}[]'::regtype::oid::int as oid`)
    const { oid } = found[0]
    assert.ok(isBinaryArray(oid))
    const arrays = fc.array(fc.option(cell, { freq: 10 }), { maxLength: 40 })
    await fc.assert(
      fc.asyncProperty(arrays, async (cells) => {
        const out = new Outgoing()
        assert.ok(putArray(out, oid, cells))
        const bytes = out.take()
        assert.is(bytes.readInt32BE(0), bytes.length - 4)
        const { rows: same } = await client.query(
          `select array_send($1::${type}[]) = array_send($2::${type}[]) as same`,
          // A Buffer is what `pg` sends in binary form.
          [bytes.subarray(4), cellArray.encode(cells)],
        )
        assert.is(same[0].same, true)
      }),
      { numRuns: 150 },
    )
  })
}

test('ten thousand of each, over blocks that grow', () => {
  for (const cell of [true, 7, 'ö'.repeat(30), new Date()]) {
    const out = new Outgoing()
    out.putSized('in front')
    const oid = { boolean: 1000, number: 1022, string: 1009, object: 1185 }[typeof cell as 'string']
    assert.ok(putArray(out, oid, Array<Cell>(10_000).fill(cell)))
    const bytes = out.take()
    assert.is(bytes.toString('utf8', 4, 12), 'in front')
    assert.is(bytes.readInt32BE(12), bytes.length - 16)
  }
})

const misfits: readonly [oid: number, cell: Cell][] = [
  [1000, 1],
  [1005, 32768],
  [1005, 1.5],
  [1007, 2147483648],
  [1007, '1'],
  [1007, Number.NaN],
  [1016, 0.5],
  [1016, '9223372036854775808'],
  [1016, 'seven'],
  [1022, '1.5'],
  [1009, 7],
  [3807, 7],
  [1185, '2026-11-23'],
  [1185, new Date('2300-01-01')],
]

for (const [oid, cell] of misfits) {
  test(`an array of type ${oid} cannot hold ${cell} in binary form`, () => {
    assert.not(putArray(new Outgoing(), oid, [null, cell]))
  })
}

/** Runs `select $1::type` twice on the wire: as text, then as the server's description allows. */
async function twice(type: string, write: (w: ParamWriter, p: { p: unknown }) => void, p: unknown): Promise<unknown[]> {
  const query = rows<{ p: unknown }, string | null>(
    `select ($1::${type})::text`,
    (r) => r.nullable.text(0),
    write,
  ).query
  return [await wire.execute(query, { p }), await wire.execute(query, { p })].flat()
}

const written: readonly [
  type: string,
  write: (w: ParamWriter, p: { p: never }) => void,
  value: unknown,
  text: string,
][] = [
  ['int4[]', (w, { p }) => w.value(p, codec.array(codec.int4)), [1, -2], '{1,-2}'],
  ['int4[]', (w, { p }) => w.value(p, codec.array(codec.int4)), [], '{}'],
  ['int4[]', (w, { p }) => w.value(p, codec.array(codec.nullable(codec.int4))), [1, null], '{1,NULL}'],
  ['int4[]', (w, { p }) => w.value(p, codec.array(codec.int4, 2)), [[1], [2]], '{{1},{2}}'],
  ['int8[]', (w, { p }) => w.value(p, codec.array(codec.bigint)), [1n, 2], '{1,2}'],
  ['float8[]', (w, { p }) => w.value(p, codec.array(codec.float8)), [-0, Number.NaN, 0.1], '{-0,NaN,0.1}'],
  ['bool[]', (w, { p }) => w.value(p, codec.array(codec.bool)), [true, false], '{t,f}'],
  ['text[]', (w, { p }) => w.value(p, codec.array(codec.text)), ['a"b', 'NULL', '', 'ö'], '{"a\\"b","NULL","",ö}'],
  ['varchar(2)[]', (w, { p }) => w.value(p, codec.array(codec.text)), ['ab'], '{ab}'],
  ['slug[]', (w, { p }) => w.value(p, codec.array(codec.text)), ['x'], '{x}'],
  ['numeric[]', (w, { p }) => w.value(p, codec.array(codec.numeric)), ['1.50'], '{1.50}'],
  // Beyond what microseconds in a number can say: text.
  ['date[]', (w, { p }) => w.value(p, codec.array(codec.text)), ['2026-11-23'], '{2026-11-23}'],
  ['nullable int4[]', (w, { p }) => w.nullable.value(p, codec.array(codec.int4)), null, ''],
]

for (const [type, write, value, text] of written) {
  test(`${JSON.stringify(value, (_, item) => (typeof item === 'bigint' ? `${item}n` : item))} as ${type}`, async () => {
    const answers = await twice(type.replace('nullable ', ''), write as never, value)
    assert.equal(answers, value === null ? [null, null] : [text, text])
  })
}

test('far dates in an array are what they are', async () => {
  const dates = [new Date('0044-03-15'), new Date('9999-12-31'), new Date()]
  const write = (w: ParamWriter, { p }: { p: unknown }) => w.value(p as Date[], codec.array(codec.timestamptz))
  const [first, second] = await twice('timestamptz[]', write, dates)
  assert.is(second, first)
})

test('what is wrong in an array is the same error, and says which element it is', async () => {
  const write = (w: ParamWriter, { p }: { p: unknown }) => w.value(p as number[], codec.array(codec.int4))
  await twice('int4[]', write, [1])
  const query = rows<{ p: unknown }, string>('select ($1::int4[])::text', (r) => r.text(0), write).query
  for (const wrong of [[1, 1.5], [1, null], [2 ** 31], 'x', undefined]) {
    const error = await failure(wire.execute(query, { p: wrong }))
    assert.instance(error, ParameterError)
    if (Array.isArray(wrong)) assert.match((error as ParameterError).message, `element [${wrong.length - 1}]`)
  }
})

test('an array of a size that is planned for each run is still sent in binary form', async () => {
  const write = (w: ParamWriter, { p }: { p: unknown }) => w.value(p as number[], codec.array(codec.int4))
  const query = {
    ...rows<{ p: unknown }, number>('select cardinality($1::int4[])', (r) => r.int4(0), write).query,
    readOnly: undefined,
  }
  const many = Array.from({ length: 20_000 }, (_, n) => n)
  for (let run = 0; run < 4; run++) assert.equal(await wire.execute(query as never, { p: many } as never), [20_000])
})

test('a value that the server refuses is an error as ever', async () => {
  const write = (w: ParamWriter, { p }: { p: unknown }) => w.value(p as string[], codec.array(codec.text))
  await twice('slug[]', write, ['x'])
  const query = rows<{ p: unknown }, string>('select ($1::slug[])::text', (r) => r.text(0), write).query
  const error = await failure(wire.execute(query, { p: [''] }))
  assert.is((error as QueryError).sqlState, '23514')
})

test.run()
