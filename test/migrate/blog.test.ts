// The blog's migrations as their users run them, with node-pg-migrate's own command, and what they make.

import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { Client } from 'pg'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { freshDatabase, testServer } from '../support/server.ts'

test('node-pg-migrate up, redo, down and up again', async () => {
  await withDatabase(async (client, run) => {
    await run('up')
    const made = await columnsOf(client)
    await run('redo', '4')
    assert.equal(await columnsOf(client), made)
    await run('down', '4')
    assert.equal(await columnsOf(client), [])
    await run('up')
    assert.equal(await columnsOf(client), made)
  })
})

test('every foreign key has an index that starts with it', async () => {
  await withDatabase(async (client, run) => {
    await run('up')
    const { rows } = await client.query<{ key: string; indexed: boolean }>(`
      select conrelid::regclass || '.' || attname as key,
             exists (select from pg_index where indrelid = conrelid and indkey[0] = attnum) as indexed
      from pg_constraint
      join pg_attribute on attrelid = conrelid and attnum = conkey[1]
      where contype = 'f'
      order by key`)
    assert.equal(
      rows.map(({ key, indexed }) => [key, indexed]),
      [
        ['comments.author_id', true],
        ['comments.post_id', true],
        ['post_tags.post_id', true],
        ['post_tags.tag_id', true],
        ['posts.author_id', true],
      ],
    )
  })
})

test.after(async () => (await testServer()).stop())

type Run = (...args: string[]) => Promise<void>

async function withDatabase(work: (client: Client, run: Run) => Promise<void>): Promise<void> {
  const { url, drop } = await freshDatabase()
  const client = new Client(url)
  await client.connect()
  try {
    await work(client, async (...args) => {
      const env = { ...process.env, DATABASE_URL: url }
      await promisify(execFile)('node_modules/.bin/node-pg-migrate', args, { env })
    })
  } finally {
    await client.end()
    await drop()
  }
}

/** All columns of the blog, with their types, defaults and comments. */
async function columnsOf(client: Client): Promise<unknown[]> {
  const { rows } = await client.query(`
    select table_name, column_name, data_type, is_nullable, column_default, identity_generation,
           col_description(('public.' || table_name)::regclass, ordinal_position)
    from information_schema.columns
    where table_schema = 'public' and table_name <> 'pgmigrations'
    order by table_name, ordinal_position`)
  return rows
}

test.run()
