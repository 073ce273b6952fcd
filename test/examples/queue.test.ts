// The job queue, as its reader runs it: every job is done once, and the one that cannot be done is given up.
// wire only: the example runs in a process of its own

import { resolve } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { runExample } from '../support/runExample.ts'
import { testServer } from '../support/server.ts'

test.after(async () => (await testServer()).stop())

test('four workers do each of forty jobs once', async () => {
  const { url } = await testServer()
  const { output, code } = await runExample('examples/queue.ts', { DATABASE_URL: url })
  assert.is(code, 0, output)
  assert.match(output, '39 done, 0 waiting, 1 given up after 3 attempts')
  assert.match(output, '39 letters were written, for 39 jobs')
  const [, counts = ''] = /they took (.*) jobs/.exec(output) ?? []
  // The pigeon was tried three times.
  const taken = counts.split(', ').reduce((sum, count) => sum + Number(count), 0)
  assert.is(taken, 42, output)
})

test('its generated functions are up to date', async () => {
  const { url } = await testServer()
  const { output, code } = await runExample(
    resolve('lib/cli/main.ts'),
    { DATABASE_URL: url },
    ['check'],
    'examples/jobs',
  )
  assert.is(code, 0, output)
})

test.run()
