// Folders: where the cache and the temporary folders are, copying, and a cache that many processes fill at once.

import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import {
  accessSync,
  chownSync,
  constants,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  statfsSync,
} from 'node:fs'
import { cp, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { homedir, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { EmbeddedServerError } from './errors.ts'
import { canReach, type ServerUser } from './user.ts'

/**
 * A new folder of the server's user that only this user (and root) can enter, for the socket, the log and the data.
 * The path of a socket is limited to 103 bytes (macOS; 107 on Linux), so a long TMPDIR is passed over for /tmp.
 */
export function makeTemporaryFolder(user: ServerUser): string {
  const socket = '/plainsql-XXXXXX/.s.PGSQL.5432'
  const fits = (folder: string) => Buffer.byteLength(folder + socket) <= 103 || process.platform === 'win32'
  const parent = [...memoryFolder(), tmpdir(), '/tmp'].find((folder) => fits(folder) && isUsable(folder, user))
  if (parent === undefined) {
    throw new EmbeddedServerError(`Neither ${tmpdir()} nor /tmp is a writable folder with a short name; set TMPDIR.`)
  }
  const folder = mkdtempSync(join(parent, 'plainsql-'))
  if (user.other) chownSync(folder, user.uid, user.gid)
  return folder
}

/**
 * /dev/shm, if it is roomy (a container's 64 MB are not) and the user has not chosen a place by TMPDIR. A data
 * directory is a thousand files; some file systems take a second to make them (ext4 without a journal), memory 0.05 s.
 */
function memoryFolder(): string[] {
  const folder = '/dev/shm'
  if (process.platform !== 'linux' || process.env.TMPDIR || !existsSync(folder)) return []
  const { bavail, bsize } = statfsSync(folder)
  return bavail * bsize >= 2 ** 30 ? [folder] : []
}

/** The folder for what is worth keeping between runs. Root's own ~/.cache is often closed to the server's user. */
export function cacheFolder(user: ServerUser): string {
  const own = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'plainsql')
  const shared = join(tmpdir(), `plainsql-cache-${process.getuid?.() ?? 'user'}`)
  const places = [own, ...(user.other ? ['/var/cache/plainsql'] : []), shared]
  for (const place of places) {
    try {
      if (!canReach(user, existingPart(place))) continue
      mkdirSync(place, { recursive: true, mode: 0o755 })
      if (isOurs(place) && isUsable(place, user)) return place
    } catch (error) {
      if (!isDenied(error)) throw error
    }
  }
  throw new EmbeddedServerError(`None of ${places.join(', ')} is a folder we can write to; set XDG_CACHE_HOME.`)
}

function existingPart(path: string): string {
  return existsSync(path) ? path : existingPart(dirname(path))
}

/**
 * Puts a folder into the cache; `fill` makes its content at the path it is given. It is built under another name and
 * renamed, so other processes see it complete or not at all. If another was first, theirs stays. Answers its path.
 */
export async function keep(cache: string, name: string, fill: (path: string) => Promise<void>): Promise<string> {
  await removeAbandoned(cache)
  const building = join(cache, `building-${randomBytes(6).toString('hex')}`)
  mkdirSync(building)
  await fill(join(building, 'content'))
  await writeFile(join(building, 'complete'), inventory(join(building, 'content')))
  try {
    await rename(building, join(cache, name))
  } catch (error) {
    await rm(building, { recursive: true, force: true })
    if (!['ENOTEMPTY', 'EEXIST', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error
  }
  return join(cache, name, 'content')
}

/** The content of what was kept, or null. A broken one (cleaners of /tmp do that) is removed. */
export async function kept(cache: string, name: string): Promise<string | null> {
  const content = join(cache, name, 'content')
  const complete = await readFile(join(cache, name, 'complete'), 'utf8').catch(() => null)
  try {
    if (complete !== null && complete === inventory(content)) return content
  } catch (error) {
    // A file vanished between listing and reading it: as broken as one that was missing from the start.
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
  await rm(join(cache, name), { recursive: true, force: true })
  return null
}

/** Copies a folder with owners and modes. `cp` takes 0.05 s for a data directory, fs.cp 0.5 s. */
export async function copyFolder(from: string, to: string): Promise<void> {
  if (process.platform === 'win32') await cp(from, to, { recursive: true })
  else await promisify(execFile)('cp', ['-RPp', from, to])
}

/** Number of files and their bytes: enough to notice files that are missing or cut off. */
function inventory(folder: string): string {
  let files = 0
  let bytes = 0
  const visit = (path: string) => {
    for (const entry of readdirSync(path, { withFileTypes: true })) {
      const child = join(path, entry.name)
      if (entry.isDirectory()) visit(child)
      else {
        files++
        bytes += lstatSync(child).size
      }
    }
  }
  visit(folder)
  return `${files} files, ${bytes} bytes`
}

/** Removes what processes left that were killed while they built. Ten minutes is long after any could be at it. */
async function removeAbandoned(cache: string): Promise<void> {
  for (const name of readdirSync(cache)) {
    if (!name.startsWith('building-')) continue
    const path = join(cache, name)
    const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: Date.now() }))
    if (Date.now() - mtimeMs > 600_000) await rm(path, { recursive: true, force: true })
  }
}

function isUsable(folder: string, user: ServerUser): boolean {
  try {
    accessSync(folder, constants.W_OK | constants.X_OK)
    return canReach(user, folder)
  } catch (error) {
    if (isDenied(error)) return false
    throw error
  }
}

/** The cache holds programs that we run: in a shared place such as /tmp, nobody else may have made or may write it. */
function isOurs(folder: string): boolean {
  if (process.getuid === undefined) return true
  const { uid, mode } = lstatSync(folder)
  return uid === process.getuid() && (mode & 0o022) === 0
}

function isDenied(error: unknown): boolean {
  return ['EACCES', 'EPERM', 'EROFS', 'ENOENT', 'ENOTDIR', 'EEXIST'].includes(
    (error as NodeJS.ErrnoException).code ?? '',
  )
}
