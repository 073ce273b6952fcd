// Schemas as pg_dump writes them, for databases in tests.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { exec } from '../../lib/index.ts'
import { memoryDatabase, testDatabase } from '../../lib/testing/index.ts'
import { testServer } from '../support/server.ts'

process.env.DATABASE_URL = (await testServer()).url

const addItem = exec<void>({
  name: 'addItem',
  source: 'dump.test.ts',
  statement: 'addItem',
  sql: 'insert into items values (1)',
})

test('the lines that only psql knows are no obstacle', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'plainsql-dump-'))
  const schema = join(folder, 'dump.sql')
  writeFileSync(schema, '\\restrict abc\n\ncreate table items (id int primary key);\n\n\\unrestrict abc\n')
  for (const open of [memoryDatabase, testDatabase]) {
    const db = await open({ schema })
    assert.is(await addItem(db), 1)
    await db.close()
  }
  rmSync(folder, { recursive: true })
})

test.run()
