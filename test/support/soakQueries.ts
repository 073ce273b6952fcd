// What the soak asks beside the blog's queries, written by hand as the generator would: statements that are slow, that
// fail, or that send arrays of every kind there and back.

import { codec, type One, one, type Value, value } from '../../lib/index.ts'

const source = 'test/support/soakQueries.ts'

export interface Arrays {
  ints: (number | null)[]
  bigints: number[]
  floats: number[]
  texts: (string | null)[]
  flags: boolean[]
  moments: Date[]
}

const ints = codec.array(codec.nullable(codec.int4))
const bigints = codec.array(codec.int8)
const floats = codec.array(codec.float8)
const texts = codec.array(codec.nullable(codec.text))
const flags = codec.array(codec.bool)
const moments = codec.array(codec.timestamptz)

export const echoArrays: One<Arrays, Arrays> = one({
  name: 'echoArrays',
  source,
  statement: 'echoArrays',
  sql: 'select $1::int4[], $2::int8[], $3::float8[], $4::text[], $5::bool[], $6::timestamptz[]',
  params: ['ints', 'bigints', 'floats', 'texts', 'flags', 'moments'],
  write: (w, p) => {
    w.value(p.ints, ints)
    w.value(p.bigints, bigints)
    w.value(p.floats, floats)
    w.value(p.texts, texts)
    w.value(p.flags, flags)
    w.value(p.moments, moments)
  },
  read: (r) => ({
    ints: r.value(0, ints),
    bigints: r.value(1, bigints),
    floats: r.value(2, floats),
    texts: r.value(3, texts),
    flags: r.value(4, flags),
    moments: r.value(5, moments),
  }),
  readOnly: true,
})

/** Answers its parameter, after so many seconds. No generator would call it read-only, so it has its lane to itself. */
export const pause: Value<{ seconds: number; answer: number }, number> = value({
  name: 'pause',
  source,
  statement: 'pause',
  sql: 'select $2::int4 from pg_sleep($1)',
  params: ['seconds', 'answer'],
  write: (w, p) => {
    w.float8(p.seconds)
    w.int4(p.answer)
  },
  read: (r) => r.int4(0),
})

/** The same as a read that others are sent behind: usually quick, and then for once it is not. */
export const uneven: typeof pause = value({ ...pause.query, name: 'uneven', statement: 'uneven', readOnly: true })

export const divide: Value<{ by: number }, number> = value({
  name: 'divide',
  source,
  statement: 'divide',
  sql: 'select 1 / $1::int4',
  params: ['by'],
  write: (w, p) => w.int4(p.by),
  read: (r) => r.int4(0),
  readOnly: true,
})
