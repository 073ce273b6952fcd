// JSON with its numbers as they are written: `numeric` and int8 have digits that a JavaScript number would lose.

/** A number as it was written. */
export class Digits {
  readonly #text: string

  constructor(text: string) {
    this.#text = text
  }

  toString(): string {
    return this.#text
  }
}

const tokens = /"[^"\\]*(?:\\.[^"\\]*)*"|\[\s*\]|\[|-?\d[\d.eE+-]*/g

/**
 * `JSON.parse` with numbers as `Digits`, for documents with `numeric` in them, of which a number would lose digits. They
 * go through the parser as `["n","1.50"]`, and arrays as `[0,…]`, which tells them apart.
 */
export function parseExactly(text: string): unknown {
  const tagged = text.replace(tokens, (token) => {
    if (token.startsWith('"')) return token
    if (token.startsWith('[')) return token === '[' ? '[0,' : '[0]'
    return `["n","${token}"]`
  })
  return parseJson(tagged, (_key, value: unknown) => {
    if (!Array.isArray(value)) return value
    return value[0] === 'n' ? new Digits(String(value[1])) : value.slice(1)
  })
}

export function parseJson(text: string, reviver?: (key: string, value: unknown) => unknown): unknown {
  try {
    return JSON.parse(text, reviver)
  } catch {
    // JSON.parse's own message quotes the value.
    throw new TypeError('is not JSON as PostgreSQL prints it: run `plainsql generate`')
  }
}

/** A document inside of another one: as `JSON.parse` gives it. */
export function plainJson(value: unknown): unknown {
  if (value instanceof Digits) return Number(String(value))
  if (Array.isArray(value)) return value.map(plainJson)
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plainJson(item)]))
}
