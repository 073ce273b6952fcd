// What arrived instead of what was asked for, in words for an error. Never its value: errors end up in logs.

/** `null`, `a string`, `an array`, `an object of class Date`. */
export function describe(value: unknown): string {
  if (value === null || value === undefined) return String(value)
  if (typeof value !== 'object') return `a ${typeof value}`
  if (Array.isArray(value)) return 'an array'
  // By the prototype, because an own property called "constructor" is part of the value.
  const prototype: { constructor?: { name?: unknown } } | null = Object.getPrototypeOf(value)
  const name = prototype?.constructor?.name
  return typeof name === 'string' && name !== 'Object' ? `an object of class ${name}` : 'an object'
}

/** The error of a text that a codec cannot read: the schema is another one than when the code was generated. */
export function notAsPrinted(type: string): TypeError {
  return new TypeError(`is not ${type} as PostgreSQL prints it: run \`plainsql generate\``)
}
