// `plainsql generate`: compiles the project and writes what changed.

import { compile, type Diagnostic, planOutput, writeOutput } from '../compile/index.ts'
import { type CommandOptions, commandConfig } from './options.ts'
import { count, formatOf, printDiagnostics } from './report.ts'

/** @returns the exit code: 1 if anything is wrong, and then nothing was written */
export async function generate(options: CommandOptions): Promise<number> {
  const format = formatOf(options)
  const folder = process.cwd()
  const compilation = await compile(folder, await commandConfig(options))
  printDiagnostics(compilation.diagnostics, format)
  const failed = failedQueries(compilation.diagnostics)
  if (failed !== null) {
    if (format === 'text')
      console.error(`\n${failed} of ${count(compilation.queries, 'query', 'queries')} failed; nothing was written.`)
    return 1
  }
  const plan = await planOutput(folder, compilation.files)
  await writeOutput(folder, plan)
  if (format === 'text') {
    for (const file of plan.stale) console.log(`wrote ${file.path}`)
    for (const path of plan.orphaned) console.log(`removed ${path}: what it was generated from is gone`)
    const files = compilation.files.filter(({ path }) => path.endsWith('.sql.ts'))
    console.log(`${count(compilation.queries, 'query', 'queries')} in ${count(files.length, 'file')}, all typed.`)
  }
  return 0
}

/** How many queries have an error (at least 1 if there is any error at all), or null. */
export function failedQueries(diagnostics: readonly Diagnostic[]): number | null {
  const errors = diagnostics.filter((diagnostic) => diagnostic.severity === 'error')
  if (errors.length === 0) return null
  const queries = new Set(
    errors.map(({ labels, query }) => (query === null ? null : `${labels[0]?.file.path} ${query}`)),
  )
  return Math.max(1, [...queries].filter((query) => query !== null).length)
}
