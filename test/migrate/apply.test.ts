import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from 'pg'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { ConnectionError } from '../../lib/errors.ts'
import { applyMigrations, nodePgMigrate } from '../../lib/migrate/apply.ts'
import { MigrationFailedError, MigrationFilesError, MigrationToolMissingError } from '../../lib/migrate/errors.ts'
import { freshDatabase, testServer } from '../support/server.ts'

test('the blog goes up, partly down, up again and all the way down', async () => {
  await withDatabase(async (url) => {
    const short = (names: string[]): string[] => names.map((name) => name.replace(/^\d+_create-/, ''))
    const blog = ['users', 'posts', 'comments', 'tags']
    const run = { url, folder: 'migrations' }

    assert.equal(short(await applyMigrations(run)), blog)
    assert.equal(await tables(url), ['comments', 'pgmigrations', 'post_tags', 'posts', 'tags', 'users'])
    assert.equal(await applyMigrations(run), [])
    assert.equal(short(await applyMigrations({ ...run, direction: 'down' })), ['tags'])
    assert.equal(short(await applyMigrations({ ...run, direction: 'down', count: 2 })), ['comments', 'posts'])
    assert.equal(short(await applyMigrations({ ...run, count: 1 })), ['posts'])
    assert.equal(short(await applyMigrations({ ...run, direction: 'down', count: 9 })), ['posts', 'users'])
    assert.equal(await tables(url), ['pgmigrations'])
  })
})

test('a failing migration names its file and line, and takes the others with it', async () => {
  const files = {
    '1_good.sql': 'create table good ();\n',
    '2_bad.sql': '-- What for: 🦊\n-- Up Migration\ncreate table bad ();\nselect "🦊" as x, nmae\n  from bad;\n',
  }
  await inFolder(files, (folder) =>
    withDatabase(async (url) => {
      const error = await failure(applyMigrations({ url, folder }), MigrationFailedError)
      assert.is(error.source, `${folder}/2_bad.sql:4:8`)
      assert.is(error.migration, '2_bad')
      assert.is(error.sqlState, '42703')
      assert.is(
        error.message,
        `${folder}/2_bad.sql:4:8: column "🦊" does not exist [42703]; "up" was rolled back as a whole`,
      )
      assert.equal(await tables(url), ['pgmigrations'])
      assert.is(await connections(url), 1)
    }),
  )
})

test('down: the place in the Down part', async () => {
  const files = { '1_a.sql': '-- Up Migration\nselect 1;\n\n-- Down Migration\n\ndrop table nowhere;\n' }
  await inFolder(files, (folder) =>
    withDatabase(async (url) => {
      await applyMigrations({ url, folder })
      const error = await failure(applyMigrations({ url, folder, direction: 'down' }), MigrationFailedError)
      assert.is(error.source, `${folder}/1_a.sql`)
      assert.is(error.direction, 'down')
      assert.match(error.message, 'table "nowhere" does not exist [42P01]; "down" was rolled back as a whole')
    }),
  )
})

test('a migration that came in front of one that was run is refused', async () => {
  await inFolder({ '2_b.sql': 'select 1;' }, (folder) =>
    withDatabase(async (url) => {
      await applyMigrations({ url, folder })
      await writeFile(join(folder, '1_a.sql'), 'select 1;')
      const error = await failure(applyMigrations({ url, folder }), MigrationFailedError)
      assert.is(error.migration, null)
      assert.match(error.message, 'Not run migration 1_a is preceding already run migration 2_b')
    }),
  )
})

test('a JavaScript migration is run like the others', async () => {
  const files = {
    '1_a.sql': 'create table a ();',
    '2_b.mjs': 'export const up = (pgm) => { pgm.createTable("b", { id: "id" }) }',
  }
  await inFolder(files, (folder) =>
    withDatabase(async (url) => {
      assert.equal(await applyMigrations({ url, folder }), ['1_a', '2_b'])
      assert.equal(await tables(url), ['a', 'b', 'pgmigrations'])
    }),
  )
})

test('files that read otherwise than they run are refused before anything is run', async () => {
  await inFolder({ '1_a.sql': 'create table a ();', '2_b.sql': '-- Down Migration\nselect 1;' }, (folder) =>
    withDatabase(async (url) => {
      await failure(applyMigrations({ url, folder }), MigrationFilesError)
      assert.equal(await tables(url), [])
    }),
  )
})

test('no server: a ConnectionError', async () => {
  const error = await failure(
    applyMigrations({ url: 'postgres://nobody@localhost:1/none', folder: 'migrations' }),
    ConnectionError,
  )
  assert.is(error.code, 'ECONNREFUSED')
})

test('no node-pg-migrate: how to get it', async () => {
  const missing = Object.assign(new Error("Cannot find package 'node-pg-migrate' imported from /x"), {
    code: 'ERR_MODULE_NOT_FOUND',
  })
  const error = await failure(
    nodePgMigrate(() => Promise.reject(missing)),
    MigrationToolMissingError,
  )
  assert.is(
    error.message,
    'node-pg-migrate, which runs the migrations, is not installed: npm install --save-dev node-pg-migrate',
  )
})

test.after(async () => (await testServer()).stop())

async function withDatabase(work: (url: string) => Promise<void>): Promise<void> {
  const { url, drop } = await freshDatabase()
  try {
    await work(url)
  } finally {
    await drop()
  }
}

async function failure<E extends Error>(
  promise: Promise<unknown>,
  ErrorClass: new (...args: never[]) => E,
): Promise<E> {
  try {
    await promise
  } catch (error) {
    if (error instanceof ErrorClass) return error
    throw error
  }
  throw new Error('it did not fail')
}

async function tables(url: string): Promise<string[]> {
  return column(url, `select table_name from information_schema.tables where table_schema = 'public' order by 1`)
}

async function connections(url: string): Promise<number> {
  const pids = await column(url, 'select pid from pg_stat_activity where datname = current_database()')
  return pids.length
}

async function column(url: string, sql: string): Promise<string[]> {
  const client = new Client(url)
  await client.connect()
  try {
    const { rows } = await client.query<string[]>({ text: sql, rowMode: 'array' })
    return rows.map(([value]) => value!)
  } finally {
    await client.end()
  }
}

async function inFolder(files: Record<string, string>, work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'plainsql-migrations-'))
  try {
    for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text)
    await work(folder)
  } finally {
    await rm(folder, { recursive: true })
  }
}

test.run()
