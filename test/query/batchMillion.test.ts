// The limit that `batch` promises: a million rows in one transaction, in bounded memory.

import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { Client } from 'pg'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { typescriptFlags } from '../support/nodeFlags.ts'
import { freshDatabase } from '../support/server.ts'

test('a million rows, where the heap has room for half as much again as they take', async () => {
  const { url, drop } = await freshDatabase('')
  // The rows take 60 MB.
  const flags = ['--max-old-space-size=96', ...typescriptFlags]
  const output = execFileSync(process.execPath, [...flags, join(import.meta.dirname, 'millionRows.ts')], {
    env: { ...process.env, DATABASE_URL: url, NODE_OPTIONS: '' },
    encoding: 'utf8',
  })
  assert.is(output.trim(), '1000000')
  const client = new Client(url)
  await client.connect()
  const { rows } = await client.query(
    'select count(*)::int as count, sum(n) = 499999500000 as complete, count(distinct xmin::text)::int as transactions from million',
  )
  assert.equal(rows, [{ count: 1_000_000, complete: true, transactions: 1 }])
  await client.end()
  await drop()
})

test.run()
