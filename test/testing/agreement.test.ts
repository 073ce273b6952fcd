// One suite of the blog's functions, run on pg-mem and on PostgreSQL: every scenario must come to the same on both.

import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { memoryDatabase, testDatabase } from '../../lib/testing/index.ts'
import { scenarios } from './blog.ts'

const memory = await memoryDatabase()

for (const [title, scenario] of Object.entries(scenarios)) {
  test(title, async () => {
    memory.restore()
    await using postgres = await testDatabase()
    const started = Date.now()
    const expected = comparable(await scenario(postgres), started)
    assert.equal(comparable(await scenario(memory), started), expected)
  })
}

/** The moments of the two runs differ; that they are moments of the run must not. */
function comparable(value: unknown, started: number): unknown {
  if (value instanceof Date) return Math.abs(value.getTime() - started) < 60_000 ? 'now' : value
  if (Array.isArray(value)) return value.map((item) => comparable(item, started))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, comparable(item, started)]))
}

test.run()
