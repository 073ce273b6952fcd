// From a project's folder to the texts of its generated files, or to everything that is wrong: the whole pipeline.
// Reads files and asks a database; writes nothing (that is `output.ts`).

import { dirname } from 'node:path/posix'
import { MigrationFilesError } from '../migrate/errors.ts'
import { analyze } from './analyze.ts'
import { loadCatalog, loadDefinitions } from './catalog.ts'
import type { Config } from './config.ts'
import { checkNames } from './configNames.ts'
import { describeQueries } from './describe.ts'
import { emitFile } from './emit.ts'
import { deriveForms, type FormedQuery } from './forms.ts'
import type { Diagnostic, ParsedQuery, SqlFile } from './model.ts'
import { parseSqlFile } from './parse.ts'
import { planErrors } from './planErrors.ts'
import { openSchema } from './schema.ts'
import { emitSchemaTypes, mentionsOfSchema } from './schemaTypes.ts'
import { normalized, readSqlFiles } from './sources.ts'

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
 * @throws ConfigError, also if the server is not reached; NoServerError
 */
export async function compile(folder: string, config: Config): Promise<Compilation> {
  const sources = await readSqlFiles(folder, config)
  const parsed = sources.map((file) => ({ file, ...parseSqlFile(file) }))
  const queries = parsed.flatMap((file) => file.queries)
  const diagnostics = parsed.flatMap((file) => file.diagnostics)
  const found = queries.length + unreadable(queries, diagnostics)

  const result = await describeAll(folder, config, queries)
  diagnostics.push(...result.diagnostics)
  diagnostics.sort(byPlace)
  const failed = diagnostics.some((diagnostic) => diagnostic.severity === 'error')
  const files = failed ? [] : sources.map((file) => generated(file, result.analyzed, config))
  if (!failed && result.schemaTypes) files.push(result.schemaTypes)
  return { files, diagnostics, queries: found }
}

/** How many queries could not be parsed. */
function unreadable(queries: readonly ParsedQuery[], diagnostics: readonly Diagnostic[]): number {
  const read = new Set(queries.map(({ file, name }) => `${file.path} ${name}`))
  const told = diagnostics.flatMap(({ labels, query }) => (query === null ? [] : [`${labels[0]?.file.path} ${query}`]))
  return new Set(told.filter((query) => !read.has(query))).size
}

function generated(file: SqlFile, analyzed: readonly FormedQuery[], config: Config): GeneratedFile {
  const own = analyzed.filter((query) => query.file === file)
  return { path: `${file.path}.ts`, text: emitFile(file, own, config.runtime) }
}

interface Described {
  readonly analyzed: readonly FormedQuery[]
  readonly diagnostics: readonly Diagnostic[]
  readonly schemaTypes: GeneratedFile | null
}

async function describeAll(folder: string, config: Config, queries: readonly ParsedQuery[]): Promise<Described> {
  const schema = await openSchema(folder, config).catch((error: unknown) => {
    if (error instanceof MigrationFilesError) return error
    throw error
  })
  if (schema instanceof MigrationFilesError) return failedSchema(schema.diagnostics)
  try {
    if (schema.diagnostics.length > 0) return failedSchema(schema.diagnostics)
    const catalog = await loadCatalog(schema.client)
    const { described, diagnostics } = await describeQueries(schema.client, queries, catalog)
    diagnostics.push(...checkNames(config, catalog), ...(await planErrors(schema.client, described)))
    const path = schemaTypesPath(folder, config)
    const mentions = path === null ? [] : mentionsOfSchema(catalog)
    await loadDefinitions(schema.client, catalog, [...described.map((query) => query.tree), ...mentions])
    const result = analyze(described, catalog, config)
    const analyzed = await deriveForms(schema.client, result.analyzed, catalog)
    const schemaTypes = path === null ? null : { path, text: emitSchemaTypes(catalog, config, path) }
    return { analyzed, diagnostics: [...diagnostics, ...result.diagnostics], schemaTypes }
  } finally {
    await schema.close()
  }
}

function failedSchema(diagnostics: readonly Diagnostic[]): Described {
  return { analyzed: [], diagnostics, schemaTypes: null }
}

function schemaTypesPath(folder: string, { schemaTypes, sql }: Config): string | null {
  if (schemaTypes !== null) return schemaTypes === false ? null : normalized(folder, schemaTypes)
  const first = normalized(folder, sql[0] ?? '')
  return `${first.endsWith('.sql') ? dirname(first) : first}/schema.ts`.replace(/^\.?\//, '')
}

function byPlace(a: Diagnostic, b: Diagnostic): number {
  const [first, second] = [a.labels[0], b.labels[0]]
  if (first === undefined || second === undefined) return first === second ? 0 : first === undefined ? -1 : 1
  if (first.file.path !== second.file.path) return first.file.path < second.file.path ? -1 : 1
  return first.span.start - second.span.start
}
