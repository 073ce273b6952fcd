// The circuit alone: who may try while the server cannot be reached.
// wire only: no call of it goes over a connection

import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Circuit } from '../../lib/database/pool/circuit.ts'

const refused = new Error('refused')
const { now } = performance
let clock = 0

test.before.each(() => {
  clock = 0
  performance.now = () => clock
})
test.after(() => {
  performance.now = now
})

test('one tries for all the others, whatever happens to those who came before or never asked', () => {
  const changes: (string | undefined)[] = []
  const circuit = new Circuit((failure) => changes.push(failure?.message))
  const [first, second] = [circuit.enter(null), circuit.enter(null)]
  assert.equal([first, second], [false, false])
  circuit.failed(refused, first)
  assert.throws(() => circuit.enter(null), 'is not asked again yet')
  clock = 60
  const tries = circuit.enter(null)
  assert.is(tries, true)
  // An attempt from before fails late, and somebody who waited for an idle connection gives up.
  circuit.failed(refused, second)
  circuit.gaveUp(false)
  assert.throws(() => circuit.enter(null), 'is not asked again yet')
  circuit.failed(refused, tries)
  clock = 100
  assert.throws(() => circuit.enter(null), 'is not asked again yet')
  clock = 200
  assert.is(circuit.enter(null), true)
  circuit.succeeded()
  circuit.succeeded()
  assert.equal([circuit.enter(null), circuit.open], [false, false])
  assert.equal(changes, ['refused', undefined])
})

test.run()
