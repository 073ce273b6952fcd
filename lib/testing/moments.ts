// Texts of dates and moments as PostgreSQL reads them, those in ISO 8601; the session's time zone is UTC.

import { MemoryServerError } from './failures.ts'
import { UnsupportedInMemoryError } from './unsupported.ts'

const iso =
  /^\s*(\d{4})-(\d\d)-(\d\d)(?:[ T](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,6}))?)?)?\s*(?:(Z)|([+-])(\d\d)(?::?(\d\d))?)?\s*$/i

/** @param type date, timestamp or timestamptz; the zone counts for the last one only */
export function momentOf(text: string, type: string): Date {
  const match = iso.exec(text)
  if (!match) throw new UnsupportedInMemoryError(null, `this notation of a ${type === 'date' ? 'date' : 'moment'}`)
  const [
    ,
    year,
    month,
    day,
    hours = 0,
    minutes = 0,
    seconds = 0,
    fraction = '',
    ,
    sign,
    zoneHours = 0,
    zoneMinutes = 0,
  ] = match
  const [m, d, h, min, s] = [month, day, hours, minutes, seconds].map(Number) as [
    number,
    number,
    number,
    number,
    number,
  ]
  const date = new Date(Date.UTC(Number(year), m - 1, d))
  if (date.getUTCMonth() !== m - 1 || date.getUTCDate() !== d || h > 23 || min > 59 || s > 59) {
    throw new MemoryServerError('22008', `date/time field value out of range: "${text}"`)
  }
  if (type === 'date') return date
  const zone = type === 'timestamptz' ? (Number(zoneHours) * 60 + Number(zoneMinutes)) * (sign === '-' ? -1 : 1) : 0
  return new Date(
    date.getTime() + ((h * 60 + min - zone) * 60 + s) * 1000 + Number(fraction.padEnd(3, '0').slice(0, 3)),
  )
}
