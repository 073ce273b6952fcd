// Random data under all constraints of any schema, foreign keys and triggers included, with as many NULLs and odd values
// as the constraints let through: what proofs are put to the test with.

import type pg from 'pg'

interface Type {
  readonly name: string
  readonly kind: string
  readonly element: number
  readonly base: number
  readonly subtype: number
  readonly labels: readonly string[]
  readonly attributes: readonly number[]
}

export interface ValueOptions {
  /** Whether an array may hold NULL. Default true. */
  readonly nullElements?: boolean
  /** Of an array, as its column was declared. Default 1. */
  readonly dimensions?: number
}

/** PostgreSQL's text of a random value of a type; undefined for types that are not known here. */
export type WitnessValue = (typeOid: number, options?: ValueOptions) => string | undefined

const scalars: Readonly<Record<string, readonly string[]>> = {
  bool: ['t', 'f'],
  int2: ['1', '2', '3', '4', '5', '0', '-7'],
  int4: ['1', '2', '3', '4', '5', '0', '-7'],
  int8: ['1', '2', '3', '4', '5', '0', '1099511627776'],
  oid: ['1', '2', '3'],
  float4: ['1', '0.5', '-0', 'NaN', 'Infinity'],
  float8: ['1', '0.5', '-0', 'NaN', '-Infinity', '1e300'],
  numeric: ['1', '2.50', '12345678901234567890.5', 'NaN', '0'],
  money: ['1.00', '2.00'],
  uuid: ['1', '2', '3', '4'].map((digit) => `00000000-0000-4000-8000-00000000000${digit}`),
  date: ['2020-01-01', '2021-06-01', '2022-01-01'],
  timestamp: ['2020-01-01 00:00', '2021-06-01 12:00:00.5', '2022-01-01 00:00', '0044-03-15 12:00 BC'],
  timestamptz: ['2020-01-01 00:00Z', '2021-06-01 12:00:00.123456+05:30', '2022-01-01 00:00Z', '0044-03-15 12:00Z BC'],
  time: ['10:00', '12:30'],
  timetz: ['10:00+01', '12:30Z'],
  interval: ['1 day', '2 hours', '-1 mon'],
  json: ['{"a":1}', '[]', 'null', '{"a":{"b":[1.50,null]}}', '"text"', '{"a":null}'],
  jsonb: ['{"a":1}', '[]', 'null', '{"a":{"b":[1.50,null]}}', '"text"', '{"a":null}'],
  bytea: ['\\x01', '\\x', '\\xff00'],
  inet: ['10.0.0.1', '10.0.0.2'],
  cidr: ['10.0.0.0/8'],
  macaddr: ['08:00:2b:01:02:03'],
  bit: ['1'],
  varbit: ['101'],
  xml: ['<a/>'],
  tsvector: ['a b'],
  tsquery: ['a'],
  point: ['(1,2)'],
  hstore: ['a=>1', 'a=>NULL', ''],
  ltree: ['a.b', 'a'],
  text: ['a', 'b', 'A', "it's", '1', '', 'Grüße "x" {y,z}', 'a@example.com', 'NULL'],
}
const like: Readonly<Record<string, string>> = { varchar: 'text', bpchar: 'text', citext: 'text', name: 'text' }

export async function witnessValues(client: pg.Client, random: () => number): Promise<WitnessValue> {
  const { rows } = await client.query<Type & { oid: number }>(`
    select t.oid::int4 as oid, t.typname as name, t.typtype as kind,
           case when t.typsubscript = 'array_subscript_handler'::regproc then t.typelem::int4 else 0 end as element,
           t.typbasetype::int4 as base,
           coalesce((select r.rngsubtype from pg_range r where r.rngtypid = t.oid), 0)::int4 as subtype,
           array(select enumlabel::text from pg_enum where enumtypid = t.oid order by enumsortorder) as labels,
           array(select a.atttypid::int4 from pg_attribute a
                 where a.attrelid = t.typrelid and a.attnum > 0 and not a.attisdropped order by a.attnum) as attributes
    from pg_type t`)
  const types = new Map(rows.map((row) => [row.oid, row]))
  const pick = (list: readonly string[]): string => list[Math.floor(random() * list.length)] ?? ''
  return function value(oid, options = {}): string | undefined {
    const type = types.get(oid)
    if (type === undefined) return undefined
    if (type.kind === 'e') return type.labels.length > 0 ? pick(type.labels) : undefined
    if (type.kind === 'd') return value(type.base, options)
    const { dimensions = 1 } = options
    if (type.element !== 0 && dimensions > 1) {
      const inner = value(oid, { ...options, dimensions: dimensions - 1 })
      return inner === undefined || inner === '{}' ? inner : `{${inner},${inner}}`
    }
    if (type.element !== 0) {
      const items = Array.from({ length: Math.floor(random() * 3) }, () =>
        options.nullElements !== false && random() < 0.3 ? null : value(type.element),
      )
      return items.includes(undefined) ? undefined : `{${items.map((item) => quoted(item ?? null, 'NULL')).join(',')}}`
    }
    if (type.kind === 'c') {
      const items = type.attributes.map((attribute) => (random() < 0.3 ? null : value(attribute)))
      return items.includes(undefined) ? undefined : `(${items.map((item) => quoted(item ?? null, '')).join(',')})`
    }
    if (type.kind === 'r') {
      const [lower, upper] = [value(type.subtype), value(type.subtype)]
      const isPlain = lower !== undefined && upper !== undefined && !/["BN]/.test(lower + upper)
      return pick(['empty', '(,)', ...(isPlain ? [`["${lower}",)`, `(,"${upper}")`] : [])])
    }
    const known = scalars[like[type.name] ?? type.name]
    return known && pick(known)
  }
}

function quoted(item: string | null, nothing: string): string {
  return item === null ? nothing : `"${item.replace(/["\\]/g, '\\$&')}"`
}

interface Table {
  readonly name: string
  readonly columns: readonly string[]
  readonly types: readonly number[]
  readonly dimensions: readonly number[]
  readonly required: readonly boolean[]
  readonly defaulted: readonly boolean[]
}

interface ForeignKey {
  readonly name: string
  readonly columns: readonly string[]
  readonly target: string
  readonly targetColumns: readonly string[]
}

/** Tries to insert up to `count` more rows into every table. What a constraint refuses is left out. */
export async function addRows(
  client: pg.Client,
  value: WitnessValue,
  random: () => number,
  count: number,
): Promise<void> {
  const { rows: tables } = await client.query<Table>(`
    select c.oid::regclass::text as name, array_agg(quote_ident(a.attname) order by a.attnum) as columns,
           array_agg(a.atttypid::int4 order by a.attnum) as types, array_agg(a.attnotnull order by a.attnum) as required,
           array_agg(a.attndims::int4 order by a.attnum) as dimensions,
           array_agg(a.atthasdef or a.attidentity <> '' order by a.attnum) as defaulted
    from pg_class c join pg_attribute a on a.attrelid = c.oid
    where c.relkind in ('r', 'p') and not c.relispartition and c.relnamespace::regnamespace::text !~ '^pg_|^information'
      and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
    group by c.oid order by c.oid`)
  const { rows: keys } = await client.query<ForeignKey>(`
    select k.conrelid::regclass::text as name, k.confrelid::regclass::text as target,
           array(select quote_ident(a.attname) from unnest(k.conkey) with ordinality as n (number, place)
                 join pg_attribute a on a.attrelid = k.conrelid and a.attnum = n.number order by n.place) as columns,
           array(select quote_ident(a.attname) from unnest(k.confkey) with ordinality as n (number, place)
                 join pg_attribute a on a.attrelid = k.confrelid and a.attnum = n.number order by n.place) as "targetColumns"
    from pg_constraint k where k.contype = 'f'`)
  for (const table of tables) {
    const own = keys.filter((key) => key.name === table.name)
    const pools = await Promise.all(own.map((key) => rowsOf(client, key)))
    const inserts = Array.from({ length: count }, () => {
      const row = new Map(
        table.columns.map((column, at) => {
          if (table.defaulted[at] && random() < 0.4) return [column, 'default'] as const
          if (!table.required[at] && random() < 0.35) return [column, 'null'] as const
          return [column, literal(value(table.types[at]!, { dimensions: table.dimensions[at]! }) ?? null)] as const
        }),
      )
      own.forEach((key, at) => {
        const pool = pools[at]!
        const found = pool[Math.floor(random() * pool.length)]
        key.columns.forEach((column, place) => {
          if (row.get(column) !== 'null' && found) row.set(column, literal(found[place] ?? null))
        })
      })
      return `insert into ${table.name} (${[...row.keys()].join(', ')}) overriding system value values (${[...row.values()].join(', ')})`
    })
    await Promise.all(inserts.map((sql) => client.query(sql).catch(() => {})))
  }
  const { rows: views } = await client.query<{ name: string }>(
    `select c.oid::regclass::text as name from pg_class c where c.relkind = 'm' order by c.oid`,
  )
  for (const { name } of views) await client.query(`refresh materialized view ${name}`).catch(() => {})
}

async function rowsOf(client: pg.Client, { target, targetColumns }: ForeignKey): Promise<(string | null)[][]> {
  const columns = targetColumns.map((column) => `${column}::text`).join(', ')
  const { rows } = await client.query({ text: `select ${columns} from ${target} limit 20`, rowMode: 'array' })
  return rows as (string | null)[][]
}

function literal(value: string | null): string {
  return value === null ? 'null' : `'${value.replaceAll("'", "''")}'`
}
