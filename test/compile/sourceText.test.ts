import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { linesOf, postgresPosition, tokenSpanAt } from '../../lib/compile/sourceText.ts'

test('lines end at LF, CRLF and CR; a byte order mark is on no line', () => {
  const lines = linesOf('\ufeffa\nbc\r\n\rd')
  assert.equal(
    [1, 2, 3, 4].map((line) => lines.text(line)),
    ['a', 'bc', '', 'd'],
  )
  assert.is(lines.count, 4)
  assert.equal(lines.placeAt(0), { line: 1, column: 1 })
  assert.equal(lines.placeAt(1), { line: 1, column: 1 })
  assert.equal(lines.placeAt(4), { line: 2, column: 2 })
  assert.equal(lines.placeAt(8), { line: 4, column: 1 })
  assert.equal(lines.placeAt(9), { line: 4, column: 2 })
})

test('a place and its offset are the same for any text', () => {
  const unit = fc.constantFrom('a', 'é', '😀', '\t', '\n', '\r\n', '\r')
  fc.assert(
    fc.property(fc.string({ unit }), fc.nat(), (text, any) => {
      const lines = linesOf(text)
      const offset = any % (text.length + 1)
      const { line, column } = lines.placeAt(offset)
      assert.is(lines.start(line) + column - 1, offset)
    }),
  )
})

test('PostgreSQL counts code points from 1', () => {
  for (const [sql, position, offset] of [
    ['select x', 8, 7],
    ["'é' x", 5, 4],
    ["'😀' x", 5, 5],
    ["'👩‍👩‍👧' x", 9, 11],
    ['x', 99, 1],
    ['x', 0, 0],
  ] as const) {
    assert.is(postgresPosition(sql, position), offset, sql)
  }
})

test('the token at a place is the whole one; a dotted name is whole from its start', () => {
  for (const [text, token] of [
    ['select |nmae from t', 'nmae'],
    ['select nm|ae from t', 'nmae'],
    ['select |u.nmae from t', 'u.nmae'],
    ['select u|.nmae from t', '.'],
    ['select u.|nmae from t', 'nmae'],
    ['select |public."My Table".id', 'public."My Table".id'],
    ['select |u.* from u', 'u'],
    ['select |count(*)', 'count'],
    ["where |'it''s' = 1", "'it''s'"],
    ['where a |<= b', '<='],
    ['where |:user_id? = b', ':user_id?'],
    ['select| a', ''],
    ['select a|', ''],
    ['', ''],
  ] as const) {
    const sql = text.replace('|', '')
    const { start, end } = tokenSpanAt(sql, Math.max(0, text.indexOf('|')))
    assert.is(sql.slice(start, end), token, text)
  }
})

test.run()
