// From a project's folder to the texts of its generated files, or to everything that is wrong: the whole pipeline.
// Reads files and asks a database; writes nothing (that is `output.ts`).

import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { MigrationFilesError } from '../migrate/errors.ts'
import { analyze } from './analyze.ts'
import { loadCatalog, loadViews } from './catalog.ts'
import { type Config, ConfigError } from './config.ts'
import { describeQueries } from './describe.ts'
import { emitFile } from './emit.ts'
import { deriveForms, type FormedQuery } from './forms.ts'
import type { Diagnostic, ParsedQuery, SqlFile } from './model.ts'
import { parseSqlFile } from './parse.ts'
import { openSchema } from './schema.ts'

/** A file to be written. */
export interface GeneratedFile {
  /** Relative to the project's folder, with `/`. */
  readonly path: string
  readonly text: string
}

export interface Compilation {
  /** Every generated file; empty if there is any error. */
  readonly files: readonly GeneratedFile[]
  /** Errors and warnings, by file and place. */
  readonly diagnostics: readonly Diagnostic[]
  /** How many queries were found. */
  readonly queries: number
}

/**
 * Compiles all `.sql` files of a project. Nothing is executed on the database but the schema's own SQL.
 * @throws ConfigError, NoServerError, and what connecting to a database throws
 */
export async function compile(folder: string, config: Config): Promise<Compilation> {
  const sources = await readSqlFiles(folder, config)
  const parsed = sources.map((file) => ({ file, ...parseSqlFile(file) }))
  const queries = parsed.flatMap((file) => file.queries)
  const diagnostics = parsed.flatMap((file) => file.diagnostics)

  const result = await describeAll(folder, config, queries)
  diagnostics.push(...result.diagnostics)
  diagnostics.sort(byPlace)
  const failed = diagnostics.some((diagnostic) => diagnostic.severity === 'error')
  const files = failed ? [] : sources.map((file) => generated(file, result.analyzed, config))
  return { files, diagnostics, queries: queries.length }
}

function generated(file: SqlFile, analyzed: readonly FormedQuery[], config: Config): GeneratedFile {
  const own = analyzed.filter((query) => query.file === file)
  return { path: `${file.path}.ts`, text: emitFile(file, own, config.runtime) }
}

async function describeAll(
  folder: string,
  config: Config,
  queries: readonly ParsedQuery[],
): Promise<{ analyzed: FormedQuery[]; diagnostics: readonly Diagnostic[] }> {
  const schema = await openSchema(folder, config).catch((error: unknown) => {
    if (error instanceof MigrationFilesError) return error
    throw error
  })
  if (schema instanceof MigrationFilesError) return { analyzed: [], diagnostics: schema.diagnostics }
  try {
    if (schema.diagnostics.length > 0) return { analyzed: [], diagnostics: schema.diagnostics }
    const catalog = await loadCatalog(schema.client)
    const { described, diagnostics } = await describeQueries(schema.client, queries, catalog)
    await loadViews(
      schema.client,
      catalog,
      described.map((query) => query.tree),
    )
    const result = analyze(described, catalog, config)
    const analyzed = await deriveForms(schema.client, result.analyzed, catalog)
    return { analyzed, diagnostics: [...diagnostics, ...result.diagnostics] }
  } finally {
    await schema.close()
  }
}

/** In a fixed order, whatever the file system's is. */
async function readSqlFiles(folder: string, config: Config): Promise<SqlFile[]> {
  const paths = new Set<string>()
  for (const entry of config.sql) {
    const path = entry.replaceAll('\\', '/').replace(/^\.\//, '').replace(/\/+$/, '')
    for (const found of await listSqlFiles(folder, path)) paths.add(found)
  }
  if (paths.size === 0) {
    throw new ConfigError(
      `there is no .sql file in ${config.sql.join(', ')}: write one, or set "sql" to the folders that hold yours`,
    )
  }
  return Promise.all(
    [...paths].sort().map(async (path) => ({ path, text: await readFile(join(folder, path), 'utf8') })),
  )
}

async function listSqlFiles(folder: string, path: string): Promise<string[]> {
  const found = await stat(join(folder, path)).catch(() => null)
  if (found === null) throw new ConfigError(`there is no ${path}: "sql" names the folders and files with your queries`)
  if (found.isFile()) return [path]
  const entries = await readdir(join(folder, path), { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile() && entry.name.endsWith('.sql') && !entry.parentPath.includes('node_modules'))
    .map((entry) => join(entry.parentPath, entry.name).slice(join(folder, '/').length).replaceAll('\\', '/'))
}

function byPlace(a: Diagnostic, b: Diagnostic): number {
  const [first, second] = [a.labels[0], b.labels[0]]
  if (first === undefined || second === undefined) return first === second ? 0 : first === undefined ? -1 : 1
  if (first.file.path !== second.file.path) return first.file.path < second.file.path ? -1 : 1
  return first.span.start - second.span.start
}
