// timeout: 120
// The functions and operators that lib/compile/nullability/neverNull.ts trusts, each overload called on a real server
// with extreme and random arguments. None may answer NULL, and each must have answered at least once.

import fc from 'fast-check'
import pg from 'pg'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { exceptions, geometricTypes, type NeverNullRule, neverNull } from '../../lib/compile/nullability/neverNull.ts'
import { freshDatabase } from '../support/server.ts'

const seed = 20261122
const callsPerOverload = 60

/** Values of each type, as the text that its input function takes; a `+` in front adds random ones of that kind. */
const values: Readonly<Record<string, readonly string[]>> = {
  bool: ['true', 'false'],
  int2: ['0', '1', '-1', '32767', '-32768', '7'],
  int4: ['+int', '0', '1', '-1', '2', '3', '10', '2147483647', '-2147483648'],
  int8: ['+int', '0', '1', '-1', '1000', '9223372036854775807', '-9223372036854775808'],
  float4: ['+float', '0', '1', '0.5', 'NaN', 'Infinity', '-Infinity'],
  float8: ['+float', '0', '1', '0.5', '-1', '90', 'NaN', 'Infinity', '-Infinity', '1e300'],
  numeric: ['+float', '0', '1', '2', '0.5', '-1', 'NaN', 'Infinity', '-Infinity', '1e40'],
  money: ['0', '12.34', '-1'],
  text: [
    '+text',
    '',
    'a',
    'A b',
    '%',
    '_',
    '\\\\d',
    '(',
    "''",
    '1',
    '2020-01-01',
    'YYYY-MM-DD',
    'hour',
    'UTC',
    '{"a":1}',
    'NFC',
    'hex',
    'base64',
    '6865',
    'public',
  ],
  bpchar: ['+text', '', 'a '],
  varchar: ['+text', '', 'a'],
  name: ['+text', '', 'a', 'UTF8', 'LATIN1'],
  char: ['a', ''],
  bytea: ['', '\\x00', '\\xdeadbeef', '\\x61'],
  bit: ['0', '1'],
  varbit: ['', '101', '1'],
  date: ['2020-02-29', '0001-01-01 BC', 'infinity', '-infinity'],
  time: ['00:00', '12:34:56.789', '24:00'],
  timetz: ['00:00+00', '12:34-05'],
  timestamp: ['2020-02-29 12:34:56', '0001-01-01 BC', 'infinity', '-infinity'],
  timestamptz: ['2020-02-29 12:34:56+00', '0001-01-01 BC', 'infinity', '-infinity'],
  interval: ['0', '1 day', '-1 month', '1 year 2 mons 3 days 04:05:06', '00:15'],
  uuid: ['00000000-0000-0000-0000-000000000000', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'],
  json: ['null', '1', '"a"', 'true', '[]', '[1, null]', '{}', '{"a": null}', '{"a": {"b": [1]}}'],
  jsonb: ['null', '1', '"a"', 'true', '[]', '[1, null]', '{}', '{"a": null}', '{"a": {"b": [1]}}'],
  jsonpath: ['$', '$.a', '$.a.b[*]', '$ ? (@ > 1)', '$.a == 1', 'strict $.x'],
  xml: ['<a/>', '<a>1</a>', 'x', ''],
  inet: ['127.0.0.1', '10.0.0.0/8', '::1', '2001:db8::/32'],
  cidr: ['10.0.0.0/8', '::/0'],
  macaddr: ['08:00:2b:01:02:03'],
  macaddr8: ['08:00:2b:01:02:03:04:05', '08:00:2b:ff:fe:02:03:04'],
  tsvector: ['', 'a:1 b:2A'],
  tsquery: ['', 'a & b', '!c', 'a <-> b'],
  oid: ['0', '1', '1259'],
  xid: ['1', '3'],
  xid8: ['1', '3'],
  tid: ['(0,1)', '(1,2)'],
  pg_lsn: ['0/0', '1/2A'],
  regclass: ['pg_class', 'numbers'],
  regconfig: ['english', 'simple'],
  regdictionary: ['simple', 'unaccent'],
  cid: ['0', '1'],
  txid_snapshot: ['10:20:10,14'],
  oidvector: ['', '1 2'],
  int2vector: ['', '1 2'],
  int4range: ['empty', '(,)', '[1,5)', '(,3]', '[2,)'],
  int8range: ['empty', '(,)', '[1,5)'],
  numrange: ['empty', '(,)', '[1,5)'],
  daterange: ['empty', '(,)', '[2020-01-01,2020-02-01)'],
  tsrange: ['empty', '(,)', '[2020-01-01,2020-02-01)'],
  tstzrange: ['empty', '(,)', '[2020-01-01,2020-02-01)'],
  int4multirange: ['{}', '{(,)}', '{[1,5)}'],
  int8multirange: ['{}', '{[1,5)}'],
  nummultirange: ['{}', '{[1,5)}'],
  datemultirange: ['{}', '{(,)}'],
  tsmultirange: ['{}', '{(,)}'],
  tstzmultirange: ['{}', '{(,)}'],
  citext: ['', 'a', 'A', 'b c', '(', '1'],
  hstore: ['', 'a=>1', 'a=>NULL', 'a=>1, b=>2'],
  ltree: ['', 'a', 'a.b.c'],
  lquery: ['a', '*.b', 'a.*'],
  ltxtquery: ['a', 'a & b'],
  query_int: ['1', '1&2', '!1'],
  pg_snapshot: ['10:20:10,14'],
}

/** What polymorphic and pseudo-types are called with: PostgreSQL's own choice of one type for all of them in a call. */
const standIns: Readonly<Record<string, string>> = {
  any: 'text',
  anyelement: 'int4',
  anynonarray: 'int4',
  anycompatible: 'int4',
  anycompatiblenonarray: 'int4',
  anyarray: '_int4',
  anycompatiblearray: '_int4',
  anyrange: 'int4range',
  anycompatiblerange: 'int4range',
  anymultirange: 'int4multirange',
  anycompatiblemultirange: 'int4multirange',
  anyenum: 'mood',
  record: 'numbers',
}

/** Functions that would run for long, fill the memory, or want arguments that chance does not find: called only so. */
const calls: Readonly<Record<string, readonly string[]>> = {
  pg_sleep: ['0'],
  pg_sleep_for: ["'0'"],
  pg_sleep_until: ["'epoch'"],
  repeat: ["'a', 0", "'', 9", "'ab', -1"],
  lpad: ["'a', 0", "'a', 5, ''", "'a', -1, 'x'", "'abc', 2"],
  rpad: ["'a', 0", "'a', 5, ''", "'a', -1, 'x'", "'abc', 2"],
  array_fill: ["1, '{}'::int[]", "1, '{0}'::int[]", "1, '{2}'::int[], '{3}'::int[]", "null::int, '{1}'::int[]"],
  nextval: ["'counter'"],
  currval: ["'counter'"],
  lastval: [''],
  setval: ["'counter', 5", "'counter', 5, false"],
  set_config: ["'app.user', 'x', false", "'app.user', null, false"],
  current_setting: ["'app.user'", "'search_path'"],
  pg_notify: ["'c', 'x'", "'c', ''"],
  convert: ["'a', 'UTF8', 'LATIN1'"],
  convert_from: ["'a', 'UTF8'"],
  convert_to: ["'a', 'LATIN1'"],
  crypt: ["'a', gen_salt('md5')"],
  gen_salt: ["'md5'", "'bf', 4"],
  gen_random_bytes: ['1', '1024'],
  decrypt: ["encrypt('a', 'k', 'aes'), 'k', 'aes'"],
  encrypt: ["'', 'k', 'aes'"],
  digest: ["'a', 'sha1'", "''::bytea, 'sha256'"],
  hmac: ["'a', 'k', 'sha1'", "''::bytea, ''::bytea, 'sha256'"],
  pgp_sym_encrypt: ["'', 'k'", "'a', 'k', 'compress-algo=0'"],
  pgp_sym_encrypt_bytea: ["''::bytea, 'k'", "'a'::bytea, 'k', 'compress-algo=0'"],
  pgp_sym_decrypt: ["pgp_sym_encrypt('', 'k'), 'k'", "pgp_sym_encrypt('a', 'k'), 'k', ''"],
  pgp_sym_decrypt_bytea: ["pgp_sym_encrypt_bytea('', 'k'), 'k'", "pgp_sym_encrypt_bytea('a', 'k'), 'k', ''"],
  armor: ["''", "'a', '{k}', '{v}'"],
  dearmor: ["armor('a')"],
  uuid_generate_v3: ["uuid_ns_url(), ''"],
  uuid_generate_v5: ["uuid_ns_url(), ''"],
  decode: ["'6865', 'hex'", "'', 'base64'", "'', 'escape'"],
  pg_input_is_valid: ["'1', 'int4'", "'x', 'int4'", "'', 'text'"],
  regclass: ["'pg_class'::text"],
  set_bit: ["B'101', 1, 0", "'\\x00'::bytea, 7, 1"],
  ts_rank: ["'{0,0,0,0}'::float4[], 'a:1', 'a'", "'a:1', 'b'", "'', '', 1", "'{1,1,1,1}'::float4[], '', '', 2"],
  ts_rank_cd: ["'{0,0,0,0}'::float4[], 'a:1', 'a'", "'a:1', 'b'", "'', '', 1", "'{1,1,1,1}'::float4[], '', '', 2"],
  ...Object.fromEntries(
    ['int4', 'int8', 'num', 'date', 'ts', 'tstz'].flatMap((prefix) => [
      [`${prefix}range`, ['null, null', "null, null, '[]'", "null, null, '()'"]],
      [`${prefix}multirange`, ['', `'empty'::${prefix}range`, `'(,)'::${prefix}range, 'empty'::${prefix}range`]],
    ]),
  ),
  length: ["'a'", "'a'::bytea, 'UTF8'", "'a:1'::tsvector", "''::bytea", "B'1'"],
  make_timestamptz: ['2020, 2, 29, 1, 2, 3.5', "2020, 2, 29, 1, 2, 3.5, 'UTC'"],
  date_trunc: ["'hour', now()", "'year', 'infinity'::timestamp", "'day', interval '1 h'", "'day', now(), 'UTC'"],
  timezone: ["'UTC', now()", "'UTC', 'infinity'::timestamp", "'UTC', '1:00+00'::timetz", "interval '1 h', now()"],
  jsonb_set: ["'{}', '{a}', '1'", "'[]', '{a,b}', 'null', false"],
  jsonb_insert: ["'{}', '{a}', '1'", "'[1]', '{0}', 'null', true"],
  json_object: ["'{}'", "'{a,null}'", "'{a}', '{null}'"],
  jsonb_object: ["'{}'", "'{a,null}'", "'{a}', '{null}'"],
  json_build_object: ['', "'a', null", "'a', 1, 'b', null::text"],
  jsonb_build_object: ['', "'a', null", "'a', 1, 'b', null::text"],
  regexp_count: ["'a', 'b'", "'', ''", "'aa', 'a', 2", "'aa', 'A', 1, 'i'"],
  regexp_instr: ["'a', 'b'", "'', ''", "'aa', 'a', 2, 1, 0, 'i', 0"],
  ts_delete: ["'a:1'::tsvector, 'a'", "''::tsvector, '{a}'::text[]"],
  setweight: ["'a:1', 'A'", "'a:1', 'B', '{a}'"],
  range_merge: ["'empty'::int4range, '(,)'", "'{}'::int4multirange"],
  pg_size_bytes: ["'1 kB'"],
  subltree: ["'a.b.c', 0, 2"],
  subpath: ["'a.b.c', 1", "'a.b.c', 0, -1"],
  xmlcomment: ["''"],
}

interface Overload {
  readonly label: string
  readonly rule: NeverNullRule
  /** SQL expressions. */
  readonly expressions: readonly string[]
}

const database = await freshDatabase(`
  create type mood as enum ('sad', 'ok');
  create type numbers as (a int, b text);
  create sequence counter;
  select nextval('counter');
  create function attempt(call text) returns text language plpgsql as $$
  declare answer bool;
  begin
    execute 'select (' || call || ') is not distinct from null' into answer;
    return case when answer then 'null' else 'value' end;
  exception when others then
    return sqlerrm;
  end $$;
`)
const client = new pg.Client(database.url)
await client.connect()
await client.query("set statement_timeout = '60s'; select nextval('counter')")
const homes = new Set([...neverNull.functions.keys(), ...neverNull.operators].map((name) => name.split('.')[0]!))
const installed = await client.query('select name from pg_available_extensions where name = any ($1)', [[...homes]])
for (const { name } of installed.rows) await client.query(`create extension if not exists "${name}"`)

test('no trusted function answers NULL', async () => {
  await verify(await functionOverloads())
})

test('no trusted operator answers NULL', async () => {
  await verify(await operatorOverloads())
})

async function verify(overloads: readonly Overload[]): Promise<void> {
  const expressions = overloads.flatMap((overload) => overload.expressions)
  const { rows } = await client.query<{ answer: string }>(
    'select attempt(e.call) as answer from unnest($1::text[]) with ordinality e (call, position) order by e.position',
    [expressions],
  )
  const nulls: string[] = []
  const unanswered: string[] = []
  let at = 0
  for (const { label, expressions: own } of overloads) {
    const answers = own.map((call) => ({ call, answer: rows[at++]!.answer }))
    const bad = answers.find(({ answer }) => answer === 'null')
    if (bad) nulls.push(bad.call)
    if (!answers.some(({ answer }) => answer === 'value' || answer === 'null')) {
      unanswered.push(`${label}: ${answers[0]?.call}: ${answers[0]?.answer}`)
    }
  }
  assert.equal(nulls, [])
  assert.equal(unanswered, [])
  assert.ok(overloads.length > 100)
}

async function functionOverloads(): Promise<Overload[]> {
  const { rows } = await client.query<{ home: string; name: string; args: string[]; schema: string }>(`
    select coalesce(x.extname, n.nspname) as home, n.nspname as schema, p.proname as name,
      array(select t.typname::text from unnest(p.proargtypes) with ordinality a (oid, i)
            join pg_type t on t.oid = a.oid order by a.i) as args
    from pg_proc p
    join pg_namespace n on n.oid = p.pronamespace
    left join pg_depend d on d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e'
    left join pg_extension x on x.oid = d.refobjid
    where p.prokind = 'f' and not p.proretset
    order by home, name, args`)
  return rows.flatMap(({ home, name, args, schema }): Overload[] => {
    const rule = neverNull.functions.get(`${home}.${name}`)
    const label = `${name}(${args.join(',')})`
    if (rule === undefined || exceptions.has(label) || isInternal(args)) return []
    const call = (list: string): string => `${schema}."${name}"(${list})`
    const own = calls[name]
    if (own) return [{ label, rule, expressions: own.map(call) }]
    return [{ label, rule, expressions: argumentLists(args, rule).map(call) }]
  })
}

async function operatorOverloads(): Promise<Overload[]> {
  const { rows } = await client.query<{ home: string; name: string; args: string[]; schema: string; behind: string }>(`
    select coalesce(x.extname, n.nspname) as home, n.nspname as schema, o.oprname as name, p.proname as behind,
      array(select t.typname::text from pg_type t where t.oid = o.oprleft)
        || array(select t.typname::text from pg_type t where t.oid = o.oprright) as args
    from pg_operator o
    join pg_proc p on p.oid = o.oprcode
    join pg_namespace n on n.oid = o.oprnamespace
    left join pg_depend d on d.classid = 'pg_operator'::regclass and d.objid = o.oid and d.deptype = 'e'
    left join pg_extension x on x.oid = d.refobjid
    order by home, name, args`)
  return rows.flatMap(({ home, name, args, schema, behind }): Overload[] => {
    if (!neverNull.operators.has(`${home}.${name}`) || exceptions.has(`${behind}(${args.join(',')})`)) return []
    if (isInternal(args) || args.some((type) => geometricTypes.has(type))) return []
    const rule = neverNull.functions.get(`${home}.${behind}`) ?? 'all'
    const operator = `operator(${schema}.${name})`
    const expressions = argumentLists(args, rule).map((list) => {
      const [left, right] = list.split(', ')
      return right === undefined ? `${operator} ${left}` : `${left} ${operator} ${right}`
    })
    return [{ label: `${name}(${args.join(',')})`, rule, expressions }]
  })
}

/** Types that only PostgreSQL itself can pass. */
function isInternal(args: readonly string[]): boolean {
  return args.some((type) => ['internal', 'cstring', 'aclitem', '_aclitem', 'gtsvector'].includes(type))
}

/** Argument lists of literals; where the rule does not need an argument, NULL is among its values. */
function argumentLists(args: readonly string[], rule: NeverNullRule): string[] {
  const lists = fc.sample(
    fc.tuple(
      ...args.map((type, index) => {
        const isFree = Array.isArray(rule) && !rule.includes(index)
        return isFree ? fc.oneof(literal(type), fc.constant(`null::${cast(type)}`)) : literal(type)
      }),
    ),
    { numRuns: args.length === 0 ? 1 : callsPerOverload, seed },
  )
  const sorted = lists.map((list) => list.join(', '))
  // One of two is enough: array_cat(null, x) is x.
  return rule === 'some' ? [...sorted, ...lists.map(([first]) => `${first}, null`)] : sorted
}

function literal(type: string): fc.Arbitrary<string> {
  const plain = standIns[type] ?? type
  return valuesOf(plain).map((value) => `'${value.replaceAll("'", "''")}'::${cast(plain)}`)
}

function cast(type: string): string {
  const plain = standIns[type] ?? type
  return plain.startsWith('_') ? `${cast(plain.slice(1))}[]` : `"${plain}"`
}

const random: Readonly<Record<string, fc.Arbitrary<string>>> = {
  '+int': fc.integer({ min: -1000, max: 100_000 }).map(String),
  '+float': fc.double({ min: -1e6, max: 1e6, noNaN: true }).map(String),
  '+text': fc.string({ maxLength: 12, unit: 'grapheme' }).map((text) => text.replaceAll('\0', '')),
}

function valuesOf(type: string): fc.Arbitrary<string> {
  if (type === 'mood') return fc.constantFrom('sad', 'ok')
  if (type === 'numbers') return fc.constantFrom('(1,a)', '(,)', '(2,)')
  if (type.startsWith('_')) {
    const element = valuesOf(type.slice(1)).map((value) => JSON.stringify(value))
    const array = fc.array(fc.oneof({ weight: 4, arbitrary: element }, fc.constant('NULL')), { maxLength: 3 })
    return array.map((elements) => `{${elements.join(',')}}`)
  }
  const known = values[type]
  if (!known) throw new Error(`neverNull.test.ts has no values of type ${type}`)
  const fixed = known.filter((value) => !value.startsWith('+'))
  const drawn = known.flatMap((value) => random[value] ?? [])
  return fc.oneof({ weight: 3, arbitrary: fc.constantFrom(...fixed) }, ...drawn)
}

test.after(async () => {
  await client.end()
  await database.drop()
})

test.run()
