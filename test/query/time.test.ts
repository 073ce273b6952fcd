// timestamptz and timestamp without a server: every form in which PostgreSQL prints them, and Dates at the edges.
// wire only: no call of it goes over a connection

import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { timestamp, timestamptz } from '../../lib/query/time.ts'

const zoned: [text: string, iso: string][] = [
  ['2026-11-22 21:14:05+00', '2026-11-22T21:14:05.000Z'],
  ['2026-11-22 21:14:05.1+00', '2026-11-22T21:14:05.100Z'],
  ['2026-11-22 21:14:05.12+00', '2026-11-22T21:14:05.120Z'],
  ['2026-11-22 21:14:05.123+00', '2026-11-22T21:14:05.123Z'],
  ['2026-11-22 21:14:05.000001+00', '2026-11-22T21:14:05.000Z'],
  ['2026-11-22 21:14:05.999999+00', '2026-11-22T21:14:05.999Z'],
  ['2026-11-22 21:14:05.5+05:30', '2026-11-22T15:44:05.500Z'],
  ['2026-01-01 00:30:00+01', '2025-12-31T23:30:00.000Z'],
  ['2026-11-22 21:14:05-03:30', '2026-11-23T00:44:05.000Z'],
  ['1890-01-01 00:00:00+00:19:32', '1889-12-31T23:40:28.000Z'],
  ['1880-01-01 00:00:00-04:56:02', '1880-01-01T04:56:02.000Z'],
  ['1969-12-31 23:59:59.999999+00', '1969-12-31T23:59:59.999Z'],
  ['0099-12-31 00:00:00+00', '0099-12-31T00:00:00.000Z'],
  ['0001-01-01 00:00:00+00', '0001-01-01T00:00:00.000Z'],
  ['0001-12-31 23:00:00+00 BC', '0000-12-31T23:00:00.000Z'],
  ['0044-03-15 12:00:00.25-07:52:58 BC', '-000043-03-15T19:52:58.250Z'],
  ['4714-11-24 00:00:00+00 BC', '-004713-11-24T00:00:00.000Z'],
  ['10000-01-01 00:00:00+00', '+010000-01-01T00:00:00.000Z'],
  ['275760-09-13 00:00:00+00', '+275760-09-13T00:00:00.000Z'],
]

test('timestamptz, as PostgreSQL prints it', () => {
  for (const [text, iso] of zoned) assert.is(timestamptz.decode(text).toISOString(), iso, text)
})

test('timestamp is the same without an offset, as UTC', () => {
  for (const [text, iso] of zoned) {
    if (/\+00( BC)?$/.test(text)) assert.is(timestamp.decode(text.replace('+00', '')).toISOString(), iso, text)
  }
})

const formatted: [iso: string, text: string][] = [
  ['2026-11-22T21:14:05.123Z', '2026-11-22 21:14:05.123'],
  ['0099-01-01T00:00:00.000Z', '0099-01-01 00:00:00.000'],
  ['0000-02-29T00:00:00.000Z', '0001-02-29 00:00:00.000 BC'],
  ['-004713-11-24T00:00:00.000Z', '4714-11-24 00:00:00.000 BC'],
  ['+012345-01-01T00:00:00.000Z', '12345-01-01 00:00:00.000'],
  ['+275760-09-13T00:00:00.000Z', '275760-09-13 00:00:00.000'],
]

test('a Date as PostgreSQL reads it', () => {
  for (const [iso, text] of formatted) {
    assert.is(timestamp.encode(new Date(iso)), text)
    assert.is(timestamptz.encode(new Date(iso)), text.replace('.000', '.000+00').replace('.123', '.123+00'))
  }
})

const otherFormat = /^is not a timestamp in ISO format: set DateStyle to ISO, or run `plainsql generate`$/
const refused: [() => unknown, RegExp][] = [
  [() => timestamptz.decode('infinity'), /^is infinity, which a Date cannot hold: select it as text$/],
  [() => timestamp.decode('-infinity'), /^is -infinity, which a Date cannot hold: select it as text$/],
  [() => timestamp.decode('275760-09-13 00:00:00.001'), /^is later than a Date can be: select it as text$/],
  [() => timestamptz.decode('294276-12-31 23:59:59.999999+00'), /^is later than a Date can be: select it as text$/],
  [() => timestamptz.decode('Sun Nov 22 21:14:05 2026 -03'), otherFormat],
  [() => timestamptz.decode('11/22/2026 21:14:05 UTC'), otherFormat],
  [() => timestamptz.decode('22.11.2026 21:14:05 UTC'), otherFormat],
  [() => timestamp.decode('22-11-2026 21:14:05'), otherFormat],
  [() => timestamptz.decode('2026-11-22 21:14:05'), otherFormat],
  [() => timestamp.decode('2026-11-22 21:14:05+00'), otherFormat],
  [() => timestamptz.decode('a text that ends in infinity'), otherFormat],
  [() => timestamp.encode(new Date(Number.NaN)), /^must be a valid Date, got an invalid one$/],
  [
    () => timestamp.encode(new Date('-004713-11-23T23:59:59.999Z')),
    /^must not be before 4713 BC, where timestamps begin$/,
  ],
  [() => timestamp.encode('2026-11-22' as never), /^must be a Date, got a string$/],
  [() => timestamptz.encode(0 as never), /^must be a Date, got a number$/],
]

test('what no Date and no timestamp can hold', () => {
  for (const [work, message] of refused)
    assert.throws(work, (error: Error) => message.test(error.message), String(message))
})

test('every Date of PostgreSQL’s years survives', () => {
  const dates = fc.date({ min: new Date(-210866803200000), max: new Date(8.64e15), noInvalidDate: true })
  fc.assert(
    fc.property(dates, (date) => {
      assert.equal(timestamptz.decode(timestamptz.encode(date)), date)
      assert.equal(timestamp.decode(timestamp.encode(date)), date)
    }),
    { numRuns: 1000 },
  )
})

test.run()
