// The shorthand with which the stages make diagnostics.

import type { Diagnostic, Label, Severity, Span, SqlFile } from './model.ts'

export interface ProblemDetails {
  readonly severity?: Severity
  readonly query?: string | null
  readonly hints?: readonly string[]
  /** Further places, behind the first one. */
  readonly related?: readonly Label[]
}

/** A diagnostic at `span` of `file`, an error unless `details` says otherwise. */
export function problem(
  file: SqlFile,
  span: Span,
  code: string,
  title: string,
  text: string,
  details: ProblemDetails = {},
): Diagnostic {
  return {
    severity: details.severity ?? 'error',
    code,
    title,
    labels: [{ file, span, text }, ...(details.related ?? [])],
    query: details.query ?? null,
    hints: details.hints ?? [],
  }
}
