// TLS against a real server with a certificate that it signed itself (tls/, for "localhost", made for this test and used
// nowhere else): what each sslmode accepts, and the wire path over an encrypted socket.

import { chmodSync, chownSync, cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { createDatabase } from '../../lib/database/database.ts'
import { connectOnce } from '../../lib/embedded/connectOnce.ts'
import { startEmbedded } from '../../lib/embedded/index.ts'
import { serverUser } from '../../lib/embedded/user.ts'
import type { ConnectionError } from '../../lib/errors.ts'
import { failure, rows } from './support.ts'

const test = suite('tls')
const fixtures = fileURLToPath(new URL('tls/', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'tls-'))
const port = await freePort()
cpSync(fixtures, folder, { recursive: true })
writeFileSync(
  join(folder, 'pg_hba.conf'),
  'local all all trust\nhost all scram all scram-sha-256\nhost all cleartext all password\nhost all all all trust\n',
)
// The server refuses a key that others could read, and must itself be able to.
const { uid, gid, other } = serverUser()
chmodSync(join(folder, 'selfSigned.key'), 0o600)
if (other)
  for (const path of ['', 'selfSigned.key', 'selfSigned.crt', 'pg_hba.conf']) chownSync(join(folder, path), uid, gid)
const server = await startEmbedded({
  settings: {
    listen_addresses: '127.0.0.1',
    port: String(port),
    ssl: 'on',
    ssl_cert_file: join(folder, 'selfSigned.crt'),
    ssl_key_file: join(folder, 'selfSigned.key'),
    hba_file: join(folder, 'pg_hba.conf'),
  },
})
const admin = await connectOnce(`postgres://postgres@localhost:${port}/postgres`)
await admin.query("create role scram login password 'secret'; create role cleartext login password 'secret'")
await admin.end()
test.after(async () => {
  await server.stop()
  rmSync(folder, { recursive: true })
})

const encrypted = rows('select ssl from pg_stat_ssl where pid = pg_backend_pid()', (r) => r.bool(0))
const many = rows("select n, repeat('é', 1000) from generate_series(1, 300) n", (r) => r.text(1).length + r.int4(0))
const certificate = encodeURIComponent(join(fixtures, 'selfSigned.crt'))

const modes: readonly [host: string, query: string, outcome: boolean | RegExp][] = [
  ['localhost', '', false],
  ['localhost', 'sslmode=disable', false],
  ['localhost', 'sslmode=allow', false],
  ['localhost', 'sslmode=prefer', true],
  ['localhost', 'sslmode=require', true],
  ['localhost', 'sslmode=verify-full', /self-signed certificate: give .* by \?sslrootcert=file, or \?sslmode=require/],
  ['localhost', `sslmode=verify-full&sslrootcert=${certificate}`, true],
  ['127.0.0.1', `sslmode=verify-full&sslrootcert=${certificate}`, /does not match/],
  ['127.0.0.1', `sslmode=verify-ca&sslrootcert=${certificate}`, true],
  ['127.0.0.1', `sslmode=require&sslrootcert=${certificate}`, true],
]

for (const [host, query, outcome] of modes) {
  test(`${host}, ${query.replace(certificate, '…') || 'no sslmode'} ⇒ ${outcome === true ? 'encrypted' : outcome || 'in the clear'}`, async () => {
    await using db = createDatabase({ url: `postgres://postgres@${host}:${port}/postgres?${query}` })
    if (typeof outcome === 'boolean') {
      for (let run = 0; run < 2; run++) {
        const [answer, sizes] = await Promise.all([encrypted(db), many(db)])
        assert.equal(answer, [outcome])
        assert.is(sizes[299], 1300)
      }
    } else assert.match(((await failure(encrypted(db))) as ConnectionError).message, outcome)
  })
}

test('a certificate may be text, and asks for TLS by itself', async () => {
  const ssl = { ca: readFileSync(join(fixtures, 'selfSigned.crt'), 'utf8') }
  await using db = createDatabase({ url: `postgres://postgres@localhost:${port}/postgres`, ssl })
  assert.equal(await encrypted(db), [true])
})

const bindings: readonly [role: string, query: string, isLetIn: boolean][] = [
  ['scram', 'sslmode=require&channel_binding=require', true],
  ['scram', 'sslmode=allow&channel_binding=require', true],
  ['scram', 'sslmode=disable&channel_binding=require', false],
  ['scram', 'sslmode=disable&channel_binding=prefer', true],
  ['cleartext', 'sslmode=require&channel_binding=require', false],
  ['cleartext', 'sslmode=require', true],
  ['postgres', 'sslmode=require&channel_binding=require', false],
]

for (const [role, query, isLetIn] of bindings) {
  test(`${role}, ${query} ⇒ ${isLetIn ? 'logged in' : 'refused'}`, async () => {
    const url = `postgres://${role}:secret@localhost:${port}/postgres?${query}`
    await using db = createDatabase({ url })
    for (const connect of [() => encrypted(db), async () => (await connectOnce(url)).end()]) {
      if (isLetIn) await connect()
      else assert.match(((await failure(connect())) as ConnectionError).message, /\(channel_binding=require\)/)
    }
  })
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await new Promise((done) => probe.once('listening', done))
  const { port: free } = probe.address() as { port: number }
  await new Promise((done) => probe.close(done))
  return free
}

test.run()
