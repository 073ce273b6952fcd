import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { lex, readParam, type Token } from '../../lib/compile/lexer.ts'
import { sqlWithParams } from '../support/sqlText.ts'

// Each text, and its tokens without white space: `kind text`, with `…` behind a token that is never closed.
const table: [text: string, tokens: string[]][] = [
  // Parameters
  [':id', ['param :id']],
  [':user_id=:userId', ['param :user_id', 'operator =', 'param :userId']],
  [':a:b', ['param :a', 'param :b']],
  [':größe', ['param :größe']],
  [':a$$b$$', ['param :a', 'string $$b$$']],
  ['x::int', ['identifier x', 'punctuation ::', 'identifier int']],
  [':x::int', ['param :x', 'punctuation ::', 'identifier int']],
  ['x:::y', ['identifier x', 'punctuation ::', 'param :y']],
  [
    'f(a:=1, b:=:b)',
    [
      'identifier f',
      'punctuation (',
      'identifier a',
      'punctuation :=',
      'number 1',
      'punctuation ,',
      'identifier b',
      'punctuation :=',
      'param :b',
      'punctuation )',
    ],
  ],
  ['[1:2]', ['punctuation [', 'number 1', 'punctuation :', 'number 2', 'punctuation ]']],
  ['[1: n]', ['punctuation [', 'number 1', 'punctuation :', 'identifier n', 'punctuation ]']],
  ['[1:n]', ['punctuation [', 'number 1', 'param :n', 'punctuation ]']],
  ['[1 : :n]', ['punctuation [', 'number 1', 'punctuation :', 'param :n', 'punctuation ]']],
  [":'a'", ['punctuation :', "string 'a'"]],
  // Marks: only directly behind the name, and only where PostgreSQL would read no operator with a right operand
  [':a?', ['param :a?']],
  [':a! ', ['param :a!']],
  [':a?)', ['param :a?', 'punctuation )']],
  [':a?::text', ['param :a?', 'punctuation ::', 'identifier text']],
  [':a?[1]', ['param :a?', 'punctuation [', 'number 1', 'punctuation ]']],
  [':a? = 1', ['param :a?', 'operator =', 'number 1']],
  [':a?--x', ['param :a?', 'line-comment --x']],
  [':a!/*x*/', ['param :a!', 'block-comment /*x*/']],
  [':a ?', ['param :a', 'operator ?']],
  [':a!=:b', ['param :a', 'operator !=', 'param :b']],
  [':a!~~*:b', ['param :a', 'operator !~~*', 'param :b']],
  [':a?|:b', ['param :a', 'operator ?|', 'param :b']],
  [':a?&:b', ['param :a', 'operator ?&', 'param :b']],
  [':a?-1', ['param :a', 'operator ?-', 'number 1']],
  [':a!!', ['param :a', 'operator !!']],
  [":a?'k'", ['param :a', 'operator ?', "string 'k'"]],
  [':a?:b', ['param :a', 'operator ?', 'param :b']],
  [':a?.5', ['param :a', 'operator ?', 'number .5']],
  [':a?(b)', ['param :a', 'operator ?', 'punctuation (', 'identifier b', 'punctuation )']],
  // Strings
  ["'it''s :a'", ["string 'it''s :a'"]],
  ["'\\'||:a", ["string '\\'", 'operator ||', 'param :a']],
  ["E'\\':a'", ["string E'\\':a'"]],
  ["e'\\\\':a", ["string e'\\\\'", 'param :a']],
  ["U&'\\':a", ["string U&'\\'", 'param :a']],
  ["n'\\':a", ["string n'\\'", 'param :a']],
  ["b'0':a", ["string b'0'", 'param :a']],
  ["X'f':a", ["string X'f'", 'param :a']],
  ["typee'a'", ['identifier typee', "string 'a'"]],
  ["'a'\n':b'", ["string 'a'\n':b'"]],
  ["'a' ':b'", ["string 'a'", "string ':b'"]],
  ["'a' -- it's\n\t-- :b\n ':c'", ["string 'a' -- it's\n\t-- :b\n ':c'"]],
  ["'a' /* */\n':b'", ["string 'a'", 'block-comment /* */', "string ':b'"]],
  ["E'a'\n'\\':b'", ["string E'a'\n'\\':b'"]],
  ["'a'\n'\\':b", ["string 'a'\n'\\'", 'param :b']],
  // Dollar quotes
  ['$$:a$$', ['string $$:a$$']],
  ['$a$ $$ $b$ :c $a$:d', ['string $a$ $$ $b$ :c $a$', 'param :d']],
  ['$a$ $aa$ $A$ $a$', ['string $a$ $aa$ $A$ $a$']],
  ['$1$$:a$$', ['positional $1', 'string $$:a$$']],
  ['a$1', ['identifier a$1']],
  ['a$$:b$$', ['identifier a$$', 'param :b', 'string $$…']],
  ['$1a$', ['positional $1', 'identifier a$']],
  // Identifiers
  ['"a"":b"', ['quoted-identifier "a"":b"']],
  ['U&"\\":a', ['quoted-identifier U&"\\"', 'param :a']],
  ['u&b', ['identifier u', 'operator &', 'identifier b']],
  ['naïve_日本', ['identifier naïve_日本']],
  // Comments
  ['--:a\n:b', ['line-comment --:a', 'param :b']],
  ['--:a\r:b', ['line-comment --:a', 'param :b']],
  ['/* /* :a */ :b */:c', ['block-comment /* /* :a */ :b */', 'param :c']],
  ['/**/:a', ['block-comment /**/', 'param :a']],
  ['/*/*/ */ */:a', ['block-comment /*/*/ */ */', 'param :a']],
  ['1+/*:a*/2', ['number 1', 'operator +', 'block-comment /*:a*/', 'number 2']],
  ['1*--:a', ['number 1', 'operator *', 'line-comment --:a']],
  // Operators: + and - end one only if it holds a character that SQL's own operators lack
  ['1=-1', ['number 1', 'operator =', 'operator -', 'number 1']],
  ['1@-1', ['number 1', 'operator @-', 'number 1']],
  ['a<=+-1', ['identifier a', 'operator <=', 'operator +', 'operator -', 'number 1']],
  ["j->>'a'", ['identifier j', 'operator ->>', "string 'a'"]],
  // Numbers
  [
    '1_000 0xF_f 0o17 0b1_0 1. .5 1.5e-10 1e',
    [
      'number 1_000',
      'number 0xF_f',
      'number 0o17',
      'number 0b1_0',
      'number 1.',
      'number .5',
      'number 1.5e-10',
      'number 1',
      'identifier e',
    ],
  ],
  ['1..10', ['number 1', 'punctuation ..', 'number 10']],
  // psql's own
  ["\\set a 'it's\n:b", ["meta-command \\set a 'it's", 'param :b']],
  // Never closed
  ["a 'b:c", ['identifier a', "string 'b:c…"]],
  ["E'\\'", ["string E'\\'…"]],
  ['"a', ['quoted-identifier "a…']],
  ['$a$ $b$', ['string $a$ $b$…']],
  ['/* /* */', ['block-comment /* /* */…']],
  ["'a'\n'b", ["string 'a'\n'b…"]],
]

for (const [text, expected] of table)
  test(`lexes ${JSON.stringify(text)}`, () => assert.equal(describe(text), expected))

test('among quotes and comments of every form exactly the planted parameters are found', () => {
  fc.assert(
    fc.property(sqlWithParams, ({ text, params }) => {
      const tokens = lex(text)
      const found = tokens
        .filter((token) => token.kind === 'param')
        .map((token) => ({ ...readParam(text, token), start: token.start }))
      assert.equal(found, params)
      assert.ok(tokens.every((token) => token.closed))
    }),
    { numRuns: 2000 },
  )
})

test('the tokens of any text, joined, are the text', () => {
  const piece = fc.constantFrom(
    "'",
    '"',
    '$$',
    '$a$',
    '/*',
    '*/',
    '--',
    '\n',
    '\r',
    '\\',
    ':',
    ':a',
    '?',
    '!',
    'E',
    'U&',
    '::',
    '😀',
    '\0',
  )
  fc.assert(
    fc.property(fc.array(fc.oneof(piece, fc.string({ unit: 'binary', maxLength: 4 }))), (pieces) => {
      const text = pieces.join('')
      assert.is(join(text, lex(text)), text)
    }),
    { numRuns: 2000 },
  )
})

test('long runs of dashes, quotes and nested comments take linear time', () => {
  const dashes = `'a' ${'-'.repeat(50_000)} -- ${'- '.repeat(50_000)}x`
  assert.is(lex(dashes).length, 3)
  assert.is(lex(`'${"''".repeat(50_000)}'`).length, 1)
  assert.is(lex(`E'${"\\'".repeat(50_000)}'`).length, 1)
  assert.is(lex(`${'/*'.repeat(50_000)}${'*/'.repeat(50_000)}`).length, 1)
})

function describe(text: string): string[] {
  return lex(text)
    .filter((token) => token.kind !== 'space')
    .map((token) => `${token.kind} ${text.slice(token.start, token.end)}${token.closed ? '' : '…'}`)
}

function join(text: string, tokens: readonly Token[]): string {
  return tokens.map((token) => text.slice(token.start, token.end)).join('')
}

test.run()
