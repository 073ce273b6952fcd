// timestamptz and timestamp between PostgreSQL's ISO text (DateStyle ISO) and Date. Hand-written because Date.parse
// knows neither "+05:30:15" offsets nor years beyond 9999 nor BC, and costs more.
// Source: EncodeDateTime in PostgreSQL's src/backend/utils/adt/datetime.c.

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE

/** `2026-11-22 21:14:05.123456+05:30`, any year, ` BC` behind it. Microseconds are cut to milliseconds. */
export function parseTimestamptz(text: string): Date {
  return parse(text, true)
}

/** The same without an offset, taken as UTC. */
export function parseTimestamp(text: string): Date {
  return parse(text, false)
}

/** A Date as PostgreSQL reads it, in UTC. */
export function formatTimestamptz(date: Date): string {
  return format(date, '+00')
}

export function formatTimestamp(date: Date): string {
  return format(date, '')
}

function parse(text: string, zoned: boolean): Date {
  if (text.charCodeAt(0) > 57) throw new RangeError(`is ${text}, which a Date cannot hold: select it as text`)
  const dash = text.indexOf('-')
  let year = digits(text, 0, dash)
  const end = text.endsWith(' BC') ? text.length - 3 : text.length
  if (end !== text.length) year = 1 - year

  const time = dash + 7
  let position = time + 8
  let milliseconds = 0
  if (text.charCodeAt(position) === 46) {
    const fraction = position + 1
    do position++
    while (position < end && isDigit(text.charCodeAt(position)))
    milliseconds = digits(text, fraction, Math.min(position, fraction + 3)) * 10 ** Math.max(0, 3 - (position - fraction))
  }
  const date = new Date(0)
  date.setUTCFullYear(year, digits(text, dash + 1, dash + 3) - 1, digits(text, dash + 4, dash + 6))
  date.setUTCHours(digits(text, time, time + 2), digits(text, time + 3, time + 5), digits(text, time + 6, time + 8), milliseconds)
  if (zoned) date.setTime(date.getTime() - offset(text, position, end))
  if (Number.isNaN(date.getTime())) throw new RangeError(`is year ${year}, which a Date cannot hold: select it as text`)
  return date
}

/** `+HH`, `-HH:MM` or `+HH:MM:SS` in milliseconds. */
function offset(text: string, start: number, end: number): number {
  let value = digits(text, start + 1, start + 3) * HOUR
  if (start + 3 < end) value += digits(text, start + 4, start + 6) * MINUTE
  if (start + 6 < end) value += digits(text, start + 7, start + 9) * SECOND
  return text.charCodeAt(start) === 45 ? -value : value
}

function digits(text: string, start: number, end: number): number {
  let value = 0
  for (let position = start; position < end; position++) value = value * 10 + text.charCodeAt(position) - 48
  return value
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57
}

function format(date: Date, zone: string): string {
  if (!(date instanceof Date)) throw new TypeError(`must be a Date, got ${date === null ? 'null' : typeof date}`)
  if (Number.isNaN(date.getTime())) throw new TypeError('must be a valid Date, got an invalid one')
  const year = date.getUTCFullYear()
  const iso = date.toISOString()
  // toISOString writes years outside 0…9999 with a sign and six digits, which PostgreSQL does not read.
  const rest = iso.slice(iso.indexOf('-', 1), -1).replace('T', ' ')
  return year > 0 ? `${String(year).padStart(4, '0')}${rest}${zone}` : `${String(1 - year).padStart(4, '0')}${rest}${zone} BC`
}
