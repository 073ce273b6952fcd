// The codecs of timestamptz and timestamp: between PostgreSQL's text (DateStyle ISO) and Date. Hand-written because
// Date.parse knows neither "+05:30:15" offsets nor years beyond 9999 nor BC, and costs more.
// Source: EncodeDateTime in PostgreSQL's src/backend/utils/adt/datetime.c.

import { types } from 'node:util'
import { describe } from './describe.ts'
import type { Codec } from './scalars.ts'

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
/** The Gregorian calendar repeats itself after 400 years, to the day. */
const CYCLE = 146097 * 24 * HOUR
/** 4714-11-24 BC, the first day of PostgreSQL (Julian day 0). Its last, in 294276, is beyond Date's own. */
const FIRST = -210866803200000

/**
 * A Date. Microseconds are cut to milliseconds, as `date_trunc('milliseconds', …)` does: a Date is never later than what is
 * stored, so "everything after this one" loses nothing.
 * `infinity` and `-infinity` are a RangeError, as are Dates before 4713 BC, PostgreSQL's first year.
 */
export const timestamptz: Codec<Date> = {
  type: 'timestamptz',
  decode: (text) => parse(text, true),
  // A copy: it may be changed before it is sent.
  cell: (value) => (types.isDate(value) && value.getTime() >= FIRST ? new Date(value) : undefined),
  encode: (value) => format(value, '+00'),
}
/** The same without a zone, read and written as UTC. */
export const timestamp: Codec<Date> = {
  type: 'timestamp',
  decode: (text) => parse(text, false),
  encode: (value) => format(value, ''),
}

/** `2026-11-22 21:14:05.123456+05:30`, any year, ` BC` behind it. */
function parse(text: string, zoned: boolean): Date {
  const dash = text.indexOf('-')
  if (dash < 4 || text.charCodeAt(dash + 3) !== 45) throw unreadable(text)
  const end = text.endsWith(' BC') ? text.length - 3 : text.length
  const year = end === text.length ? digits(text, 0, dash) : 1 - digits(text, 0, dash)
  // Date.UTC takes the years 0…99 for 1900…1999: go through a year that is 13 cycles later.
  const cycles = year < 100 ? 13 : 0

  const time = dash + 7
  let position = time + 8
  let milliseconds = 0
  if (text.charCodeAt(position) === 46) {
    for (let unit = 100; isDigit(text.charCodeAt(++position)); unit /= 10) {
      if (unit >= 1) milliseconds += unit * (text.charCodeAt(position) - 48)
    }
  }
  if (position < end !== zoned) throw unreadable(text)
  const utc = Date.UTC(
    year + cycles * 400,
    digits(text, dash + 1, dash + 3) - 1,
    digits(text, dash + 4, dash + 6),
    digits(text, time, time + 2),
    digits(text, time + 3, time + 5),
    digits(text, time + 6, time + 8),
    milliseconds,
  )
  const date = new Date(utc - cycles * CYCLE - (zoned ? offset(text, position, end) : 0))
  if (Number.isNaN(date.getTime())) throw new RangeError('is later than a Date can be: select it as text')
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

function unreadable(text: string): Error {
  if (text === 'infinity' || text === '-infinity')
    return new RangeError(`is ${text}, which a Date cannot hold: select it as text`)
  return new TypeError('is not a timestamp in ISO format: set DateStyle to ISO, or run `plainsql generate`')
}

function format(date: Date, zone: string): string {
  // Not by instanceof: test runners that run each file in a realm of its own have a Date of their own.
  if (!types.isDate(date)) throw new TypeError(`must be a Date, got ${describe(date)}`)
  const time = date.getTime()
  if (Number.isNaN(time)) throw new TypeError('must be a valid Date, got an invalid one')
  if (time < FIRST) throw new RangeError('must not be before 4713 BC, where timestamps begin')
  const year = date.getUTCFullYear()
  const iso = date.toISOString()
  // toISOString writes years outside 0…9999 with a sign and six digits, which PostgreSQL does not read.
  const rest = iso.slice(iso.indexOf('-', 1), -1).replace('T', ' ')
  const digits = String(year > 0 ? year : 1 - year).padStart(4, '0')
  return `${digits}${rest}${zone}${year > 0 ? '' : ' BC'}`
}
