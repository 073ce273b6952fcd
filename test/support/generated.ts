// Typed functions made from SQL text for a test: compiled against a database, written to a temporary folder, imported.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { defaultConfig } from '../../lib/compile/config.ts'
import { formatDiagnostics } from '../../lib/compile/diagnostics.ts'
import { compile } from '../../lib/compile/generate.ts'
import type { QueryFunction } from '../../lib/query/kinds.ts'

const root = resolve(import.meta.dirname, '../..')

/** Any typed function, for tests that treat all of them alike. */
export type AnyFunction = QueryFunction<Record<string, unknown>, unknown, unknown, unknown>

/** The functions of a `.sql` text by name, and the generated text. @throws if a query is wrong */
export async function generated<Functions = Record<string, AnyFunction>>(
  databaseUrl: string,
  sql: string,
): Promise<{ functions: Functions; text: string }> {
  const folder = mkdtempSync(join(root, 'test/generated-'))
  try {
    mkdirSync(join(folder, 'sql'))
    writeFileSync(join(folder, 'sql/q.sql'), sql)
    const result = await compile(folder, { ...defaultConfig, databaseUrl, runtime: join(root, 'lib/index.ts') })
    const [file] = result.files
    if (file === undefined) throw new Error(formatDiagnostics(result.diagnostics, { format: 'text', color: false }))
    const { text } = file
    const path = join(folder, 'sql/q.ts')
    writeFileSync(path, text)
    return { functions: { ...(await import(pathToFileURL(path).href)) } as Functions, text }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
