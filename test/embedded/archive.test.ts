// A folder through an archive and back; a broken archive is none.

import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { readArchive, writeArchive } from '../../lib/embedded/archive.ts'

const scratch = mkdtempSync(join(tmpdir(), 'plainsql-archive-'))
const archive = join(scratch, 'archive')
const user = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0, other: false }
test.after(() => rmSync(scratch, { recursive: true }))

const contents: Record<string, Buffer> = {
  empty: Buffer.alloc(0),
  text: Buffer.from('größe\n'),
  'zeros only': Buffer.alloc(1000),
  'zeros at the end': Buffer.concat([Buffer.from('x'), Buffer.alloc(100_001)]),
  'zeros inside': Buffer.concat([Buffer.from('x'), Buffer.alloc(50), Buffer.from('y')]),
  'deep/er/file': Buffer.from([0, 1, 2, 255]),
}

test('every file and folder comes back, closed to others, and ends of zeros take no room', () => {
  const from = join(scratch, 'from')
  mkdirSync(join(from, 'deep', 'er'), { recursive: true })
  mkdirSync(join(from, 'deep', 'empty folder'))
  for (const [name, content] of Object.entries(contents)) writeFileSync(join(from, name), content)
  writeArchive(from, archive)
  assert.ok(statSync(archive).size < 2000)
  const to = join(scratch, 'to')
  assert.is(readArchive(archive, to, user), true)
  assert.equal(list(to), list(from))
  for (const [name, content] of Object.entries(contents)) assert.ok(content.equals(readFileSync(join(to, name))), name)
  assert.is(statSync(to).mode & 0o777, 0o700)
  assert.is(statSync(join(to, 'text')).mode & 0o777, 0o600)
  assert.equal(readdirSync(scratch).sort(), ['archive', 'from', 'to'])
})

test('a missing, empty, or cut off archive is none, and makes no folder', () => {
  const size = statSync(archive).size
  for (const length of [size - 1, size >> 1, 6, 3, 0]) {
    truncateSync(archive, length)
    assert.is(readArchive(archive, join(scratch, 'none'), user), false, `${length} bytes`)
  }
  assert.is(readArchive(join(scratch, 'missing'), join(scratch, 'none'), user), false)
  assert.equal(readdirSync(scratch).sort(), ['archive', 'from', 'to'])
})

test.run()

function list(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort()
}
