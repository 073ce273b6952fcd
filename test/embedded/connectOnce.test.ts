// A single connection means by a connection string what `createDatabase` means by it.

import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { connectOnce } from '../../lib/embedded/connectOnce.ts'
import { ConnectionError } from '../../lib/errors.ts'
import { createDatabase } from '../../lib/index.ts'
import { authentication, startFakeServer } from '../database/fakeServer.ts'
import { startProxy } from '../database/proxy.ts'
import { failure, rows } from '../database/support.ts'
import { freshDatabase } from '../support/server.ts'

const fresh = await freshDatabase()
const proxy = await startProxy(fresh.url)
const { port, pathname } = new URL(proxy.url)
test.after(async () => {
  await proxy.close()
  await fresh.drop()
})

const strings: readonly (readonly [hosts: string, query: string, expected: true | RegExp])[] = [
  [`127.0.0.1:${port}`, '', true],
  [`127.0.0.1:${port}`, 'target_session_attrs=primary', true],
  [`127.0.0.1:${port}`, 'target_session_attrs=prefer-standby', true],
  [`127.0.0.1:1,127.0.0.1:${port}`, 'target_session_attrs=read-write', true],
  [`127.0.0.1:${port}`, 'target_session_attrs=standby', /is not standby \(target_session_attrs\)/],
  [`127.0.0.1:${port},127.0.0.1:1`, 'target_session_attrs=read-only', /is not read-only/],
  ['127.0.0.1:1', '', /ECONNREFUSED/],
  [`127.0.0.1:${port}`, 'sslmode=require', /does not offer TLS.*sslmode=disable/],
]

for (const [hosts, query, expected] of strings) {
  test(`${hosts.replaceAll(port, 'port')} ${query}`, async () => {
    const connecting = connectOnce(`postgres://postgres@${hosts}${pathname}?${query}`)
    if (expected !== true) {
      const error = (await failure(connecting)) as ConnectionError
      assert.instance(error, ConnectionError)
      assert.is(error.statement, 'not sent')
      assert.match(error.message, expected)
      return
    }
    const client = await connecting
    const { rows } = await client.query<{ one: number }>('select 1 as one')
    assert.equal(rows, [{ one: 1 }])
    await client.end()
  })
}

const methods: readonly (readonly [number: number, message: RegExp])[] = [
  [7, /^127.0.0.1 asks for a login by GSSAPI, which pg does not know: let its pg_hba.conf ask for scram/],
  [9, /asks for a login by SSPI/],
  [77, /asks for a login by method 77/],
]

for (const [number, message] of methods) {
  test(`a login by method ${number}, which pg does not know, is an error here and of a pool`, async () => {
    const server = await startFakeServer(() => {}, undefined, authentication(number))
    await using db = createDatabase({ url: server.url })
    for (const connect of [() => connectOnce(server.url), () => rows('select 1', (r) => r.int4(0))(db)]) {
      const error = (await failure(connect())) as ConnectionError
      assert.instance(error, ConnectionError)
      assert.match(error.message, message)
    }
    await server.close()
  })
}

test.run()
