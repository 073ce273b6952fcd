// Diagnostics in, text out: for people (a title, the place, the code, hints), as JSON, or as GitHub's annotations.

import { join } from 'node:path/posix'
import { codeFrame, isWindowed, type Mark } from './codeFrame.ts'
import { printable } from './displayCells.ts'
import type { Diagnostic, Label, Severity } from './model.ts'
import { type Lines, linesOf } from './sourceText.ts'

export type DiagnosticsFormat = 'text' | 'json' | 'github'

export interface FormatOptions {
  readonly format: DiagnosticsFormat
  /** Only the text format has colours. */
  readonly color: boolean
  /** Where the project is in its repository, `packages/api`: GitHub's annotations have paths of the repository. */
  readonly folder?: string | undefined
}

/**
 * All diagnostics in one text, without a line break at its end.
 *
 * - `text`: blocks with an empty line between them.
 * - `json`: one array of {@link DiagnosticRecord}.
 * - `github`: one workflow command (`::error file=…`) per line.
 */
export function formatDiagnostics(diagnostics: readonly Diagnostic[], options: FormatOptions): string {
  if (options.format === 'json') return JSON.stringify(diagnostics.map(toRecord), null, 2)
  if (options.format === 'github') return diagnostics.map((found) => toGithub(found, options.folder ?? '')).join('\n')
  return diagnostics.map((diagnostic) => toText(diagnostic, options.color ? ansi : plain)).join('\n\n')
}

/** A place in a file. Lines and columns start at 1, columns count UTF-16 units, the end is exclusive. */
export interface PlaceRecord {
  readonly path: string | null
  readonly line: number | null
  readonly column: number | null
  readonly endLine: number | null
  readonly endColumn: number | null
}

/** A diagnostic as `--format json` prints it. The place is null for what concerns no file. */
export interface DiagnosticRecord extends PlaceRecord {
  readonly severity: Severity
  readonly code: string
  readonly title: string
  /** The word about the place. */
  readonly label: string | null
  readonly query: string | null
  readonly hints: readonly string[]
  readonly related: readonly (PlaceRecord & { readonly label: string })[]
}

function toRecord(diagnostic: Diagnostic): DiagnosticRecord {
  const { severity, code, title, labels, query, hints } = diagnostic
  const [primary, ...related] = labels
  return {
    severity,
    code,
    title,
    ...toPlace(primary),
    label: primary?.text ?? null,
    query,
    hints,
    related: related.map((label) => ({ ...toPlace(label), label: label.text })),
  }
}

function toPlace(label: Label | undefined): PlaceRecord {
  if (!label) return { path: null, line: null, column: null, endLine: null, endColumn: null }
  const lines = linesOf(label.file.text)
  const start = lines.placeAt(label.span.start)
  const end = lines.placeAt(label.span.end)
  return { path: label.file.path, line: start.line, column: start.column, endLine: end.line, endColumn: end.column }
}

// https://docs.github.com/actions/reference/workflow-commands: in a message % and line breaks are escaped, in a
// property `:` and `,` too. Columns are only allowed to end on the line they start on.
function toGithub(diagnostic: Diagnostic, folder: string): string {
  const { severity, code, title, labels, query, hints } = diagnostic
  const place = toPlace(labels[0])
  const isOneLine = place.line === place.endLine
  const properties = {
    file: place.path === null ? null : join(folder, place.path),
    line: place.line,
    col: isOneLine ? place.column : null,
    endLine: place.endLine,
    endColumn: isOneLine ? place.endColumn : null,
    title: query === null ? code : `${code} in ${query}`,
  }
  const written = Object.entries(properties)
    .filter(([, value]) => value !== null)
    .map(([name, value]) => `${name}=${escapeProperty(`${value}`)}`)
  const [label = ''] = labels.map(({ text }) => text)
  const message = [title, title.endsWith(label) ? '' : label, ...hints.map((hint) => `hint: ${hint}`)]
  return `::${severity} ${written.join(',')}::${escapeData(message.filter((part) => part !== '').join('\n'))}`
}

function escapeData(text: string): string {
  return text.replace(/%/g, '%25').replace(/\r/g, '%0D').replace(/\n/g, '%0A')
}

function escapeProperty(text: string): string {
  return escapeData(text).replace(/:/g, '%3A').replace(/,/g, '%2C')
}

interface Paint {
  readonly severity: (severity: Severity, text: string) => string
  readonly title: (text: string) => string
  readonly dim: (text: string) => string
  readonly hint: (text: string) => string
}

const plain: Paint = {
  severity: (_, text) => text,
  title: (text) => text,
  dim: (text) => text,
  hint: (text) => text,
}

const ansi: Paint = {
  severity: (severity, text) => `\x1b[${severity === 'error' ? '31' : '33'}m${text}\x1b[39m`,
  title: (text) => `\x1b[1m${text}\x1b[22m`,
  dim: (text) => `\x1b[2m${text}\x1b[22m`,
  hint: (text) => `\x1b[36m${text}\x1b[39m`,
}

function toText({ severity, code, title, labels, query, hints }: Diagnostic, paint: Paint): string {
  const mark = (text: string): string => paint.severity(severity, text)
  const frames = groupByLine(labels).flatMap(({ lines, marks }, index) => {
    const { file, span } = marks[0]!.label
    const { line, column } = lines.placeAt(span.start)
    const inQuery = index === 0 && query !== null ? `  in ${query}` : ''
    return [`${printable(file.path)}:${line}:${column}${inQuery}`, ...codeFrame(lines, marks, { dim: paint.dim, mark })]
  })
  const advice = hints.map((hint) => `${paint.hint('hint:')} ${hint.split('\n').map(printable).join('\n        ')}`)
  const body = [...frames, ...advice].map((line) => `  ${line}`)
  const head = `${mark(`${severity}[${code}]`)} ${paint.title(printable(title.replace(/\s*\n\s*/g, ' ')))}`
  return [head, ...(body.length > 0 ? [''] : []), ...body].join('\n')
}

/** Labels of one line share a frame, unless it is so long that a frame shows only the part around one of them. */
function groupByLine(labels: readonly Label[]): { lines: Lines; marks: Mark[] }[] {
  const groups: { key: string; lines: Lines; marks: Mark[] }[] = []
  for (const [index, label] of labels.entries()) {
    const lines = linesOf(label.file.text)
    const { line } = lines.placeAt(label.span.start)
    const key = `${label.file.path}:${line}`
    const mark = { label, caret: index === 0 ? '^' : '-' }
    const group = isWindowed(lines.text(line)) ? undefined : groups.find((earlier) => earlier.key === key)
    if (group) group.marks.push(mark)
    else groups.push({ key, lines, marks: [mark] })
  }
  return groups
}
