// `plainsql generate`: compiles the project, if anything has changed since the last time, and writes what changed.

import {
  type Compilation,
  type Config,
  compile,
  hashInputs,
  planOutput,
  readFresh,
  remember,
  writeOutput,
} from '../compile/index.ts'
import { type CommandOptions, commandConfig } from './options.ts'
import { elsewhere, projectFolder } from './project.ts'
import { count, formatOf, printDiagnostics } from './report.ts'

/** @returns the exit code: 1 if anything is wrong, and then nothing was written */
export async function generate(options: CommandOptions): Promise<number> {
  const format = formatOf(options)
  const folder = projectFolder()
  const config = await commandConfig(options)
  const inputs = await hashInputs(folder, config)
  const compilation = await compileStale(folder, config, inputs)
  printDiagnostics(compilation.diagnostics, format)
  const failed = failures(compilation)
  if (failed !== null) {
    if (format === 'text') console.error(`\n${failed}${elsewhere()}; nothing was written.`)
    return 1
  }
  const plan = await planOutput(folder, compilation.files, config.sql)
  await writeOutput(folder, plan)
  // What was saved while this compiled belongs to the next run.
  if (inputs !== null && inputs === (await hashInputs(folder, config))) await remember(folder, inputs, compilation)
  if (format === 'text') {
    for (const file of plan.stale) console.log(`wrote ${file.path}`)
    for (const path of plan.orphaned) console.log(`removed ${path}: what it was generated from is gone`)
    const files = compilation.files.filter(({ path }) => path.endsWith('.sql.ts'))
    console.log(
      `${count(compilation.queries, 'query', 'queries')} in ${count(files.length, 'file')}${elsewhere()}, all typed.`,
    )
  }
  return 0
}

/** What is on the disk, if nothing that it depends on has changed. */
async function compileStale(folder: string, config: Config, inputs: string | null): Promise<Compilation> {
  const fresh = inputs === null ? null : await readFresh(folder, inputs)
  return fresh ? { ...fresh, diagnostics: [] } : compile(folder, config)
}

/** `3 of 4 queries failed`, or null. An error may be of no query, as of a migration or of SQL above the first header. */
export function failures({ diagnostics, queries }: Compilation): string | null {
  const errors = diagnostics.filter((diagnostic) => diagnostic.severity === 'error')
  if (errors.length === 0) return null
  const failed = new Set(
    errors.filter(({ query }) => query !== null).map(({ labels, query }) => `${labels[0]?.file.path} ${query}`),
  )
  if (failed.size > 0) return `${failed.size} of ${count(queries, 'query', 'queries')} failed`
  return `${count(errors.length, 'error')} outside of the queries`
}
