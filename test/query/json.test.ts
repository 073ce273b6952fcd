// Codecs of JSON that queries build: texts as PostgreSQL prints them, and what comes out of them.
// wire only: no call of it goes over a connection

import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Codec } from '../../lib/query/codecs.ts'
import * as codec from '../../lib/query/codecs.ts'

const nested = codec.jsonObject({
  id: codec.int4,
  createdAt: codec.jsonKey('created_at', codec.nullable(codec.timestamptz)),
})

const tables: Readonly<Record<string, readonly [codec: Codec<unknown, never>, text: string, value: unknown][]>> = {
  'what PostgreSQL writes bare': [
    [codec.jsonArray(codec.int4), '[1, -2]', [1, -2]],
    [codec.jsonArray(codec.int8), '[9007199254740991]', [9007199254740991]],
    [codec.jsonArray(codec.float8), '[1.5, 1e300, -0, "NaN", "-Infinity"]', [1.5, 1e300, -0, NaN, -Infinity]],
    [codec.jsonArray(codec.bool), '[true, false]', [true, false]],
  ],
  'what PostgreSQL writes as a string of its text': [
    [codec.jsonArray(codec.text), '["a", "", "\\u00e9"]', ['a', '', 'é']],
    [codec.jsonArray(codec.oid), '["4294967295"]', [4294967295]],
    [codec.jsonArray(codec.bytea), '["\\\\x00ff"]', [Buffer.from([0, 255])]],
    [
      codec.jsonArray(codec.timestamptz),
      '["2026-11-22T21:14:05.123456+05:30"]',
      [new Date('2026-11-22T15:44:05.123Z')],
    ],
    [codec.jsonArray(codec.timestamptz), '["0044-03-15T12:00:00+00:00 BC"]', [new Date('-000043-03-15T12:00:00Z')]],
    [codec.jsonArray(codec.timestamp), '["2026-11-22T21:14:05"]', [new Date('2026-11-22T21:14:05Z')]],
    [codec.jsonArray(codec.range(codec.int4)), '["[1,3)"]', [{ lower: 1, upper: 3, bounds: '[)' }]],
    [codec.jsonArray(codec.oneOf('mood', 'happy')), '["happy"]', ['happy']],
  ],
  'digits that a number would lose': [
    [
      codec.jsonArray(codec.numeric),
      '[12345678901234567890.1200, 1E+3, "NaN"]',
      ['12345678901234567890.1200', '1E+3', 'NaN'],
    ],
    [codec.jsonArray(codec.bigint), '[9223372036854775807]', [9223372036854775807n]],
    [
      codec.jsonObject({ price: codec.numeric, any: codec.json<unknown>(), n: codec.int4, f: codec.float8 }),
      '{"f": 1.50, "price": 1.50, "n": 7, "any": {"a": [1.50, [], [[]], ["n", "1"], "[1]", "\\"2\\""], "__proto__": 3}}',
      {
        price: '1.50',
        any: JSON.parse('{"a": [1.5, [], [[]], ["n", "1"], "[1]", "\\"2\\""], "__proto__": 3}'),
        n: 7,
        f: 1.5,
      },
    ],
  ],
  'a document that is one value': [
    [codec.jsonOf(codec.timestamptz), '"2026-11-22T21:14:05+00:00"', new Date('2026-11-22T21:14:05Z')],
    [codec.jsonOf(codec.numeric), '1.50', '1.50'],
    [codec.jsonOf(codec.bool), 'true', true],
    [codec.array(codec.jsonOf(codec.text)), '{"\\"a\\""}', ['a']],
  ],
  structure: [
    [codec.jsonObject({ a: codec.text, b: codec.bool }), '{"b":true,"a":"x"}', { a: 'x', b: true }],
    [codec.jsonObject({ a: codec.text }), '{"b":true,"a":"x"}', { a: 'x' }],
    [codec.jsonObject({ a: codec.nullable(codec.text) }), '{"a":null}', { a: null }],
    [codec.jsonObject({ a: codec.float8, b: codec.oid }), '{"a":"NaN","b":"7"}', { a: NaN, b: 7 }],
    [codec.jsonObject({ a: { ...codec.text, decode: (text) => text.length } }), '{"a":"xyz"}', { a: 3 }],
    [codec.jsonObject({ toString: codec.text }), '{"toString":"x"}', { toString: 'x' }],
    [nested, '{"created_at":null,"id":1}', { id: 1, createdAt: null }],
    [codec.jsonArray(codec.nullable(nested)), '[null, {"id":1,"created_at":null}]', [null, { id: 1, createdAt: null }]],
    [codec.jsonTuple(codec.int4, codec.nullable(codec.text)), '[1, null]', [1, null]],
    [codec.jsonRecord(codec.int4), '{"b": 1, "a": 2, "__proto__": 3}', JSON.parse('{"b": 1, "a": 2, "__proto__": 3}')],
    [codec.jsonArray(codec.jsonArray(codec.int4)), '[[1], []]', [[1], []]],
    [codec.array(nested), '{"{\\"id\\": 1, \\"created_at\\": null}"}', [{ id: 1, createdAt: null }]],
  ],
}

for (const [title, rows] of Object.entries(tables)) {
  for (const [type, text, value] of rows) test(`${title}: ${text}`, () => assert.equal(type.decode(text), value))
}

const mistakes: readonly (readonly [codec: Codec<unknown, never>, text: string, message: string])[] = [
  [nested, '{"id":null,"created_at":null}', 'field "id" is NULL, which its type rules out'],
  [nested, '{"id":1}', 'field "createdAt" is missing: run `plainsql generate`'],
  [codec.jsonObject({ constructor: codec.text }), '{}', 'field "constructor" is missing: run `plainsql generate`'],
  [codec.jsonObject({ a: codec.text }), '{"b":"x"}', 'field "a" is missing: run `plainsql generate`'],
  [codec.jsonObject({ a: codec.text }), '{"a":null}', 'field "a" is NULL, which its type rules out'],
  [codec.jsonObject({ a: codec.text }), '{"a":{}}', 'field "a" must be text, got an object: run `plainsql generate`'],
  [
    codec.jsonObject({ a: codec.int4 }),
    '{"a":1.5}',
    'field "a" is not int4 as PostgreSQL prints it: run `plainsql generate`',
  ],
  [nested, '[]', 'must be an object, got an array: run `plainsql generate`'],
  [
    codec.jsonArray(nested),
    '[{"id":"secret","created_at":null}]',
    'element [0] field "id" is not int4 as PostgreSQL prints it: run `plainsql generate`',
  ],
  [codec.jsonArray(codec.text), '[{}]', 'element [0] must be text, got an object: run `plainsql generate`'],
  [
    codec.jsonArray(codec.timestamptz),
    '["infinity"]',
    'element [0] is infinity, which a Date cannot hold: select it as text',
  ],
  [
    codec.jsonArray(codec.int8),
    '[9007199254740993]',
    'element [0] is beyond ±(2^53 − 1), which a number cannot hold: set "int8" to "bigint" or "string"',
  ],
  [codec.jsonTuple(codec.int4), '[1, 2]', 'must be an array of 1, got an array: run `plainsql generate`'],
  [codec.jsonArray(codec.text), 'secret', 'is not JSON as PostgreSQL prints it: run `plainsql generate`'],
]

for (const [type, text, message] of mistakes) {
  test(`refused: ${text} as ${type.type}`, () => {
    assert.throws(
      () => type.decode(text),
      (error: Error) => {
        assert.is(error.message, message)
        return true
      },
    )
  })
}

test('long documents', () => {
  const long = 'x'.repeat(5_000_000)
  assert.equal(codec.jsonArray(codec.numeric).decode(`["${long}",1.0]`), [long, '1.0'])
})

test.run()
