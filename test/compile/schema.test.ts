// A server that is not reached is told of with where its URL comes from: a variable of another project may be left over.

import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { ConfigError, defaultConfig } from '../../lib/compile/config.ts'
import { openSchema } from '../../lib/compile/schema.ts'
import { testServer } from '../support/server.ts'

const unset = process.env.DATABASE_URL
const { url } = await testServer()
const embedded = '; DATABASE_URL= npx plainsql generate takes the embedded server'

const failures: readonly [what: string, variable: string | undefined, setting: string | null, message: RegExp][] = [
  [
    'DATABASE_URL of no server',
    'postgres://me:secret@127.0.0.1:1/x',
    null,
    RegExp(`^no connection to the server that DATABASE_URL names, 127.0.0.1:1: connect ECONNREFUSED.*${embedded}$`),
  ],
  [
    'DATABASE_URL of a database that is not there',
    url.replace(/\/[^/?]*(\?.*)?$/, '/nope$1'),
    null,
    RegExp(`^no connection to the server that DATABASE_URL names, .*: database "nope" does not exist.*${embedded}$`),
  ],
  [
    'DATABASE_URL that is none',
    'mysql://me:secret@localhost/x',
    null,
    RegExp(`^DATABASE_URL: the connection string must look like postgres://.*${embedded}$`),
  ],
  [
    'a setting',
    url,
    'postgres://me:secret@127.0.0.1:1/x',
    /^no connection to the server that --database-url, or the setting "databaseUrl", names, 127.0.0.1:1: connect ECONN.*\]$/,
  ],
]

for (const [what, variable, databaseUrl, message] of failures) {
  test(`${what}`, async () => {
    process.env.DATABASE_URL = variable
    const error = await openSchema('.', { ...defaultConfig, databaseUrl }).catch((reason: unknown) => reason)
    assert.instance(error, ConfigError)
    assert.match((error as Error).message, message)
    assert.not.match((error as Error).message, /secret/)
  })
}

test.after(() => {
  if (unset === undefined) delete process.env.DATABASE_URL
  else process.env.DATABASE_URL = unset
})

test.run()
