// A server that asks for a password, which the embedded ones of all other tests do not.

import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from 'pg'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { createDatabase } from '../../lib/database/database.ts'
import { startEmbedded } from '../../lib/embedded/index.ts'
import { ConnectionError } from '../../lib/errors.ts'
import { failure, rows } from './support.ts'

const test = suite('passwords')
const folder = await mkdtemp(join(tmpdir(), 'plainsql-hba-'))
const hba = join(folder, 'pg_hba.conf')
await writeFile(hba, 'local all postgres trust\nlocal all all scram-sha-256\n')
// The server may be another user than we are.
await chmod(folder, 0o755)
const server = await startEmbedded({ settings: { hba_file: hba } })
const admin = new Client(server.url)
await admin.connect()
await admin.query("create role guarded login password 'p@ss:w/rd %'")
await admin.end()
test.after(async () => {
  await server.stop()
  await rm(folder, { recursive: true })
})

const host = new URL(server.url).searchParams.get('host') ?? ''
const whoAmI = rows('select current_user', (r) => r.text(0))

function urlWith(password: string): string {
  return `postgres://guarded:${encodeURIComponent(password)}@/postgres?host=${encodeURIComponent(host)}`
}

test('the password of the URL opens every connection', async () => {
  const db = createDatabase({ url: urlWith('p@ss:w/rd %'), pool: { max: 3 } })
  assert.equal(await whoAmI(db), ['guarded'])
  assert.equal(await db.unitOfWork((uow) => whoAmI(uow)), ['guarded'])
  assert.equal(await Promise.all([1, 2, 3].map(() => db.unitOfWork((uow) => whoAmI(uow)))), Array(3).fill(['guarded']))
  await db.close()
})

test('a wrong password is a ConnectionError with its SQLSTATE', async () => {
  const db = createDatabase({ url: urlWith('wrong') })
  const error = (await failure(whoAmI(db))) as ConnectionError
  assert.instance(error, ConnectionError)
  assert.is(error.code, '28P01')
  await db.close()
})

test('a function is asked for the password of each connection, and wins over the URL', async () => {
  const tokens = ['p@ss:w/rd %', 'p@ss:w/rd %', 'expired']
  let asked = 0
  const password = async () => tokens[asked++] ?? ''
  const db = createDatabase({ url: urlWith('wrong'), password, pool: { maxUses: 1, lanes: false } })
  assert.equal([await whoAmI(db), await whoAmI(db)], [['guarded'], ['guarded']])
  assert.is(((await failure(whoAmI(db))) as ConnectionError).code, '28P01')
  assert.is(asked, 3)
  await db.close()
})

const notGiven: readonly (readonly [what: string, password: () => string | Promise<string>, message: RegExp])[] = [
  ['throws', () => Promise.reject(new Error('no token today')), /^no token today in /],
  ['answers nothing', () => undefined as never, /asks for a password, and there is none in the connection string/],
  ['answers what is no text', () => 12 as never, /Password must be a string/],
]
for (const [what, password, message] of notGiven) {
  test(`a function that ${what} is a ConnectionError`, async () => {
    const db = createDatabase({ url: urlWith('unused'), password })
    const error = (await failure(whoAmI(db))) as ConnectionError
    assert.instance(error, ConnectionError)
    assert.match(error.message, message)
    await db.close()
  })
}

test('no password is told of in words', async () => {
  const db = createDatabase({ url: `postgres://guarded@/postgres?host=${encodeURIComponent(host)}` })
  assert.match(
    ((await failure(whoAmI(db))) as Error).message,
    /asks for a password, and there is none in the connection/,
  )
  await db.close()
})

test.run()
