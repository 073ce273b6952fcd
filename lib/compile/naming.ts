// SQL names in, TypeScript names out. The generator converts each name once, here, so that parameters, columns,
// functions and types agree.

/**
 * `user_id` → `userId`. Only underscores between characters are taken out, the next letter becoming a capital; leading
 * and trailing ones stay, and so does everything else: `HTTPServer`, `_private`, `?column?`. A name in capitals with
 * underscores is lowered first: `USER_ID` → `userId`.
 */
export function camelCase(name: string): string {
  const shouted = /[^_]_[^_]/u.test(name) && name === name.toUpperCase()
  return (shouted ? name.toLowerCase() : name).replace(/(?<=[^_])_+([^_])/gu, (_, next: string) => next.toUpperCase())
}

/**
 * `get_user` → `GetUser`: always a valid type name. What cannot stand in one separates words, as in `order details` →
 * `OrderDetails`; a leading digit gets an underscore.
 */
export function pascalCase(name: string): string {
  const words = camelCase(name.replace(/[^\p{ID_Continue}$]+/gu, '_')).replace(/^_+/u, '')
  const capitalised = words.replace(/^./u, (first) => first.toUpperCase())
  return isIdentifier(capitalised) ? capitalised : `_${capitalised}`
}

/**
 * A name as a property key of an object literal or an interface: bare where that is valid, else quoted. `__proto__` is
 * computed, because a plain `__proto__: x` in a literal sets the prototype and makes no property.
 */
export function propertyKey(name: string): string {
  if (name === '__proto__') return `['__proto__']`
  return isIdentifier(name) ? name : stringLiteral(name)
}

/** A text as a single-quoted JavaScript literal on one line. */
export function stringLiteral(text: string): string {
  const escaped = JSON.stringify(text)
    .slice(1, -1)
    .replace(/\\"/g, '"')
    .replace(/'/g, "\\'")
    .replace(/[\u2028\u2029]/g, (mark) => (mark === '\u2028' ? '\\u2028' : '\\u2029'))
  return `'${escaped}'`
}

/** A text as it stands behind `//`: what follows a line break, which a name in the database may hold, would be run. */
export function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ')
}

/** A text as it stands between backquotes. */
export function templateText(text: string): string {
  return text.replace(/[\\`]|\$(?=\{)/g, '\\$&').replaceAll('\r', '\\r')
}

const none: ReadonlySet<string> = new Set()

/** A name that neither set has; it is added to the first one. */
export function freeName(wanted: string, given: Set<string>, taken: ReadonlySet<string> = none): string {
  let name = wanted
  for (let number = 2; given.has(name) || taken.has(name); number++) name = `${wanted}${number}`
  given.add(name)
  return name
}

/** Whether a name has the form of a JavaScript identifier; it may still be reserved. */
export function isIdentifier(name: string): boolean {
  return /^[\p{ID_Start}$_][\p{ID_Continue}$\u200c\u200d]*$/u.test(name)
}

/**
 * Whether a module cannot export a function of this name, or should not: `then` would make `await import(…)` of the
 * module call it.
 */
export function isReserved(name: string): boolean {
  return reserved.has(name)
}

const reserved: ReadonlySet<string> = new Set(
  `arguments await break case catch class const continue debugger default delete do else enum eval export extends false
  finally for function if implements import in instanceof interface let new null package private protected public return
  static super switch then this throw true try typeof undefined var void while with yield`.split(/\s+/),
)
