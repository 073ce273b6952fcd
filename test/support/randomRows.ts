// Random data for any schema: few different values, so that conditions meet rows. Foreign keys and triggers are off;
// what other constraints refuse is left out.

import type pg from 'pg'

/** Numbers between 0 and 1, the same for the same seed (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

const values: Readonly<Record<string, readonly string[]>> = {
  bool: ['t', 'f'],
  uuid: ['1', '2', '3'].map((digit) => `00000000-0000-4000-8000-00000000000${digit}`),
  date: ['2020-01-01', '2021-06-01', '2022-01-01'],
  timestamp: ['2020-01-01 00:00', '2021-06-01 12:00', '2022-01-01 00:00'],
  timestamptz: ['2020-01-01 00:00Z', '2021-06-01 12:00Z', '2022-01-01 00:00Z'],
  time: ['10:00', '12:30'],
  interval: ['1 day', '2 hours'],
  json: ['{"a":1}', '[]'],
  jsonb: ['{"a":1}', '[]'],
  bytea: ['\\x01', '\\x02'],
  inet: ['10.0.0.1', '10.0.0.2'],
  numeric: ['1', '2.5', '3'],
  text: ['a', 'b', 'A', "it's", '1'],
}

const like: Readonly<Record<string, string>> = { varchar: 'text', bpchar: 'text', citext: 'text', name: 'text' }
const numbers = ['int2', 'int4', 'int8', 'float4', 'float8', 'oid']

/** A value of a type as text; undefined for types that are not known here. */
export type RandomValue = (typeOid: number) => string | undefined

export async function randomValues(client: pg.Client, random: () => number): Promise<RandomValue> {
  const { rows } = await client.query<{ oid: number; name: string; element: number; base: number; labels: string[] }>(`
    select t.oid::int4 as oid, t.typname as name, t.typelem::int4 as element, t.typbasetype::int4 as base,
           array(select enumlabel::text from pg_enum where enumtypid = t.oid order by enumsortorder) as labels
    from pg_type t`)
  const types = new Map(rows.map((row) => [row.oid, row]))
  const pick = (list: readonly string[]): string => list[Math.floor(random() * list.length)] ?? ''
  return function value(oid: number): string | undefined {
    const type = types.get(oid)
    if (type === undefined) return undefined
    if (type.labels.length > 0) return pick(type.labels)
    if (type.base !== 0) return value(type.base)
    if (numbers.includes(type.name)) return String(1 + Math.floor(random() * 5))
    if (type.name.startsWith('_')) {
      const items = Array.from({ length: Math.floor(random() * 3) }, () => value(type.element))
      return items.includes(undefined) ? undefined : `{${items.map((item) => JSON.stringify(item)).join(',')}}`
    }
    const known = values[like[type.name] ?? type.name]
    return known && pick(known)
  }
}

/** Fills all tables outside of the system's schemas with up to `count` rows each. */
export async function fillTables(
  client: pg.Client,
  value: RandomValue,
  random: () => number,
  count: number,
): Promise<void> {
  const { rows } = await client.query<{ name: string; columns: string[]; types: number[]; required: boolean[] }>(`
    select c.oid::regclass::text as name, array_agg(quote_ident(a.attname) order by a.attnum) as columns,
           array_agg(a.atttypid::int4 order by a.attnum) as types, array_agg(a.attnotnull order by a.attnum) as required
    from pg_class c join pg_attribute a on a.attrelid = c.oid
    where c.relkind in ('r', 'p') and not c.relispartition and c.relnamespace::regnamespace::text !~ '^pg_|^information'
      and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
    group by c.oid`)
  await client.query('set session_replication_role = replica')
  const inserts = rows.flatMap(({ name, columns, types, required }) =>
    Array.from({ length: count }, () => {
      const row = types.map((type, at) => (!required[at] && random() < 0.2 ? null : (value(type) ?? null)))
      const literals = row.map((item) => (item === null ? 'null' : `'${item.replaceAll("'", "''")}'`))
      return `insert into ${name} (${columns.join(', ')}) overriding system value values (${literals.join(', ')})`
    }),
  )
  await Promise.all(inserts.map((sql) => client.query(sql).catch(() => {})))
  await client.query('reset session_replication_role')
}
