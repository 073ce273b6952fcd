// Makes the programs of an npm package runnable for the server's user.
// In: a package as npm unpacked it. Out: a folder with `bin`, `lib` and `share`: the package's own, or a copy in the cache.

import { execFile } from 'node:child_process'
import { accessSync, constants, existsSync, readFileSync, symlinkSync } from 'node:fs'
import { basename, join, relative } from 'node:path'
import { promisify } from 'node:util'
import type { Binaries } from './binaries.ts'
import { copyFolder, keep, kept } from './files.ts'
import { canReach, type ServerUser } from './user.ts'

/**
 * Mends two things. The package's install script makes symbolic links for its shared libraries, and
 * `npm ci --ignore-scripts` leaves them out. And a server user other than ourselves may not be able to enter the
 * project (such as /root/project). What cannot be mended in place is copied to the cache: 0.2 s, once per version.
 */
export async function runnableBinaries(binaries: Binaries, user: ServerUser, cache: string): Promise<string> {
  const { folder } = binaries
  if (canReach(user, join(folder, 'bin', 'postgres'))) {
    if (missingLinks(folder).length === 0) return folder
    if (isWritable(join(folder, 'lib'))) {
      makeLinks(folder)
      return folder
    }
  }
  const name = `programs-${binaries.build}`
  return (
    (await kept(cache, name)) ??
    (await keep(cache, name, async (copy) => {
      await copyFolder(folder, copy)
      await promisify(execFile)('chmod', ['-R', 'u+w,a+rX', copy])
      makeLinks(copy)
    }))
  )
}

function missingLinks(folder: string): Link[] {
  const list = join(folder, 'pg-symlinks.json')
  if (!existsSync(list)) return []
  const entries = JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[]
  // Both paths are written as native/lib/…; our copy is not called native.
  return entries
    .map(({ source, target }) => ({ path: join(folder, relative('native', target)), to: basename(source) }))
    .filter((link) => !existsSync(link.path))
}

interface Link {
  readonly path: string
  /** Relative to the link's own folder, so that a copied folder stays whole. */
  readonly to: string
}

function makeLinks(folder: string): void {
  for (const link of missingLinks(folder)) {
    try {
      symlinkSync(link.to, link.path)
    } catch (error) {
      // Another process mends the same package at this moment.
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
  }
}

function isWritable(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK)
    return true
  } catch {
    return false
  }
}
