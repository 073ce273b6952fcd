// Which server is used: a URL by option, then DATABASE_URL, then an embedded one.

import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { resolveServer, withDatabase } from '../../lib/embedded/index.ts'

const given = process.env.DATABASE_URL
test.after.each(() => {
  if (given === undefined) delete process.env.DATABASE_URL
  else process.env.DATABASE_URL = given
})

test('a URL by option wins over DATABASE_URL; neither is started, tried or stopped', async () => {
  process.env.DATABASE_URL = 'postgres://environment/one'
  const server = await resolveServer({ url: 'postgres://option/one?sslmode=require' })
  assert.is(server.url, 'postgres://option/one?sslmode=require')
  assert.is(server.embedded, false)
  assert.is(server.databaseUrl('two'), 'postgres://option/two?sslmode=require')
  await server.stop()
  assert.is((await resolveServer()).url, 'postgres://environment/one')
})

test('without either, an embedded server; an empty DATABASE_URL is none', async () => {
  process.env.DATABASE_URL = ''
  const server = await resolveServer()
  assert.is(server.embedded, true)
  assert.match(server.databaseUrl('two'), /^postgresql:\/\/\/two\?host=/)
  await server.stop()
})

const urls: [from: string, name: string, to: string][] = [
  ['postgres://h/one', 'two', 'postgres://h/two'],
  ['postgres://h', 'two', 'postgres://h/two'],
  ['postgres://h?sslmode=require', 'two', 'postgres://h/two?sslmode=require'],
  ['postgresql://u:p%2Fq@h:5433/one?a=b/c', 'two', 'postgresql://u:p%2Fq@h:5433/two?a=b/c'],
  ['postgresql:///one?host=/tmp/x', 'two words', 'postgresql:///two%20words?host=/tmp/x'],
  ['postgres://h1:1,h2:2/one', 'two', 'postgres://h1:1,h2:2/two'],
]
for (const [from, name, to] of urls) {
  test(`${from} with the database "${name}"`, () => assert.is(withDatabase(from, name), to))
}

test('what is not a URL is refused without repeating it', () => {
  const message = 'The database URL does not start with postgres:// or postgresql://.'
  assert.throws(
    () => withDatabase('host=h password=secret', 'two'),
    (error: Error) => error.message === message,
  )
})

test.run()
