// One embedded server: what it is, what it keeps over restarts, and what it says when it cannot start.

import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from 'pg'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { type EmbeddedOptions, EmbeddedServerError, startEmbedded } from '../../lib/embedded/index.ts'

const scratch = mkdtempSync(join(tmpdir(), 'plainsql-server-'))
// Root's server runs as another user, who must be able to reach the data directories in here.
chmodSync(scratch, 0o755)
test.after(() => rmSync(scratch, { recursive: true }))

test('is in UTF-8 and UTC, with Unicode case and byte order, whatever the environment says', async () => {
  const before = { ...process.env }
  const misleading = { PGPORT: '1', PGUSER: 'x', PGSSLMODE: 'require', TZ: 'Asia/Tokyo', LC_ALL: 'C', LANG: 'C' }
  Object.assign(process.env, misleading)
  try {
    await using server = await startEmbedded()
    const rows = await query(
      server.url,
      `select current_setting('server_version') as version, current_user as "user", current_database() as database,
        current_setting('server_encoding') as encoding, current_setting('timezone') as zone,
        lower('ÄÉ') as lower, 'É' ilike 'é' as ilike, 'a' < 'B' as alphabetical`,
    )
    const names = { version: server.version, user: 'postgres', database: 'postgres', encoding: 'UTF8', zone: 'UTC' }
    assert.equal(rows, [{ ...names, lower: 'äé', ilike: true, alphabetical: false }])
  } finally {
    for (const name of Object.keys(misleading)) delete process.env[name]
    Object.assign(process.env, before)
  }
})

test('listens on a socket in a closed folder and nowhere else', async () => {
  await using server = await startEmbedded()
  const folder = new URL(server.url).searchParams.get('host') ?? ''
  assert.ok(existsSync(join(folder, '.s.PGSQL.5432')))
  assert.equal(await query(server.url, 'show listen_addresses'), [{ listen_addresses: '' }])
  await server.stop()
  assert.not.ok(existsSync(folder))
})

test('gives URLs of other databases, odd names included', async () => {
  await using server = await startEmbedded()
  for (const name of ['blog', 'Mixed Case', 'größe']) {
    await query(server.url, `create database "${name}"`)
    assert.equal(await query(server.databaseUrl(name), 'select current_database() as name'), [{ name }])
  }
})

test('takes settings, which win over its own', async () => {
  await using server = await startEmbedded({ settings: { work_mem: '7MB', max_connections: '11' } })
  assert.equal(await query(server.url, 'show work_mem'), [{ work_mem: '7MB' }])
  assert.equal(await query(server.url, 'show max_connections'), [{ max_connections: '11' }])
})

test('stop() may be called any number of times, at once and later', async () => {
  const server = await startEmbedded()
  await Promise.all([server.stop(), server.stop(), server[Symbol.asyncDispose]()])
  await server.stop()
})

test('stop() ends a server that has crashed', async () => {
  const server = await startEmbedded()
  process.kill(server.processId, 'SIGKILL')
  await server.stop()
})

for (const mode of ['fast', 'immediate'] as const) {
  test(`restart('${mode}') ends sessions, keeps committed data and the URL, and is another process`, async () => {
    await using server = await startEmbedded()
    const { url, processId } = server
    await query(url, 'create table kept (id int); insert into kept values (42)')
    const session = new Client(url)
    await session.connect()
    const lost = new Promise<Error>((resolve) => session.on('error', resolve))
    await server.restart(mode)
    assert.ok(await lost)
    assert.is(server.url, url)
    assert.is.not(server.processId, processId)
    assert.equal(await query(url, 'select id from kept'), [{ id: 42 }])
  })
}

test('a data directory is made, kept, durable, and used by one server at a time', async () => {
  const dataDirectory = join(scratch, 'new', 'data')
  // A cold cache, so that initdb has to be able to work here.
  process.env.XDG_CACHE_HOME = join(scratch, 'cache')
  {
    await using server = await startEmbedded({ dataDirectory })
    assert.equal(await query(server.url, 'show fsync'), [{ fsync: 'on' }])
    await query(server.url, 'create table kept (id int); insert into kept values (7)')
    await fails(
      { dataDirectory },
      /^The PostgreSQL server ended while it was starting\.\n\n.*lock file "postmaster\.pid" already/s,
    )
  }
  await using server = await startEmbedded({ dataDirectory })
  assert.equal(await query(server.url, 'select id from kept'), [{ id: 7 }])
  assert.equal(readdirSync(join(scratch, 'new')), ['data'])
  delete process.env.XDG_CACHE_HOME
})

test('a folder with other things in it is left alone', async () => {
  const dataDirectory = join(scratch, 'mine')
  mkdirSync(dataDirectory)
  writeFileSync(join(dataDirectory, 'notes.txt'), 'mine')
  await fails({ dataDirectory }, /mine is neither empty nor a PostgreSQL data directory; nothing was changed in it\.$/)
  assert.equal(readdirSync(dataDirectory), ['notes.txt'])
})

test('a data directory of another major version is left alone', async () => {
  const dataDirectory = join(scratch, 'old')
  mkdirSync(dataDirectory)
  writeFileSync(join(dataDirectory, 'PG_VERSION'), '9\n')
  await fails({ dataDirectory }, /old was made by PostgreSQL 9, but the one to start is \d+\.\d+\.\n/)
})

test('a server that does not start says why, and leaves no folder', async () => {
  await fails(
    { settings: { no_such_setting: 'on' } },
    /^The PostgreSQL server ended.*unrecognized configuration parameter "no_such_setting"$/s,
  )
})

test('a version that is not installed is named, with those that are', async () => {
  await fails(
    { version: 3 },
    /^PostgreSQL 3 is wanted, but installed is \d+\.\d+.*\nInstall it beside the other: npm install/,
  )
})

test.run()

async function query(url: string, sql: string): Promise<unknown[]> {
  const client = new Client(url)
  await client.connect()
  try {
    const { rows } = await client.query(sql)
    return rows
  } finally {
    await client.end()
  }
}

async function fails(options: EmbeddedOptions, message: RegExp): Promise<void> {
  try {
    await (await startEmbedded(options)).stop()
  } catch (error) {
    assert.instance(error, EmbeddedServerError)
    assert.match((error as Error).message, message)
    return
  }
  assert.unreachable('the server should not have started')
}
