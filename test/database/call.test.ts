// A call that was sent twice: the first answer counts, and an error only if the other one has failed as well.
// wire only: no call of it goes over a connection

import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Call } from '../../lib/database/wire/call.ts'
import { number, sleep } from './support.ts'

function twins(): { one: Call; other: Call; answer: Promise<unknown> } {
  const { query } = number('select 1')
  let resolve: (result: unknown) => void = () => {}
  const answer = new Promise((done) => {
    resolve = done
  })
  const [one, other] = [new Call(query as never, undefined, resolve), new Call(query as never, undefined, resolve)]
  one.twin = other
  other.twin = one
  one.moved = true
  other.moved = true
  return { one, other, answer }
}

const failing = (message: string) => () => new Error(message)
const outcome = (answer: Promise<unknown>) => answer.catch((error: Error) => error.message)

test('one fails, the other answers', async () => {
  for (const failed of ['one', 'other'] as const) {
    const { [failed]: call, [failed === 'one' ? 'other' : 'one']: left, answer } = twins()
    call.fail(failing('lost'))
    await sleep(1)
    left.resolve(7)
    assert.is(await outcome(answer), 7)
  }
})

test('one answers, the other fails afterwards', async () => {
  const { one, other, answer } = twins()
  other.resolve(7)
  one.fail(failing('lost'))
  assert.is(await outcome(answer), 7)
})

test("both fail: the last error is the call's", async () => {
  const { one, other, answer } = twins()
  one.fail(failing('first'))
  other.fail(failing('last'))
  assert.is(await outcome(answer), 'last')
})

test('one is lost with its connection while the other runs, which then is alone', async () => {
  const { one, other, answer } = twins()
  assert.is(one.leaveToTwin(), true)
  assert.is(other.leaveToTwin(), false)
  other.fail(failing('last'))
  assert.is(await outcome(answer), 'last')
})

test.run()
