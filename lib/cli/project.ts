// Which folder the project is, for a command that is run in one of its subfolders, as npm finds it.

import { existsSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'

/**
 * The folder itself if it has settings, a package.json or a `sql` folder; else the nearest one above it that has
 * settings or a package.json; else the folder itself.
 */
export function projectFolder(folder: string = process.cwd()): string {
  if (existsSync(join(folder, 'sql'))) return folder
  for (let at = folder; ; at = dirname(at)) {
    if (existsSync(join(at, 'plainsql.json')) || existsSync(join(at, 'package.json'))) return at
    if (dirname(at) === at) return folder
  }
}

/** A path of the command line, which is relative to where the command is run, as settings have it. */
export function fromProject(path: string): string {
  return relative(projectFolder(), path) || '.'
}

/** ` in ../..` for a project that is not where the command is run; else nothing: printed paths are relative to it. */
export function elsewhere(): string {
  const path = relative(process.cwd(), projectFolder())
  return path === '' ? '' : ` in ${path}`
}
