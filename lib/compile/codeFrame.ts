// A place in a `.sql` file in, the lines around it with carets below the whole token out:
//
//     13 │ select id,
//     14 │        nmae
//        │        ^^^^ no such column

import { type Cell, displayCells, printable } from './displayCells.ts'
import type { Label } from './model.ts'
import type { Lines } from './sourceText.ts'

/** How parts of a frame are coloured; each takes a text and gives it back with or without colour. */
export interface FramePaint {
  readonly dim: (text: string) => string
  readonly mark: (text: string) => string
}

/** A label, and the character that underlines it. */
export interface Mark {
  readonly label: Label
  readonly caret: string
}

const CONTEXT_LINES = 2
const MAX_WIDTH = 100
/** How much of a long line is shown before the marked part. */
const LEAD = 30

/** The frame's lines, without indentation. All marks start on one line of one file. */
export function codeFrame(lines: Lines, marks: readonly Mark[], paint: FramePaint): string[] {
  const line = lines.placeAt(marks[0]!.label.span.start).line
  const cells = displayCells(lines.text(line))
  const window = windowAround(cells, marks[0]!.label.span.start - lines.start(line))
  const gutter = `${line}`.length
  const row = (head: string, text: string): string => `${paint.dim(`${head.padStart(gutter)} │`)} ${text}`.trimEnd()

  // Above a header stands another query; above the middle of a long line there is nothing to show.
  const contextLines = window.from > 0 || !belongsToQuery(lines, line) ? 0 : CONTEXT_LINES
  const context: string[] = []
  for (let above = line - 1; above >= line - contextLines && belongsToQuery(lines, above); above--) {
    context.unshift(row(`${above}`, paint.dim(cut(displayCells(lines.text(above)), window))))
  }
  return [
    ...context,
    row(`${line}`, cut(cells, window)),
    ...marks.map(({ label, caret }) => {
      const { indent, length, text } = underline(lines, line, cells, window, label)
      return row('', `${' '.repeat(indent)}${paint.mark(`${caret.repeat(length)} ${printable(text)}`.trimEnd())}`)
    }),
  ]
}

/** Whether a line is so long that a frame shows only a part of it. */
export function isWindowed(line: string): boolean {
  return widthOf(displayCells(line)) > MAX_WIDTH
}

/** Context ends at an empty line or a comment: what stands above it says nothing about this statement. */
function belongsToQuery(lines: Lines, line: number): boolean {
  return line >= 1 && !/^\s*(?:--.*)?$/.test(lines.text(line))
}

/** The columns of the line that are shown. */
interface Window {
  readonly from: number
  readonly to: number
}

function windowAround(cells: readonly Cell[], offset: number): Window {
  const width = widthOf(cells)
  if (width <= MAX_WIDTH) return { from: 0, to: MAX_WIDTH }
  const from = Math.max(0, Math.min(columnAt(cells, offset) - LEAD, width - MAX_WIDTH))
  return { from, to: from + MAX_WIDTH }
}

function cut(cells: readonly Cell[], { from, to }: Window): string {
  let column = 0
  let text = ''
  for (const cell of cells) {
    const inside = column >= from && column + cell.width <= to
    const cutThrough = !inside && column + cell.width > from && column < to
    text += inside
      ? cell.text
      : cutThrough
        ? ' '.repeat(Math.min(to, column + cell.width) - Math.max(from, column))
        : ''
    column += cell.width
  }
  const cutAfter = column > to ? '…' : ''
  return from > 0 ? `…${text}${cutAfter}` : `${text}${cutAfter}`
}

/** A span over several lines is underlined to the end of its first line. */
function underline(
  lines: Lines,
  line: number,
  cells: readonly Cell[],
  window: Window,
  { span, text }: Label,
): { indent: number; length: number; text: string } {
  const start = columnAt(cells, span.start - lines.start(line))
  const end = columnAt(cells, Math.min(span.end - lines.start(line), lines.text(line).trimEnd().length))
  const ellipsis = window.from > 0 ? 1 : 0
  const length = Math.max(1, Math.min(end, window.to) - start)
  const lastLine = span.end > span.start ? lines.placeAt(span.end - 1).line : line
  const suffix = lastLine > line ? `(to line ${lastLine})` : ''
  return { indent: start - window.from + ellipsis, length, text: [text, suffix].filter(Boolean).join(' ') }
}

/** The column of the cell that holds an offset of the line. */
function columnAt(cells: readonly Cell[], offset: number): number {
  return widthOf(cells.filter((cell) => cell.end <= offset))
}

function widthOf(cells: readonly Cell[]): number {
  return cells.reduce((width, cell) => width + cell.width, 0)
}
