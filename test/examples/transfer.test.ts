// Money transfers under SERIALIZABLE, as their reader runs them: the books balance and nobody is overdrawn.
// wire only: the example runs in a process of its own

import { resolve } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { runExample } from '../support/runExample.ts'
import { testServer } from '../support/server.ts'

test.after(async () => (await testServer()).stop())

test('180 transfers by 8 callers keep the rule and the total', async () => {
  const { url } = await testServer()
  const { output, code } = await runExample('examples/transfer.ts', { DATABASE_URL: url })
  assert.is(code, 0, output)
  assert.match(output, 'there are 500 in the bank, as before; customers below zero: 0')
  const [, made, refused] = /(\d+) made, (\d+) refused/.exec(output) ?? []
  assert.is(Number(made) + Number(refused), 180, output)
})

test('its generated functions are up to date', async () => {
  const { url } = await testServer()
  const { output, code } = await runExample(
    resolve('lib/cli/main.ts'),
    { DATABASE_URL: url },
    ['check'],
    'examples/bank',
  )
  assert.is(code, 0, output)
})

test.run()
