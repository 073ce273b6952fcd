// The scalar codecs without a server: what each text decodes to, what each value encodes to, and what is refused in
// which words. That PostgreSQL agrees is shown in roundtrip.test.ts.
// wire only: no call of it goes over a connection

import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { cellText } from '../../lib/query/cells.ts'
import * as codec from '../../lib/query/codecs.ts'

const mood = codec.oneOf('mood', 'sad', 'ok', 'so-so "happy"')

const bothWays: [string, codec.Codec<unknown, never>, [text: string, value: unknown][]][] = [
  [
    'int2',
    codec.int2,
    [
      ['0', 0],
      ['32767', 32767],
      ['-32768', -32768],
    ],
  ],
  [
    'int4',
    codec.int4,
    [
      ['1', 1],
      ['2147483647', 2147483647],
      ['-2147483648', -2147483648],
    ],
  ],
  [
    'oid',
    codec.oid,
    [
      ['0', 0],
      ['4294967295', 4294967295],
    ],
  ],
  [
    'int8',
    codec.int8,
    [
      ['9007199254740991', 2 ** 53 - 1],
      ['-9007199254740991', 1 - 2 ** 53],
    ],
  ],
  [
    'bigint',
    codec.bigint,
    [
      ['0', 0n],
      ['9223372036854775807', 2n ** 63n - 1n],
      ['-9223372036854775808', -(2n ** 63n)],
    ],
  ],
  [
    'float4',
    codec.float4,
    [
      ['0.1', 0.1],
      ['NaN', Number.NaN],
      ['Infinity', Infinity],
      ['-Infinity', -Infinity],
    ],
  ],
  [
    'float8',
    codec.float8,
    [
      ['-0', -0],
      ['5e-324', 5e-324],
      ['1.7976931348623157e+308', Number.MAX_VALUE],
    ],
  ],
  [
    'numeric',
    codec.numeric,
    [
      ['1.10', '1.10'],
      ['NaN', 'NaN'],
      ['-Infinity', '-Infinity'],
    ],
  ],
  [
    'bool',
    codec.bool,
    [
      ['t', true],
      ['f', false],
    ],
  ],
  [
    'text',
    codec.text,
    [
      ['', ''],
      ['NULL', 'NULL'],
      ['\\x00', '\\x00'],
      ['😀 \n\t"\'', '😀 \n\t"\''],
    ],
  ],
  [
    'bytea',
    codec.bytea,
    [
      ['\\x', Buffer.of()],
      ['\\x00ff5c', Buffer.of(0, 255, 92)],
    ],
  ],
  [
    'json',
    codec.json(),
    [
      ['null', null],
      ['{"a":[1,"b"]}', { a: [1, 'b'] }],
      ['"text"', 'text'],
    ],
  ],
  [
    'oneOf',
    mood,
    [
      ['ok', 'ok'],
      ['so-so "happy"', 'so-so "happy"'],
    ],
  ],
]

for (const [name, type, rows] of bothWays) {
  test(`${name}: text and value, both ways`, () => {
    for (const [text, value] of rows) {
      assert.ok(same(type.decode(text), value), `decodes ${text}`)
      assert.is(type.encode(value as never), text)
    }
  })
}

const encodes: [string, string, string][] = [
  ['−0 as an integer', codec.int4.encode(-0), '0'],
  ['int8 of a bigint', codec.int8.encode(-(2n ** 63n)), '-9223372036854775808'],
  ['numeric of a number', codec.numeric.encode(1e21), '1e+21'],
  ['numeric of a bigint', codec.numeric.encode(10n ** 30n), '1000000000000000000000000000000'],
  ['bytea of a part of a buffer', codec.bytea.encode(new Uint8Array([1, 2, 3, 4]).subarray(1, 3)), '\\x0203'],
  [
    'JSON by toJSON',
    codec.json<unknown>().encode({ at: new Date(0), gone: undefined }),
    '{"at":"1970-01-01T00:00:00.000Z"}',
  ],
]

test('what else parameters accept', () => {
  for (const [what, actual, expected] of encodes) assert.is(actual, expected, what)
})

const refused: [codec.Codec<unknown, never>, unknown, string][] = [
  [codec.int2, 32768, 'must be between -32768 and 32767 to be int2'],
  [codec.int4, 2 ** 31, 'must be between -2147483648 and 2147483647 to be int4'],
  [codec.int4, 1.5, 'must be an integer, got a fraction or NaN'],
  [codec.int4, Number.NaN, 'must be an integer, got a fraction or NaN'],
  [codec.int4, '1', 'must be an integer, got a string'],
  [codec.int4, 1n, 'must be an integer, got a bigint'],
  [codec.int4, undefined, 'must be an integer, got undefined'],
  [codec.oid, -1, 'must be between 0 and 4294967295 to be oid'],
  [codec.int8, 2 ** 53, 'is beyond ±(2^53 − 1): pass a bigint'],
  [codec.int8, 2n ** 63n, 'must be between −2^63 and 2^63 − 1 to be int8'],
  [codec.bigint, -(2n ** 63n) - 1n, 'must be between −2^63 and 2^63 − 1 to be int8'],
  [codec.int8, '1', 'must be an integer, got a string'],
  [codec.float8, '1.5', 'must be a number, got a string'],
  [codec.numeric, true, 'must be a string, a number or a bigint, got a boolean'],
  [codec.numeric, '1\0', 'holds the character U+0000, which PostgreSQL cannot store'],
  [codec.bool, 't', 'must be a boolean, got a string'],
  [codec.text, null, 'must be a string, got null'],
  [codec.text, new Date(), 'must be a string, got an object of class Date'],
  [codec.text, ['a'], 'must be a string, got an array'],
  [codec.text, { constructor: { name: 'secret' } }, 'must be a string, got an object'],
  [codec.text, Object.create(null), 'must be a string, got an object'],
  [codec.text, 'a\0b', 'holds the character U+0000, which PostgreSQL cannot store'],
  [codec.text, 'a\ud800', 'holds half of a surrogate pair'],
  [codec.text, '\udc00\ud800', 'holds half of a surrogate pair'],
  [codec.bytea, [1, 2], 'must be a Uint8Array, got an array'],
  [codec.bytea, new Uint16Array(1), 'must be a Uint8Array, got an object of class Uint16Array'],
  [codec.json(), undefined, 'must be a JSON value, got undefined'],
  [codec.json(), () => 1, 'must be a JSON value, got a function'],
  [codec.json(), { big: 1n }, 'cannot be written as JSON: Do not know how to serialize a BigInt'],
  [mood, 'angry', 'must be a label of mood: sad, ok, so-so "happy"'],
  [mood, null, 'must be a label of mood: sad, ok, so-so "happy"'],
]

test('what a batch holds of a value has the same text, −0 too; and nothing that does not fit is held', () => {
  const odd = fc.constantFrom<unknown>(
    -0,
    2 ** 31,
    -(2 ** 53),
    'a\0',
    '\ud800',
    new Date(Number.NaN),
    new Date(-3e14),
    1n,
  )
  const values = fc.oneof(fc.integer(), fc.maxSafeInteger(), fc.double(), fc.string(), fc.boolean(), fc.date(), odd)
  const codecs: codec.Codec<unknown, never>[] = [
    ...[codec.int2, codec.int4, codec.oid, codec.int8, codec.bigint, codec.float8],
    ...[codec.bool, codec.text, codec.timestamptz],
  ]
  fc.assert(
    fc.property(values, (value) => {
      for (const { type, cell, encode } of codecs) {
        const held = cell?.(value as never)
        if (held !== undefined) assert.is(cellText(held), encode(value as never), type)
      }
    }),
    { numRuns: 500 },
  )
})

test('values that do not fit, and what is said of them', () => {
  for (const [type, value, message] of refused)
    assert.is(
      messageOf(() => type.encode(value as never)),
      message,
    )
})

const stale = (type: string) => `is not ${type} as PostgreSQL prints it: run \`plainsql generate\``
const unreadable: [codec.Codec<unknown, never>, string, string][] = [
  [codec.int4, 'one', stale('int4')],
  [codec.int4, '1.5', stale('int4')],
  [codec.int4, 'NaN', stale('int4')],
  ...['', ' ', ' 5', '5 ', '+5', '0x10', '0b1', '1e3', '5.0', '0042', '-', '-0'].flatMap((text): typeof unreadable => [
    [codec.int2, text, stale('int2')],
    [codec.oid, text, stale('oid')],
    [codec.int8, text, stale('int8')],
    [codec.bigint, text, stale('int8')],
  ]),
  ...['', ' ', ' 5', '5 ', '+5', '0x10', '1e', '.5', '5.', '042', '-', '1_0', 'infinity'].map(
    (text): (typeof unreadable)[number] => [codec.float4, text, stale('float4')],
  ),
  [
    codec.int8,
    '9007199254740992',
    'is beyond ±(2^53 − 1), which a number cannot hold: set "int8" to "bigint" or "string"',
  ],
  [codec.int8, 'one', stale('int8')],
  [codec.bigint, '0x10', stale('int8')],
  [codec.float8, 'one', stale('float8')],
  [codec.bool, 'true', stale('bool')],
  [codec.json(), 'secret', stale('JSON')],
  [codec.bytea, '\\000', "arrived in the escape format: set bytea_output to 'hex'"],
  [mood, 'angry', 'is not a label of mood (sad, ok, so-so "happy"): run `plainsql generate`'],
]

test('texts that the type does not print', () => {
  for (const [type, text, message] of unreadable)
    assert.is(
      messageOf(() => type.decode(text)),
      message,
    )
})

test('a realm of its own, as in test runners, changes nothing', async () => {
  const { runInNewContext } = await import('node:vm')
  assert.is(codec.bytea.encode(runInNewContext('new Uint8Array([1])')), '\\x01')
  assert.is(codec.timestamp.encode(runInNewContext('new Date(0)')), '1970-01-01 00:00:00.000')
})

test('whatever is passed, an error says nothing of it', () => {
  const secret = 'hunter2'
  const types = [...bothWays.map(([, type]) => type), codec.timestamptz, codec.timestamp]
  const anything = fc.oneof(
    fc.constant(secret),
    fc.constant({ [secret]: secret }),
    fc.constant([secret]),
    fc.anything(),
  )
  fc.assert(
    fc.property(fc.constantFrom(...types), anything, (type, value) => {
      if (type.type === 'json') return
      for (const work of [() => type.encode(value as never), () => type.decode(`${secret}\0${String(typeof value)}`)]) {
        const message = messageOf(work)
        assert.not.match(message ?? '', secret)
      }
    }),
  )
})

function messageOf(work: () => unknown): string | null {
  try {
    work()
    return null
  } catch (error) {
    assert.ok(error instanceof TypeError || error instanceof RangeError, String(error))
    return error.message
  }
}

/** Deep equality in which NaN is itself and −0 is not 0. */
function same(actual: unknown, expected: unknown): boolean {
  if (typeof expected === 'number') return Object.is(actual, expected)
  try {
    assert.equal(actual, expected)
    return true
  } catch {
    return false
  }
}

test.run()
