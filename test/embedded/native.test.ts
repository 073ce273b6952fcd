// Packages that cannot run as npm left them: without the links of their install script, read-only, or out of reach.

import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, unlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { findBinaries } from '../../lib/embedded/binaries.ts'
import { runnableBinaries } from '../../lib/embedded/native.ts'
import { serverUser } from '../../lib/embedded/user.ts'

const scratch = mkdtempSync(join(tmpdir(), 'plainsql-native-'))
chmodSync(scratch, 0o755)
const cache = join(scratch, 'cache')
mkdirSync(cache)
test.after(() => {
  execFileSync('chmod', ['-R', 'u+rwx', scratch])
  rmSync(scratch, { recursive: true })
})

const user = serverUser()
const installed = findBinaries()

test('--ignore-scripts: missing links are made in the package', async () => {
  const folder = copyPackage(join(scratch, 'open'))
  removeLinks(folder)
  assert.is(await runnableBinaries({ ...installed, folder }, user, cache), folder)
  assert.match(serverVersion(folder), installed.version)
  assert.equal(readdirSync(cache), [])
})

test('--ignore-scripts in a package that we cannot write or the server cannot enter: a copy, once', async () => {
  const closed = join(scratch, 'closed')
  const folder = copyPackage(closed)
  removeLinks(folder)
  // Root can write everywhere, but its server's user cannot enter; others find a folder that is read-only.
  if (user.other) chmodSync(closed, 0o700)
  else chmodSync(join(folder, 'lib'), 0o555)
  const binaries = { ...installed, folder }
  const copy = await runnableBinaries(binaries, user, cache)
  assert.ok(copy.startsWith(cache))
  assert.match(serverVersion(copy), installed.version)
  assert.is(await runnableBinaries(binaries, user, cache), copy)

  unlinkSync(join(copy, 'bin', 'postgres'))
  assert.is(await runnableBinaries(binaries, user, cache), copy)
  assert.match(serverVersion(copy), installed.version)
  assert.equal(readdirSync(cache), [`programs-${installed.build}`])
})

test.run()

/** Of the package, what `postgres --version` needs: a dozen files instead of a thousand. */
function copyPackage(to: string): string {
  const native = join(to, 'native')
  mkdirSync(join(native, 'lib'), { recursive: true })
  execFileSync('cp', ['-RP', join(installed.folder, 'bin'), join(installed.folder, 'pg-symlinks.json'), native])
  const libraries = readdirSync(join(installed.folder, 'lib')).filter((name) => /\.(so|dylib)/.test(name))
  execFileSync('cp', ['-RP', ...libraries.map((name) => join(installed.folder, 'lib', name)), join(native, 'lib')])
  return native
}

function removeLinks(folder: string): void {
  const list = JSON.parse(readFileSync(join(folder, 'pg-symlinks.json'), 'utf8')) as { target: string }[]
  assert.ok(list.length > 0)
  for (const { target } of list) rmSync(join(folder, '..', target), { force: true })
  assert.not.ok(list.some(({ target }) => existsSync(join(folder, '..', target))))
}

function serverVersion(folder: string): string {
  const ids = user.other ? { uid: user.uid, gid: user.gid } : {}
  return execFileSync(join(folder, 'bin', 'postgres'), ['--version'], { encoding: 'utf8', cwd: '/', ...ids })
}
