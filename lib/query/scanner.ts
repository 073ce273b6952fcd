// Reads the texts that PostgreSQL prints for values made of others: `{a,"b c"}`, `(1,"x""y")`, `[1,3)`, `"k"=>"v"`.
// They share one way of quoting: inside double quotes, a backslash or a second quote makes the next character literal.

import { notAsPrinted } from './describe.ts'

const QUOTE = 34
const BACKSLASH = 92

export class Scanner {
  position = 0
  readonly #text: string
  readonly #type: string

  /** @param type what the text should be, for errors */
  constructor(text: string, type: string) {
    this.#text = text
    this.#type = type
  }

  get done(): boolean {
    return this.position >= this.#text.length
  }

  take(expected: string): boolean {
    if (!this.#text.startsWith(expected, this.position)) return false
    this.position += expected.length
    return true
  }

  expect(expected: string): void {
    if (!this.take(expected)) throw this.malformed()
  }

  /** One character, of those in `expected`. */
  oneOf(expected: string): string {
    const character = this.#text.charAt(this.position++)
    if (character === '' || !expected.includes(character)) throw this.malformed()
    return character
  }

  /** One part, up to any character of `ends`. Null if it is the unquoted word `nullWord`. */
  token(ends: string, nullWord: string): string | null {
    if (this.#text.charCodeAt(this.position) === QUOTE) return this.#quoted()
    const start = this.position
    while (!this.done && !ends.includes(this.#text.charAt(this.position))) this.position++
    const word = this.#text.slice(start, this.position)
    return word === nullWord ? null : word
  }

  finish(): void {
    if (!this.done) throw this.malformed()
  }

  malformed(): TypeError {
    return notAsPrinted(this.#type)
  }

  #quoted(): string {
    const text = this.#text
    let value = ''
    let start = ++this.position
    for (; ; this.position++) {
      const code = text.charCodeAt(this.position)
      if (Number.isNaN(code)) throw this.malformed()
      if (code === BACKSLASH || (code === QUOTE && text.charCodeAt(this.position + 1) === QUOTE)) {
        value += text.slice(start, this.position)
        start = ++this.position
      } else if (code === QUOTE) {
        return value + text.slice(start, this.position++)
      }
    }
  }
}

/** A part as all of them read it: in quotes, unless it is surely a number. */
export function quote(text: string): string {
  if (/^[\d.-]+$/.test(text)) return text
  let escaped = text
  // Twice as fast as one regular expression, and bulk writes come this way.
  if (text.includes('\\')) escaped = escaped.replaceAll('\\', '\\\\')
  if (text.includes('"')) escaped = escaped.replaceAll('"', '\\"')
  return `"${escaped}"`
}
