// The node-tree parser: a table of text ⇒ value, the wrapping of notices, depth, and a round-trip property.

import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { TreeValue } from '../../lib/compile/model.ts'
import { bool, int, ints, isNode, list, node, nodes, parseTree, text, unwrapTree } from '../../lib/compile/tree.ts'

const table: readonly [string, TreeValue][] = [
  ['<>', null],
  ['{VAR :varno 1 :location -1}', { tag: 'VAR', varno: '1', location: '-1' }],
  ['{VAR :varnullingrels (b 3 12)}', { tag: 'VAR', varnullingrels: ['3', '12'] }],
  ['{X :a (b) :b (i 1 2) :c (o 16385) :d ()}', { tag: 'X', a: [], b: ['1', '2'], c: ['16385'], d: [] }],
  ['("id" "a\\ b" "" "a"b" "i")', ['id', 'a b', '', 'a"b', 'i']],
  ['("i" 1)', ['i', '1']],
  ['({A} <> {B})', [{ tag: 'A' }, null, { tag: 'B' }]],
  ['{A :name "" :other \\<x}', { tag: 'A', name: '', other: '<x' }],
  ['{A :name a\\ b\\(c\\)\\ \\{d\\}\\ \\\\\\ "q"}', { tag: 'A', name: 'a b(c) {d} \\ "q"' }],
  ['{A :name :x :next \\1a}', { tag: 'A', name: ':x', next: '1a' }],
  ['{CONST :constvalue 4 [ 1 0 0 -128 ] :x 1}', { tag: 'CONST', constvalue: '4 [ 1 0 0 -128 ]', x: '1' }],
  ['{CONST :constlen 4 :constvalue <>}', { tag: 'CONST', constlen: '4', constvalue: null }],
  ['{A_EXPR IN :name ("=")}', { tag: 'A_EXPR', name: ['='] }],
]

for (const [source, expected] of table) {
  test(`parses ${source}`, () => assert.equal(parseTree(source), expected))
}

test('a list whose first string is a single letter keeps it, a bare letter marks the kind', () => {
  assert.equal(parseTree('("b" "c")'), ['b', 'c'])
  assert.equal(parseTree('(b 1)'), ['1'])
})

test('a hundred thousand levels do not exhaust the stack', () => {
  const depth = 100_000
  let tree = parseTree(`${'{A :x ('.repeat(depth)}${')}'.repeat(depth)}`)
  let levels = 0
  while (isNode(tree, 'A')) {
    tree = list(tree, 'x')[0] ?? null
    levels++
  }
  assert.is(levels, depth)
})

test('text that is not a whole tree is refused', () => {
  assert.throws(() => parseTree('{VAR :varno 1'), /ends too early/)
  assert.throws(() => parseTree(''), /ends too early/)
})

test('a wrapped notice reads as the unwrapped tree', () => {
  const long = 'x'.repeat(100)
  // The server breaks at a space where it finds one within 78 bytes, and cuts through the token where it does not.
  assert.is(unwrapTree('{A :b 1\n:c 2}'), '{A :b 1 :c 2}')
  assert.is(unwrapTree(`{A :b\n${long.slice(0, 78)}\n${long.slice(78)} :c 2}`), `{A :b ${long} :c 2}`)
  assert.is(unwrapTree('{A :b a\\\nb}'), '{A :b a\\ b}')
})

test('accessors answer the zero of their type for a field that is not there', () => {
  const tree = parseTree('{Q :n 7 :t true :name u :sub {S} :all ({S} {S}) :set (b 1 2)}')
  assert.ok(isNode(tree, 'Q'))
  assert.is(int(tree, 'n'), 7)
  assert.is(int(tree, 'none'), 0)
  assert.is(bool(tree, 't'), true)
  assert.is(bool(tree, 'none'), false)
  assert.is(text(tree, 'name'), 'u')
  assert.is(text(tree, 'none'), null)
  assert.equal(node(tree, 'sub'), { tag: 'S' })
  assert.is(node(tree, 'name'), null)
  assert.is(nodes(tree, 'all').length, 2)
  assert.equal(ints(tree, 'set'), [1, 2])
  assert.equal(list(tree, 'none'), [])
})

test('whatever is written as outfuncs.c writes it is read back', () => {
  const word = fc.string({ minLength: 1, unit: 'binary-ascii' }).filter((value) => !value.includes('\0'))
  const tree: fc.Arbitrary<TreeValue> = fc.letrec<{ value: TreeValue; node: TreeValue }>((tie) => ({
    value: fc.oneof({ maxDepth: 4 }, fc.constant(null), word, tie('node'), fc.array(tie('node'), { maxLength: 3 })),
    node: fc
      .dictionary(
        fc.stringMatching(/^[a-z]{1,8}$/).filter((name) => name !== 'tag'),
        tie('value'),
        { maxKeys: 4 },
      )
      .map((fields) => ({ tag: 'NODE', ...fields })),
  })).node
  fc.assert(
    fc.property(tree, (value) => assert.equal(parseTree(write(value)), value)),
    { numRuns: 300 },
  )
})

/** The counterpart of `outfuncs.c`, for the property above. */
function write(value: TreeValue): string {
  if (value === null) return '<>'
  if (typeof value === 'string') return escapeToken(value)
  if (Array.isArray(value)) return `(${value.map(write).join(' ')})`
  const { tag, ...fields } = value as { tag: string; [field: string]: TreeValue }
  return `{${tag}${Object.entries(fields)
    .map(([name, field]) => ` :${name} ${write(field)}`)
    .join('')}}`
}

function escapeToken(value: string): string {
  if (value === '') return '""'
  return value.replace(/[ \n\t(){}\\]/g, '\\$&').replace(/^(?=[<"0-9]|[+-][0-9.])/, '\\')
}

test.run()
