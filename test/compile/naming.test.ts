import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import {
  camelCase,
  isIdentifier,
  isReserved,
  pascalCase,
  propertyKey,
  stringLiteral,
} from '../../lib/compile/naming.ts'

const table: [sql: string, camel: string, pascal: string, key: string][] = [
  ['user_id', 'userId', 'UserId', 'user_id'],
  ['userId', 'userId', 'UserId', 'userId'],
  ['id', 'id', 'Id', 'id'],
  ['id2', 'id2', 'Id2', 'id2'],
  ['address_line_2', 'addressLine2', 'AddressLine2', 'address_line_2'],
  ['a__b', 'aB', 'AB', 'a__b'],
  ['USER_ID', 'userId', 'UserId', 'USER_ID'],
  ['ID', 'ID', 'ID', 'ID'],
  ['HTTPServer', 'HTTPServer', 'HTTPServer', 'HTTPServer'],
  ['_private', '_private', 'Private', '_private'],
  ['_private_key_', '_privateKey_', 'PrivateKey_', '_private_key_'],
  ['__proto__', '__proto__', 'Proto__', "['__proto__']"],
  ['constructor', 'constructor', 'Constructor', 'constructor'],
  ['delete', 'delete', 'Delete', 'delete'],
  ['größe_cm', 'größeCm', 'GrößeCm', 'größe_cm'],
  ['été', 'été', 'Été', 'été'],
  ['?column?', '?column?', 'Column_', "'?column?'"],
  ['full name', 'full name', 'FullName', "'full name'"],
  ["it's", "it's", 'ItS', "'it\\'s'"],
  ['a\\b', 'a\\b', 'AB', "'a\\\\b'"],
  ['2nd', '2nd', '_2nd', "'2nd'"],
  ['', '', '_', "''"],
]

for (const [sql, camel, pascal, key] of table) {
  test(`${JSON.stringify(sql)} becomes ${camel}, ${pascal} and ${key}`, () => {
    assert.equal([camelCase(sql), pascalCase(sql), propertyKey(sql)], [camel, pascal, key])
  })
}

test('a converted name converts to itself', () => {
  const name = fc.string({ unit: fc.constantFrom('a', 'B', '_', '1', 'é', ' ', '$') })
  fc.assert(fc.property(name, (sql) => assert.is(camelCase(camelCase(sql)), camelCase(sql))))
})

test('every type name is an identifier', () => {
  fc.assert(fc.property(fc.string({ unit: 'grapheme' }), (sql) => assert.ok(isIdentifier(pascalCase(sql)))))
})

test('every property key makes a property of just that name, and every literal its text', () => {
  const evaluate = (code: string): unknown => new Function(`return ${code}`)()
  fc.assert(
    fc.property(
      fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('__proto__', 'constructor', '\u2028', 'a"\\')),
      (name) => {
        assert.equal(Object.keys(evaluate(`{ ${propertyKey(name)}: 1 }`.replace(/^/, '(').concat(')')) as object), [
          name,
        ])
        assert.is(evaluate(stringLiteral(name)), name)
      },
    ),
    { numRuns: 300 },
  )
})

test('reserved: what a module cannot declare, and `then`, which would make it awaitable', () => {
  for (const name of ['class', 'await', 'let', 'default', 'arguments', 'then']) assert.ok(isReserved(name), name)
  for (const name of ['of', 'async', 'type', 'get', 'one', 'constructor']) assert.not(isReserved(name), name)
})

test.run()
