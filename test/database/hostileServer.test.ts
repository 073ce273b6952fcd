// A server that is broken, or none: whatever it sends, the call fails, the process lives on, and nothing loops.
// wire only: it is about the wire

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { createDatabase } from '../../lib/database/database.ts'
import { int16, message } from '../../lib/database/wire/messages.ts'
import { ready, startFakeServer } from './fakeServer.ts'
import { failure, rows } from './support.ts'

const test = suite('hostileServer')

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}

/** A message with a length that it need not have. */
function misstated(code: string, length: number): Buffer {
  return Buffer.concat([Buffer.from(code), int32(length)])
}

const parsed = Buffer.concat([message('3'), message('1')])
const column = message('T', int16(1), 'a\0', int32(0), int16(0), int32(25), int16(-1), int32(-1), int16(0))
const described = Buffer.concat([parsed, message('t', int16(0)), column, message('2')])
const complete = message('C', 'SELECT 1\0')
const rest = 'x'.repeat(70_000)

const notAsLong = /a row of the server is not as long as it says/
const outOfRange = /out of range|outside buffer bounds/
const noPostgres = /unknown message 0 of the server/

const answers: readonly [what: string, answer: readonly Buffer[], message: RegExp][] = [
  ['an error without fields', [message('E', '\0')], /the server gave no reason/],
  ['an error without anything', [message('E')], /the server gave no reason/],
  ['an error without an end', [message('E', 'SERROR\0MSorr')], /Sorr/],
  ['a long error without an end', [message('E', `SERROR\0M${rest}`)], /xxx/],
  [
    'an error whose SQLSTATE every object has',
    [message('E', 'SERROR\0Cconstructor\0MSorry\0\0')],
    /\[constructor\] in/,
  ],
  ['a length of 0', [described, misstated('D', 0)], noPostgres],
  ['the least length', [described, misstated('C', -(2 ** 31))], noPostgres],
  ['parameters cut short', [parsed, message('t', int16(3), int32(25)), column], outOfRange],
  ['no number of parameters', [parsed, message('t'), column], outOfRange],
  [
    'columns cut short',
    [parsed, message('t', int16(0)), message('T', int16(5), 'a\0'), message('N', rest)],
    outOfRange,
  ],
  [
    'a column without an end',
    [parsed, message('t', int16(0)), message('T', int16(1), 'a'), message('N', rest)],
    outOfRange,
  ],
  ['a row shorter than it says', [described, message('D', int16(1), int32(1000), 'ab'), complete], notAsLong],
  ['a row with too many columns', [described, message('D', int16(30_000)), complete], notAsLong],
  [
    'a row that ends sooner than its message',
    [described, message('D', int16(1), int32(1), 'abc'), complete],
    notAsLong,
  ],
]

for (const [what, answer, expected] of answers) {
  test(what, async () => {
    // The first one is for the ping of a new connection.
    const server = await startFakeServer((socket) => socket.write(Buffer.concat([ready, ...answer, ready])))
    {
      await using db = createDatabase({ url: server.url, pool: { answerTimeoutMs: 5_000 } })
      assert.match(((await failure(rows('select a', (r) => r.text(0))(db))) as Error).message, expected)
    }
    await server.close()
  })
}

test.run()
