// Whether `generate` has anything to do: a hash of everything that its result depends on is kept beside what it wrote.
// `check` never asks: it compiles afresh.

import { createHash } from 'node:crypto'
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { findBinaries } from '../embedded/binaries.ts'
import type { Config } from './config.ts'
import type { Compilation, GeneratedFile } from './generate.ts'
import { readSqlFiles, schemaFiles } from './sources.ts'

/** In node_modules, where caches of tools live and version control does not look. */
const cachePath = 'node_modules/.cache/plainsql/generated.json'

interface CacheEntry {
  readonly inputs: string
  readonly queries: number
  /** The hash of each generated file, by path. */
  readonly outputs: Readonly<Record<string, string>>
}

/**
 * A hash of the settings, the `.sql` files, the schema's files, the generator itself and the server that it would ask.
 * Null if the result depends on more than that, a live database, or if a file of the schema cannot be read: compiling
 * tells of it.
 * @throws ConfigError if there is no `.sql` file
 */
export async function hashInputs(folder: string, config: Config): Promise<string | null> {
  if (config.databaseUrl !== null) return null
  const hash = createHash('sha256')
  // Each part with its length, so that no two lists of parts are alike.
  const add = (...parts: readonly string[]): void => {
    for (const part of parts) hash.update(`${part.length}:${part}`)
  }
  add(JSON.stringify(config), process.version, process.env.DATABASE_URL || embeddedBuild())
  for (const file of await readSqlFiles(folder, config)) add(file.path, file.text)
  for (const path of await schemaFiles(folder, config)) {
    const text = await readFile(resolve(folder, path), 'utf8').catch(() => null)
    if (text === null) return null
    add(path, text)
  }
  // All of plainsql: how migrations are read and what the embedded server is told stand beside the generator.
  const own = dirname(import.meta.dirname)
  const programs = (await readdir(own, { recursive: true }))
    .filter((path) => /(?<!\.d)\.(ts|js|sql)$/.test(path))
    .sort()
  add(...programs, ...(await Promise.all(programs.map((path) => readFile(join(own, path), 'utf8')))))
  return hash.digest('hex')
}

/** What is on the disk, if it is what these inputs gave; else null. */
export async function readFresh(
  folder: string,
  inputs: string,
): Promise<{ readonly files: readonly GeneratedFile[]; readonly queries: number } | null> {
  const entry = await readEntry(folder)
  if (entry?.inputs !== inputs) return null
  const files: GeneratedFile[] = []
  for (const [path, output] of Object.entries(entry.outputs)) {
    const text = await readFile(join(folder, path), 'utf8').catch(() => null)
    if (text === null || hashOf(text) !== output) return null
    files.push({ path, text })
  }
  return { files, queries: entry.queries }
}

/** Remembers what was written. Nothing is remembered of a compilation with warnings, which are to be seen again. */
export async function remember(folder: string, inputs: string, compilation: Compilation): Promise<void> {
  const { files, diagnostics, queries } = compilation
  const hasModules = await stat(join(folder, 'node_modules')).catch(() => null)
  if (diagnostics.length > 0 || !hasModules?.isDirectory()) return
  const outputs = Object.fromEntries(files.map(({ path, text }) => [path, hashOf(text)]))
  const entry: CacheEntry = { inputs, queries, outputs }
  const path = join(folder, cachePath)
  // A folder that cannot be written to (a read-only node_modules) costs time and nothing else.
  await mkdir(join(path, '..'), { recursive: true })
    .then(() => writeFile(path, JSON.stringify(entry)))
    .catch(() => {})
}

async function readEntry(folder: string): Promise<CacheEntry | null> {
  try {
    return JSON.parse(await readFile(join(folder, cachePath), 'utf8')) as CacheEntry
  } catch {
    // Not there, or half written: then there is no memory.
    return null
  }
}

/** The PostgreSQL that would be started, wherever npm has put it. */
function embeddedBuild(): string {
  try {
    return findBinaries().build
  } catch {
    // There is none: compiling tells of it.
    return 'none'
  }
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
