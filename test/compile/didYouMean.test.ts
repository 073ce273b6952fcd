import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { didYouMean, editDistance } from '../../lib/compile/didYouMean.ts'

const columns = ['id', 'name', 'email', 'full_name', 'created_at', 'is_active']

for (const [word, meant] of [
  ['nmae', 'name'],
  ['nam', 'name'],
  ['NAME', 'name'],
  ['emial', 'email'],
  ['creatd_at', 'created_at'],
  ['created', null],
  ['fullname', 'full_name'],
  ['isactive', 'is_active'],
  ['di', 'id'],
  ['x', null],
  ['title', null],
  ['name', null],
  ['', null],
] as const) {
  test(`${word || 'nothing'} ${meant ? `is taken for ${meant}` : 'is near to none'}`, () => {
    assert.is(didYouMean(word, columns), meant)
  })
}

test('the nearest wins, the first among equals', () => {
  assert.is(didYouMean('posts', ['post_', 'posst', 'post']), 'post_')
  assert.is(didYouMean('valeus', ['value', 'values']), 'values')
})

test('a swap of neighbours is one edit', () => {
  for (const [a, b, distance] of [
    ['', '', 0],
    ['', 'abc', 3],
    ['abcd', 'abdc', 1],
    ['abcd', 'acbd', 1],
    ['kitten', 'sitting', 3],
    ['ca', 'abc', 3],
  ] as const) {
    assert.is(editDistance(a, b), distance, `${a} ${b}`)
    assert.is(editDistance(b, a), distance, `${b} ${a}`)
  }
})

test.run()
