// Connection strings as libpq reads them: hosts, ports, TLS, and what is left to pg.
// wire only: no call of it goes over a connection

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Certificates } from '../../lib/database/pool/options.ts'
import { readTargets } from '../../lib/database/pool/targets.ts'

const test = suite('targets')
const encrypted = { rejectUnauthorized: false }

const hosts: readonly [url: string | undefined, env: Record<string, string>, places: string[]][] = [
  [undefined, {}, ['localhost:5432']],
  [undefined, { PGHOST: 'db1,db2', PGPORT: '6000' }, ['db1:6000', 'db2:6000']],
  [undefined, { PGHOST: '/tmp' }, ['/tmp:5432']],
  ['postgres://', { PGHOST: 'env' }, ['env:5432']],
  ['postgres://db', { PGHOST: 'env', PGPORT: '6000' }, ['db:6000']],
  ['postgres://a,b:2,c', {}, ['a:5432', 'b:2', 'c:5432']],
  ['postgresql://me@a:1,b:2/x?target_session_attrs=primary', {}, ['a:1', 'b:2']],
  ['postgres:///x?host=/tmp/a&port=7', {}, ['/tmp/a:7']],
  ['postgres:///x?host=a,b&port=1,2', {}, ['a:1', 'b:2']],
  ['postgres:///x?host=a,b&port=1', {}, ['a:1', 'b:1']],
  ['postgres://%2Fvar%2Frun/x', {}, ['/var/run:5432']],
  ['postgres://[::1]:5433/x', {}, ['::1:5433']],
]

for (const [url, env, places] of hosts) {
  test(`${url} with ${JSON.stringify(env)} ⇒ ${places}`, () => {
    const { list } = readTargets(url, env)
    assert.equal(
      list.map(({ host, port }) => `${host}:${port}`),
      places,
    )
  })
}

test('user, password and database are as they were written, and so is what pg knows of libpq', () => {
  const { config } = readTargets('postgres://us%40er:p%3Aw@d@h/d%20b?options=-c%20a%3Db&application_name=me', {})
  assert.equal(config, {
    user: 'us@er',
    password: 'p:w@d',
    database: 'd b',
    options: '-c a=b',
    application_name: 'me',
  })
  assert.equal(readTargets('postgres://h', {}).config, {})
})

const strange: readonly [query: string, message: RegExp][] = [
  ['foo=bar', /^the connection string's foo is not supported here$/],
  // These libpq knows.
  ['require_auth=scram-sha-256', /^the connection string's require_auth is not supported here$/],
  ['sslcrl=revoked.pem', /^the connection string's sslcrl is not supported here$/],
  ['ssl_min_protocol_version=TLSv1.3', /^the connection string's ssl_min_protocol_version is not supported here$/],
  ['log=1', /^the connection string's log is not supported here/],
  ['sslmod=disable', /^the connection string's sslmod is not supported here/],
  ['schema=app', /^the connection string's schema is not supported here: set pool\.settings\.search_path instead$/],
  ['user=me@azure&statement_timeout=1000', /: set pool\.statementTimeoutMs instead$/],
  ['statement_timeout=1000', /: set pool\.statementTimeoutMs instead$/],
  ['pgbouncer=true', /: set pool\.pgBouncer instead$/],
]
for (const [query, message] of strange) {
  test(`what nobody would heed is refused: ${query}`, () => {
    assert.throws(
      () => readTargets(`postgres://h/d?${query}`, {}),
      (error: Error) => error instanceof TypeError && message.test(error.message),
    )
  })
}

test('an @ in a parameter, and an escaped one in the name of the database, are themselves', () => {
  const { config } = readTargets('postgres://h/d%40b?user=me@azure', {})
  assert.equal(config, { user: 'me@azure', database: 'd@b' })
})

test('what libpq knows, and is of no matter here, is left out', () => {
  assert.equal(readTargets('postgres://h?connect_timeout=3&channel_binding=prefer&gssencmode=prefer', {}).config, {})
})

test('what keeps others out is heeded: channel_binding=require', () => {
  const bound = { enableChannelBinding: true }
  assert.equal(readTargets('postgres://h?channel_binding=require', {}).config, bound)
  assert.equal(readTargets('postgres://h', { PGCHANNELBINDING: 'require' }).config, bound)
})

const tls: readonly [url: string, env: Record<string, string>, ssl: unknown[]][] = [
  ['postgres://localhost', {}, [false]],
  ['postgres://127.0.0.1', {}, [false]],
  ['postgres:///x?host=/tmp', {}, [false]],
  ['postgres://db.example', {}, [true]],
  ['postgres://db.example?sslmode=disable', {}, [false]],
  ['postgres://db.example', { PGSSLMODE: 'disable' }, [false]],
  ['postgres://db.example?sslmode=allow', {}, [false, encrypted]],
  ['postgres://db.example?sslmode=prefer', {}, [encrypted, false]],
  ['postgres://db.example?sslmode=require', {}, [encrypted]],
  ['postgres://localhost?sslmode=verify-full', {}, [true]],
  // All the authorities that node knows: worth something only with the host's name.
  ['postgres://localhost?sslrootcert=system', {}, [true]],
  ['postgres:///x?host=/tmp&sslmode=require', {}, [false]],
]

for (const [url, env, ssl] of tls) {
  test(`TLS: ${url} with ${JSON.stringify(env)} ⇒ ${JSON.stringify(ssl)}`, () => {
    assert.equal(
      readTargets(url, env).list.map((target) => target.ssl),
      ssl,
    )
  })
}

const pem: Certificates = { ca: 'AUTHORITY', cert: undefined }
const ca = { ca: 'AUTHORITY' }
const withTexts: readonly [url: string, ssl: readonly unknown[]][] = [
  ['postgres://db.example', [ca]],
  ['postgres://localhost', [ca]],
  ['postgres://localhost?sslmode=disable', [false]],
  ['postgres:///x?host=/tmp', [false]],
  ['postgres://db.example?sslmode=prefer', [{ ...ca, rejectUnauthorized: false }, false]],
]

for (const [url, ssl] of withTexts) {
  test(`TLS: ${url} with the authority's certificate as text ⇒ ${JSON.stringify(ssl)}`, () => {
    assert.equal(
      readTargets(url, {}, pem).list.map((target) => target.ssl),
      ssl,
    )
  })
}

for (const ssl of [true, { rejectUnauthorized: false }]) {
  test(`refused: ssl of ${JSON.stringify(ssl)}, which says what the URL says`, () => {
    assert.throws(
      () => readTargets('postgres://db.example', {}, ssl as Certificates),
      /^ssl takes ca, cert and key as texts; whether to verify stands in the URL/,
    )
  })
}

const refused: readonly [url: string, message: string][] = [
  ['mysql://x', 'the connection string must look like postgres://user:password@host:5432/database'],
  ['localhost:5432', 'the connection string must look like postgres://user:password@host:5432/database'],
  ['postgres://h?sslmode=yes', 'sslmode=yes is none of disable, allow, prefer, require, verify-ca, verify-full'],
  ['postgres://h?target_session_attrs=master', 'target_session_attrs=master is none of any, read-write'],
  ['postgres://h?sslrootcert=system&sslmode=require', 'sslrootcert=system needs sslmode=verify-full, not require'],
  ['postgres://h?sslrootcert=system&sslmode=verify-ca', 'sslrootcert=system needs sslmode=verify-full, not verify-ca'],
  ['postgres://h?channel_binding=yes', 'channel_binding=yes is none of disable, prefer, require'],
  ['postgres://h?gssencmode=require', 'gssencmode=require asks for encryption by GSSAPI, which there is not here'],
  ['postgres://h:99999', 'port 99999 is not a port'],
  // Its authority ends at the "#", and would otherwise be this machine.
  ['postgres://me:se#cret@h/x', 'host and port cannot be read; in a user, password or database, write % as %25'],
  // What stands behind it would be a parameter of its own in the startup message.
  ['postgres://h/x?application_name=x%00user%00cretin', 'the connection string holds the character U+0000'],
  ['postgres://h/x%00user%00cretin', 'the connection string holds the character U+0000'],
  ['postgres://me\0user\0cretin@h/x', 'the connection string holds the character U+0000'],
  // The host would be "me", and the rest of the password the name of a database, or of a parameter.
  ['postgres://me:2024/cret@h/x', 'the connection string cannot be read; in a user, password or database, write'],
  ['postgres://me:99999/cret@h/x', 'the connection string cannot be read;'],
  ['postgres://me:2024?cret@h/x', 'the connection string cannot be read;'],
  ['postgres://me:2024?cret=1@h/x', 'the connection string cannot be read;'],
  ['postgres://me:2024#cret@h/x', 'the connection string cannot be read;'],
  ['postgres://me:s@e/cret@h/x', 'the connection string cannot be read;'],
  ['postgres://me:se%cret@h/x', 'has a % that starts no escape; in a user, password or database, write % as %25'],
]

for (const [url, message] of refused) {
  test(`refused: ${url}`, () => {
    assert.throws(
      () => readTargets(url, {}),
      (error: unknown) =>
        error instanceof TypeError && error.message.includes(message) && !error.message.includes('cret'),
    )
  })
}

test('the next connection begins with the way that the host prefers, and stays with the host', () => {
  const { list, preferred } = readTargets('postgres://a,b?sslmode=prefer', {})
  assert.equal(
    list.map(({ host, ssl }) => [host, ssl !== false]),
    [
      ['a', true],
      ['a', false],
      ['b', true],
      ['b', false],
    ],
  )
  assert.equal([0, 1, 2, 3].map(preferred), [0, 0, 2, 2])
})

test.run()
