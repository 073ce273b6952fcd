// How a command tells of diagnostics: the format that was asked for, and colour only for a person at a terminal.

import { relative } from 'node:path'
import { type Diagnostic, formatDiagnostics } from '../compile/index.ts'
import { type CommandOptions, UsageError } from './options.ts'
import { projectFolder } from './project.ts'

type Format = 'text' | 'json' | 'github'

/** @throws UsageError for a format that does not exist */
export function formatOf(options: CommandOptions): Format {
  const format = options.format ?? 'text'
  if (format === 'text' || format === 'json' || format === 'github') return format
  throw new UsageError(`--format must be text, json or github, got "${format}"`)
}

/** Prints diagnostics: text for people goes to standard error, machine formats to standard output. */
export function printDiagnostics(diagnostics: readonly Diagnostic[], format: Format): void {
  const color = format === 'text' && process.stderr.isTTY === true && !process.env.NO_COLOR
  const text = formatDiagnostics(diagnostics, { format, color, folder: inRepository() })
  if (text !== '') (format === 'text' ? console.error : console.log)(text)
}

/** The project's folder as paths of the repository have it; the project itself, if this does not run in GitHub's CI. */
function inRepository(): string {
  const folder = projectFolder()
  const path = relative(process.env.GITHUB_WORKSPACE || folder, folder).replaceAll('\\', '/')
  return path.startsWith('..') ? '' : path
}

/** "1 query", "2 queries" */
export function count(number: number, one: string, many = `${one}s`): string {
  return `${number} ${number === 1 ? one : many}`
}
