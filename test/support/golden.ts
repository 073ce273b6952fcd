// Golden files: a text in, compared with the file that holds what is expected; a failure shows the lines that differ.
// `BLESS=1 npm test`, or `npx tsx test/x.test.ts --bless`, writes what came instead, to be read in `git diff`.

import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import * as assert from 'uvu/assert'

/** Whether golden files are written instead of compared. */
export const isBlessing: boolean = process.env.BLESS === '1' || process.argv.includes('--bless')

/** Compares `actual` with the file, whose last line break does not count. */
export function assertGolden(file: string, actual: string): void {
  const text = `${actual.replace(/\n+$/, '')}\n`
  if (isBlessing) {
    mkdirSync(path.dirname(file), { recursive: true })
    writeFileSync(file, text)
    return
  }
  const name = path.relative(process.cwd(), file)
  if (!existsSync(file))
    assert.unreachable(`${name} does not exist. To write it: BLESS=1 npm test. It would hold:\n\n${text}`)
  const expected = readFileSync(file, 'utf8')
  if (expected === text) return
  assert.unreachable(
    `${name} expects something else. If the new text is right: BLESS=1 npm test.\n\n${difference(expected, text)}`,
  )
}

/** The cases of a folder: the names of its files with this extension, without it, sorted. At least one. */
export function goldenCases(folder: string, extension: string): string[] {
  const cases = readdirSync(folder)
    .filter((file) => file.endsWith(extension))
    .map((file) => file.slice(0, -extension.length))
    .sort()
  if (cases.length === 0) throw new Error(`${folder} holds no *${extension}: these tests would test nothing`)
  return cases
}

/** The lines between the common head and the common tail, with one line of each around them. */
function difference(expected: string, actual: string): string {
  const before = expected.split('\n')
  const after = actual.split('\n')
  let head = 0
  while (head < before.length && before[head] === after[head]) head++
  let tail = 0
  while (tail < before.length - head && tail < after.length - head && before.at(-1 - tail) === after.at(-1 - tail))
    tail++
  const mark = (sign: string, lines: string[]): string[] => lines.map((line) => `${sign} ${line}`)
  return [
    `line ${head + 1}:`,
    ...mark(' ', before.slice(Math.max(0, head - 1), head)),
    ...mark('-', before.slice(head, before.length - tail)),
    ...mark('+', after.slice(head, after.length - tail)),
    ...mark(' ', before.slice(before.length - tail, before.length - tail + 1)),
  ].join('\n')
}
