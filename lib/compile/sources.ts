// The files that a project is compiled from, in a fixed order, whatever the file system's is.

import type { Dirent } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { join, relative, resolve } from 'node:path'
import { type Config, ConfigError } from './config.ts'
import type { SqlFile } from './model.ts'
import { readText } from './readText.ts'

/** The project's `.sql` files. @throws ConfigError if there is none, a setting names one that is not there, or one cannot be read */
export async function readSqlFiles(folder: string, config: Config): Promise<SqlFile[]> {
  const paths = new Set<string>()
  for (const entry of config.sql) {
    for (const found of await listSqlFiles(folder, entry)) paths.add(found)
  }
  if (paths.size === 0) {
    throw new ConfigError(
      `there is no .sql file in ${config.sql.join(', ')} of ${folder}: write one, or set "sql" to the folders that hold yours`,
    )
  }
  const shouting = [...paths].find((path) => /\.sql$/i.test(path) && !path.endsWith('.sql'))
  if (shouting !== undefined) throw new ConfigError(`${shouting}: write the extension in lower case, .sql`)
  return Promise.all([...paths].sort().map(async (path) => ({ path, text: await readLines(folder, path) })))
}

/** With LF, as git's `autocrlf` may not have it: what is generated must be the same on Windows and in CI. */
async function readLines(folder: string, path: string): Promise<string> {
  return (await readText(join(folder, path), path)).replaceAll('\r\n', '\n')
}

/** The paths of the files that the schema is made from: those of the settings, or all in the migrations' folder. */
export async function schemaFiles(folder: string, config: Config): Promise<readonly string[]> {
  if (config.schema.length > 0) return config.schema
  const names = await readdir(resolve(folder, config.migrations)).catch(() => [])
  return names.sort().map((name) => join(config.migrations, name))
}

/** As paths are written in generated files: relative to the project, with `/`. */
export function normalized(folder: string, path: string): string {
  return relative(folder, resolve(folder, path)).replaceAll('\\', '/')
}

async function listSqlFiles(folder: string, path: string): Promise<string[]> {
  const at = resolve(folder, path)
  const found = await stat(at).catch(() => null)
  if (found === null)
    throw new ConfigError(`there is no ${path} in ${folder}: "sql" names the folders and files with your queries`)
  if (found.isFile()) return [normalized(folder, at)]
  const entries = await readBelow(at)
  return entries
    .filter(({ entry }) => (entry.isFile() || entry.isSymbolicLink()) && /\.sql$/i.test(entry.name))
    .map(({ path }) => normalized(folder, path))
}

/** The folders in which queries are looked for: `path` of the setting `sql`, if it is one, and those below it. */
export async function listFolders(folder: string, path: string): Promise<string[]> {
  const at = resolve(folder, path)
  const found = await stat(at).catch(() => null)
  if (!found?.isDirectory()) return []
  const below = (await readBelow(at)).filter(({ entry }) => entry.isDirectory())
  return [at, ...below.map((inside) => inside.path)].map((inside) => normalized(folder, inside) || '.')
}

/** What is in a folder and below it, but for `node_modules`. */
async function readBelow(at: string): Promise<{ readonly path: string; readonly entry: Dirent }[]> {
  const entries = await readdir(at, { recursive: true, withFileTypes: true })
  return entries
    .map((entry) => ({ entry, path: join(parentOf(entry), entry.name) }))
    .filter(({ path }) => !relative(at, path).split(/[\\/]/).includes('node_modules'))
}

/** Node 20.11 calls it `path`; 20.12 and later `parentPath`, of which `path` is an alias that goes away in 24. */
function parentOf(entry: Dirent): string {
  return entry.parentPath ?? (entry as Dirent & { path: string }).path
}
