// One line of text in, the cells that a terminal shows for it out, so that carets stand under what they mean:
// tabs expanded, wide characters counted twice, what is invisible or would move the cursor made visible.

export interface Cell {
  /** What is printed. */
  readonly text: string
  /** Terminal columns: 0, 1 or 2, more for a tab. */
  readonly width: number
  /** Where the character stands in the line, in UTF-16 units. */
  readonly start: number
  readonly end: number
}

const TAB_STOP = 4

export function displayCells(line: string): Cell[] {
  const cells: Cell[] = []
  let column = 0
  for (const { segment, index } of segmenter.segment(line)) {
    const tab = segment === '\t' ? ' '.repeat(TAB_STOP - (column % TAB_STOP)) : null
    const text = tab ?? printable(segment)
    const width = tab?.length ?? clusterWidth(text)
    cells.push({ text, width, start: index, end: index + segment.length })
    column += width
  }
  return cells
}

/**
 * A text without control and formatting characters: a `.sql` file or a server's message must not be able to recolour
 * the terminal, or to turn the reading direction so that code looks like what it is not.
 */
export function printable(text: string): string {
  return text.replace(/\p{Cc}|(?![\u200c\u200d])\p{Cf}/gu, '\ufffd')
}

const segmenter = new Intl.Segmenter('en', { granularity: 'grapheme' })

function clusterWidth(cluster: string): number {
  if (/^\p{M}+$/u.test(cluster)) return 0
  return /\ufe0f|\p{Emoji_Presentation}/u.test(cluster) || wide.test(cluster) ? 2 : 1
}

/** Unicode's East Asian Width W and F, in blocks. */
const wide =
  /^[\u1100-\u115f\u2e80-\u303e\u3041-\u4dbf\u4e00-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1f64f}\u{1f900}-\u{1f9ff}\u{20000}-\u{3fffd}]/u
