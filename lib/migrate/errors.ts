// What can be wrong with migrations: with the files, before anything is run, and with running them.

import type { Diagnostic } from '../compile/model.ts'
import { linesOf } from '../compile/sourceText.ts'
import { PlainsqlError } from '../errors.ts'

/** Files of a migrations folder that node-pg-migrate would fail on, or run otherwise than they read. */
export class MigrationFilesError extends PlainsqlError {
  /** Every problem of the folder; the generator prints them with code frames. */
  readonly diagnostics: readonly Diagnostic[]

  constructor(diagnostics: readonly Diagnostic[]) {
    super(diagnostics.map(inOneLine).join('\n'))
    this.diagnostics = diagnostics
  }
}

function inOneLine(diagnostic: Diagnostic): string {
  const [label] = diagnostic.labels
  const hints = diagnostic.hints.map((hint) => `\n  hint: ${hint}`).join('')
  if (!label) return `${diagnostic.title}${hints}`
  const { line, column } = linesOf(label.file.text).placeAt(label.span.start)
  return `${label.file.path}:${line}:${column}: ${diagnostic.title}: ${label.text}${hints}`
}
