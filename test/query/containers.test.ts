// Arrays, composites, ranges, multiranges and hstore without a server: PostgreSQL's texts, and everything that is
// neither. That PostgreSQL agrees is shown in roundtrip.test.ts.
// wire only: no call of it goes over a connection

import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import * as codec from '../../lib/query/codecs.ts'

const { array, composite, int4, multirange, nullable, range, text } = codec

const texts = array(text)
const nullableTexts = array(nullable(text))
const address = composite({ street: text, zip: nullable(int4) })
const during = range(codec.timestamptz)

const decodes: [type: codec.Codec<unknown, never>, text: string, value: unknown][] = [
  [array(int4), '{}', []],
  [array(int4), '{1,-2,3}', [1, -2, 3]],
  [array(int4), '[0:2]={1,2,3}', [1, 2, 3]],
  [array(int4), '[-5:-4]={1,2}', [1, 2]],
  [array(nullable(int4)), '{NULL,1}', [null, 1]],
  [array(nullable(int4)), '[0:1]={NULL,1}', [null, 1]],
  [array(codec.bool), '{t,f}', [true, false]],
  [array(codec.float8), '{NaN,-0,1e-07}', [Number.NaN, -0, 1e-7]],
  [texts, '{a,b c}', ['a', 'b c']],
  [texts, '{a(b),[c]}', ['a(b)', '[c]']],
  [texts, '{"",""}', ['', '']],
  [texts, '{"NULL","null","Null"}', ['NULL', 'null', 'Null']],
  [texts, '{"a,b","{}","say \\"hi\\"","back\\\\slash"," "}', ['a,b', '{}', 'say "hi"', 'back\\slash', ' ']],
  [texts, '[2:3]={"=","{"}', ['=', '{']],
  [nullableTexts, '{NULL,"NULL","a b"}', [null, 'NULL', 'a b']],
  [array(text, 1, ';'), '{(1,1),(0,0);(2,2),(0,0)}', ['(1,1),(0,0)', '(2,2),(0,0)']],
  [array(int4, 2), '{}', []],
  [
    array(int4, 2),
    '{{1,2},{3,4}}',
    [
      [1, 2],
      [3, 4],
    ],
  ],
  [
    array(int4, 2),
    '[0:1][5:6]={{1,2},{3,4}}',
    [
      [1, 2],
      [3, 4],
    ],
  ],
  [
    array(nullable(text), 3),
    '{{{a},{NULL}},{{"}"},{"{"}}}',
    [
      [['a'], [null]],
      [['}'], ['{']],
    ],
  ],
  [array(codec.bytea), '{"\\\\x00","\\\\xff"}', [Buffer.of(0), Buffer.of(255)]],
  [array(codec.json()), '{"{\\"a\\": [1, null]}","null"}', [{ a: [1, null] }, null]],
  [array(codec.timestamptz), '{"2026-11-22 00:00:00+00"}', [new Date('2026-11-22')]],
  [address, '("1, High ""St""",12345)', { street: '1, High "St"', zip: 12345 }],
  [address, '(a\u00a0b,)', { street: 'a\u00a0b', zip: null }],
  [address, '("",)', { street: '', zip: null }],
  [address, '("\\\\",1)', { street: '\\', zip: 1 }],
  [composite({}), '()', {}],
  [composite({ only: nullable(text) }), '()', { only: null }],
  [
    composite({ tags: texts, in: address }),
    '("{""a b"",c}","(x,1)")',
    { tags: ['a b', 'c'], in: { street: 'x', zip: 1 } },
  ],
  [
    array(address),
    '{"(\\"1, St\\",1)","(b,)"}',
    [
      { street: '1, St', zip: 1 },
      { street: 'b', zip: null },
    ],
  ],
  [range(int4), 'empty', 'empty'],
  [range(int4), '[1,3)', { lower: 1, upper: 3, bounds: '[)' }],
  [range(int4), '(,3]', { lower: null, upper: 3, bounds: '(]' }],
  [range(int4), '(,)', { lower: null, upper: null, bounds: '()' }],
  [during, '["2026-11-22 00:00:00+00",)', { lower: new Date('2026-11-22'), upper: null, bounds: '[)' }],
  [range(text), '["",")"]', { lower: '', upper: ')', bounds: '[]' }],
  [multirange(int4), '{}', []],
  [
    multirange(int4),
    '{[1,3),[5,)}',
    [
      { lower: 1, upper: 3, bounds: '[)' },
      { lower: 5, upper: null, bounds: '[)' },
    ],
  ],
  [array(range(int4)), '{"[1,3)",empty}', [{ lower: 1, upper: 3, bounds: '[)' }, 'empty']],
  [codec.hstore, '', {}],
  [codec.hstore, '"a"=>"1", "b"=>NULL, ""=>"=>, \\"\\\\"', { a: '1', b: null, '': '=>, "\\' }],
]

test('what PostgreSQL prints', () => {
  for (const [type, printed, value] of decodes) assert.equal(type.decode(printed), value, printed)
})

const encodes: [encoded: string, expected: string][] = [
  [array(int4).encode([]), '{}'],
  [array(int4).encode([1, -2]), '{1,-2}'],
  [nullableTexts.encode([null, 'NULL', '', 'a"b\\c']), '{NULL,"NULL","","a\\"b\\\\c"}'],
  [array(text, 1, ';').encode(['(1,1),(0,0)', '(2,2),(0,0)']), '{"(1,1),(0,0)";"(2,2),(0,0)"}'],
  [
    array(int4, 2).encode([
      [1, 2],
      [3, 4],
    ]),
    '{{1,2},{3,4}}',
  ],
  [address.encode({ street: 'a', zip: null }), '("a",)'],
  [composite({ only: nullable(text) }).encode({ only: null }), '()'],
  [range(int4).encode('empty'), 'empty'],
  [range(int4).encode({ lower: 1, upper: 3 }), '[1,3)'],
  [range(int4).encode({ lower: null, upper: 3, bounds: '(]' }), '(,3]'],
  [multirange(int4).encode([{ lower: 1, upper: 3 }, 'empty']), '{[1,3),empty}'],
  [codec.hstore.encode({}), ''],
  [codec.hstore.encode({ a: '1', b: null, 'c "d"': '' }), '"a"=>1, "b"=>NULL, "c \\"d\\""=>""'],
]

test('what PostgreSQL reads', () => {
  for (const [encoded, expected] of encodes) assert.is(encoded, expected)
})

const stale = (type: string) => `is not ${type} as PostgreSQL prints it: run \`plainsql generate\``
const refused: [() => unknown, string][] = [
  [() => array(int4).decode('{1,NULL}'), 'element [1] is NULL, which its type rules out'],
  [() => array(int4).decode('[0:1]={1,NULL}'), 'element [1] is NULL, which its type rules out'],
  [() => array(int4).decode('{1,x}'), `element [1] ${stale('int4')}`],
  [() => array(int4).decode('{{1,2}}'), 'is int4[][], where its type says int4[]'],
  [() => array(int4, 2).decode('{1,2}'), 'is int4[], where its type says int4[][]'],
  [() => array(int4, 2).decode('[1:1][1:1][1:1]={{{1}}}'), 'is int4[][][], where its type says int4[][]'],
  [() => array(int4).decode('1'), stale('int4[]')],
  [() => array(int4).decode('{1'), stale('int4[]')],
  [() => array(text).decode('{"a'), stale('text[]')],
  [() => array(text).decode('{"a"}b'), stale('text[]')],
  [() => array(text).decode('{"a"b}'), stale('text[]')],
  [() => array(text, 2).decode('{{"a"},"b"}'), stale('text[][]')],
  [() => array(text).decode('{"a\\'), stale('text[]')],
  [() => address.decode('(a,1,2)'), stale('a record of these fields')],
  [() => address.decode('(a)'), stale('a record of these fields')],
  [() => address.decode('(,1)'), 'field "street" is NULL, which its type rules out'],
  [() => address.decode('(a,b)'), `field "zip" ${stale('int4')}`],
  [() => range(int4).decode('[1,3'), stale('range of int4')],
  [() => range(int4).decode('{1,3}'), stale('range of int4')],
  [() => during.decode('[infinity,)'), 'field "lower" is infinity, which a Date cannot hold: select it as text'],
  [() => multirange(int4).decode('[1,3)'), stale('multirange of int4')],
  [() => codec.hstore.decode('"a"'), stale('hstore')],
  [() => array(int4).encode([1, '2'] as never), 'element [1] must be an integer, got a string'],
  [() => array(int4).encode([1, null] as never), 'element [1] must be an integer, got null'],
  [() => array(nullable(int4)).encode([undefined] as never), 'element [0] must be an integer, got undefined'],
  [() => array(int4).encode(Array(1)), 'element [0] must be an integer, got undefined'],
  [() => array(int4).encode(new Set([1]) as never), 'must be an array, got an object of class Set'],
  [() => array(int4).encode('{1}' as never), 'must be an array, got a string'],
  [() => array(int4, 2).encode([[1], [1, 2]]), 'must hold arrays of one length, and none that is empty'],
  [() => array(int4, 2).encode([[]]), 'must hold arrays of one length, and none that is empty'],
  [() => array(int4, 2).encode([[1], 2] as never), 'must hold arrays of one length, and none that is empty'],
  [() => array(int4, 2).encode([1] as never), 'element [0] must be an array, got a number'],
  [() => array(int4, 2).encode([[1], ['2']] as never), 'element [1] element [0] must be an integer, got a string'],
  [
    () => array(address).encode([{ street: 'a' } as never]),
    'element [0] field "zip" must be an integer, got undefined',
  ],
  [() => address.encode(null as never), 'must be an object, got null'],
  [() => address.encode({ street: null, zip: null } as never), 'field "street" must be a string, got null'],
  [() => range(int4).encode({ lower: 1.5, upper: 2 }), 'field "lower" must be an integer, got a fraction or NaN'],
  [() => range(int4).encode({ lower: 1 } as never), 'field "upper" must be an integer, got undefined'],
  [() => range(int4).encode([1, 2] as never), 'field "lower" must be an integer, got undefined'],
  [() => range(int4).encode('[1,2)' as never), 'must be a range, got a string'],
  [
    () => range(int4).encode({ lower: 1, upper: 2, bounds: '[[' as never }),
    'must have bounds of "[)", "[]", "(]" or "()"',
  ],
  [() => multirange(int4).encode('{}' as never), 'must be an array of ranges, got a string'],
  [() => multirange(int4).encode([null] as never), 'element [0] must be a range, got null'],
  [() => codec.hstore.encode({ secret: 1 } as never), 'must be a string, got a number'],
  [() => codec.hstore.encode({ 'a\0': '' }), 'holds the character U+0000, which PostgreSQL cannot store'],
  [
    () => composite({ a: text, '1': text }),
    'a composite with a number for a field name cannot be an object: read it as text',
  ],
]

test('what is neither', () => {
  for (const [work, message] of refused) {
    assert.throws(work, (error: Error) => error.message === message || assert.is(error.message, message))
  }
})

test('a field or key called __proto__ is a field like any other', () => {
  const type = composite({ ['__proto__']: text, constructor: int4 })
  const value = type.decode('(a,1)')
  assert.is(Object.getPrototypeOf(value), Object.prototype)
  assert.equal(Object.entries(value), [
    ['__proto__', 'a'],
    ['constructor', 1],
  ])
  assert.is(type.encode(value), '("a",1)')
  const map = codec.hstore.decode('"__proto__"=>"a"')
  assert.equal(Object.entries(map), [['__proto__', 'a']])
  assert.is(codec.hstore.encode(map), '"__proto__"=>"a"')
})

test('a string of a megabyte costs no stack', () => {
  const long = '"\\,{} '.repeat(200_000)
  // Not assert.is, whose difference of two such strings would never end.
  assert.ok(texts.decode(texts.encode([long]))[0] === long)
})

const awkward = fc.string({ unit: fc.constantFrom(...'ab "\'\\,;{}()[]=>\n\t'.split(''), 'NULL', 'é', '😀') })
const strings = fc.oneof(
  awkward,
  fc.constantFrom('NULL', 'null', 'empty', ''),
  fc.string({ unit: 'binary' }).map(storable),
)

test('what is encoded decodes to the same, nested or not', () => {
  const type = composite({
    list: array(nullable(text)),
    matrix: array(text, 2),
    inner: nullable(composite({ a: text, b: array(composite({ c: nullable(text) })) })),
    range: range(text),
    ranges: multirange(text),
    map: codec.hstore,
  })
  const optional = fc.option(strings)
  const bounds = fc.constantFrom<codec.Bounds>('[)', '[]', '(]', '()')
  const record = <T>(fields: { [K in keyof T]: fc.Arbitrary<T[K]> }) => fc.record<T>(fields, { noNullPrototype: true })
  const ranges = record({ lower: optional, upper: optional, bounds })
  const values = record({
    list: fc.array(optional),
    matrix: fc.integer({ min: 1, max: 3 }).chain((width) => {
      return fc.array(fc.array(strings, { minLength: width, maxLength: width }))
    }),
    inner: fc.option(record({ a: strings, b: fc.array(record({ c: optional })) })),
    range: fc.oneof(ranges, fc.constant('empty' as const)),
    ranges: fc.array(ranges),
    map: fc.dictionary(strings, optional, { noNullPrototype: true }),
  })
  fc.assert(
    fc.property(values, (value) => assert.equal(type.decode(type.encode(value)), value)),
    { numRuns: 500 },
  )
})

function storable(value: string): string {
  return value.replaceAll('\0', '')
}

test.run()
