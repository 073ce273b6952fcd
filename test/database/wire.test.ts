// The wire fast path against a real server: the same answers as the plain path, whatever the network does, and a
// connection that stays in step after everything that can go wrong in a call.
// wire only: it is about the wire

import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { Client } from 'pg'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { plainConnection } from '../../lib/database/plainConnection.ts'
import { Call } from '../../lib/database/wire/call.ts'
import { Outgoing } from '../../lib/database/wire/outgoing.ts'
import { type Wire, type WireOwner, wireOver } from '../../lib/database/wire/wire.ts'
import { ConnectionError, ParameterError, type QueryError } from '../../lib/errors.ts'
import * as codec from '../../lib/query/codecs.ts'
import { type Many, many } from '../../lib/query/kinds.ts'
import type { ParamWriter } from '../../lib/query/params.ts'
import type { RowReader } from '../../lib/query/row.ts'
import { freshDatabase } from '../support/server.ts'
import { farServer } from './farServer.ts'
import { startProxy } from './proxy.ts'
import { backendPid, command, failure, number, rows, sleep } from './support.ts'

const test = suite('wire')
const { url, drop } = await freshDatabase(
  'create table t (n int primary key, name text); insert into t values (1, $$one$$)',
)
const clients: Client[] = []
test.after(async () => {
  await Promise.all(clients.map((client) => client.end()))
  await drop()
})

async function connected(address = url): Promise<Client> {
  const client = new Client({ connectionString: address })
  client.on('error', () => {})
  clients.push(client)
  await client.connect()
  return client
}

async function openWire(maxStatements?: number, address?: string): Promise<Wire> {
  const wire = wireOver(await connected(address), maxStatements)
  assert.ok(wire)
  return wire
}

/** A call that shares its Sync with its neighbours, as quick reads on lanes do. */
function share(on: Wire, { query }: { readonly query: unknown }, params: unknown = undefined): Promise<unknown> {
  return new Promise((resolve) => {
    const call = new Call(query as never, params, resolve)
    call.shares = true
    on.submit(call)
  })
}

const wire = await openWire()
const plain = plainConnection(await connected())

test('what a getter or toJSON calls while parameters are written is refused, and hurts no other call', async () => {
  const inner = rows<{ a: string }, string>(
    'select $1::text',
    (r) => r.text(0),
    (w, p) => w.text(p.a),
  )
  const outer = rows<{ a: string; b: unknown }, string>(
    'select $1::text || $2::text',
    (r) => r.text(0),
    (w, p) => {
      w.text(p.a)
      w.json(p.b)
    },
  )
  for (const call of [() => inner(wire, { a: 'in' }), () => wire.control('select 1')]) {
    let called: Promise<unknown> | undefined
    const toJSON = () => {
      called = failure(call())
      return 'b'
    }
    const getter = {
      a: 'a',
      get b() {
        return toJSON()
      },
    }
    for (const params of [{ a: 'a', b: { toJSON } }, getter]) {
      const [answer, after] = await Promise.all([outer(wire, params), inner(wire, { a: 'after' })])
      assert.equal([answer, after], [['a"b"'], ['after']])
      const { message } = (await called) as Error
      assert.match(message, /^called by a getter or toJSON of parameters, while they are written: call it before/)
    }
  }
})

test('a connection does not keep what was asked of it last', async () => {
  const sql = 'select n from t where n = any($1)'
  const ask = async (values: string[]): Promise<WeakRef<object>> => {
    const query = {
      ...{ name: 'kept', source: 'test', statement: 'kept', sql, params: ['n'], kind: 'many' as const },
      write: (w: ParamWriter) => w.value(values, codec.array(codec.text)),
      read: (r: RowReader) => r.int4(0),
      finish: () => values.length,
    }
    await wire.execute(query, {})
    return new WeakRef(values)
  }
  const asked = [await ask(['1']), await ask(['2', '3']), await ask([])]
  setFlagsFromString('--expose-gc')
  await sleep(10)
  ;(runInNewContext('gc') as () => void)()
  assert.equal(
    asked.map((values) => values.deref()),
    [undefined, undefined, undefined],
  )
})

test('… nor what it has answered, though a ping was ahead of it', async () => {
  const own = await openWire()
  const objects = rows<void, object>('select 1', () => ({}))
  const pinged = own.ping(5_000)
  const answered = new WeakRef((await objects(own))[0] as object)
  await pinged
  setFlagsFromString('--expose-gc')
  await sleep(10)
  ;(runInNewContext('gc') as () => void)()
  assert.is(answered.deref(), undefined)
})

type Read = (r: RowReader) => unknown
const readings: readonly [expression: string, read: Read][] = [
  ...['0', '1', '-1', '32767', '-32768', 'null'].map((x): [string, Read] => [`${x}::int2`, (r) => r.nullable.int2(0)]),
  ...['0', '-1', '2147483647', '-2147483648', 'null'].map((x): [string, Read] => [
    `(${x})::int4`,
    (r) => r.nullable.int4(0),
  ]),
  ...['0', '2147483648', '4294967295'].map((x): [string, Read] => [`${x}::oid`, (r) => r.oid(0)]),
  ...['0', '-1', '4294967296', '9007199254740991', '-9007199254740991', '9007199254740992', 'null'].flatMap(
    (x): [string, Read][] => [
      [`(${x})::int8`, (r) => r.nullable.int8(0)],
      [`(${x})::int8`, (r) => r.nullable.bigint(0)],
      [`(${x})::int8`, (r) => r.nullable.text(0)],
    ],
  ),
  ['9223372036854775807', (r) => r.bigint(0)],
  ['-9223372036854775808', (r) => r.bigint(0)],
  ...['0', '-0', '0.1', '1e300', '5e-324', 'NaN', 'Infinity', '-Infinity'].flatMap((x): [string, Read][] => [
    [`'${x}'::float8`, (r) => r.float8(0)],
    [`'${x}'::float8`, (r) => r.text(0)],
  ]),
  ...['0.1', 'NaN', '-0', '3.4e38'].map((x): [string, Read] => [`'${x}'::float4`, (r) => r.float4(0)]),
  ...['true', 'false', 'null'].map((x): [string, Read] => [`${x}::bool`, (r) => r.nullable.bool(0)]),
  ...["''", "'a'", "'é😀'", "repeat('x', 100000)", 'null'].map((x): [string, Read] => [
    `${x}::text`,
    (r) => r.nullable.text(0),
  ]),
  ...[
    '2026-11-22 21:14:05.123456+05:30',
    '1969-12-31 23:59:59.999999+00',
    '1999-12-31 23:59:59.9995+00',
    '1700-01-01 00:00:00.000001+00',
    '0001-01-01 00:00:00+00 BC',
    '4714-11-24 00:00:00+00 BC',
    '9999-12-31 23:59:59.999999+00',
    '275760-09-13 00:00:00+00',
    '294276-12-31 00:00:00+00',
    'infinity',
    '-infinity',
  ].flatMap((x): [string, Read][] => [
    [`'${x}'::timestamptz`, (r) => r.timestamptz(0)],
    [`'${x}'::timestamptz at time zone 'utc'`, (r) => r.timestamp(0)],
    [`'${x}'::timestamptz`, (r) => r.text(0)],
  ]),
  ...["''", "'\\x00ff80'", 'null'].map((x): [string, Read] => [`${x}::bytea`, (r) => r.nullable.bytea(0)]),
  [`'{"a": [1, null]}'::jsonb`, (r) => r.json(0)],
  ["'null'::json", (r) => r.nullable.json(0)],
  ["array['a', null, 'c,d']", (r) => r.value(0, codec.array(codec.nullable(codec.text)))],
  ['12345.6789::numeric', (r) => r.text(0)],
  ["'2026-11-22'::date", (r) => r.text(0)],
  // The types lie: both ways must say so.
  ['null::int4', (r) => r.int4(0)],
  ["'x'::text", (r) => r.int4(0)],
  ["'x'::text", (r) => r.bool(0)],
  ['1::int4', (r) => r.bool(0)],
  ['1::int4', (r) => r.int4(1)],
  ['1.5::float8', (r) => r.int4(0)],
  ['7::int8', (r) => r.int4(0)],
  ['7::int2', (r) => r.int8(0)],
]

test('reads every type as the plain path does: the first run as text, the next as binary', async () => {
  for (const [expression, read] of readings) {
    const query = rows(`select ${expression} as x`, read)
    const expected = await outcome(query(plain))
    for (const run of ['first', 'second', 'third']) {
      assert.equal(await outcome(query(wire)), expected, `${expression}, ${read}, ${run} run`)
    }
  }
})

test('a decoder that reads a column in two ways gets text, and no other answers', async () => {
  const both = rows('select 7::int8 as x', (r) => [r.text(0), r.int8(0), r.nullable.bigint(0)])
  for (let run = 0; run < 3; run++) assert.equal(await both(wire), [['7', 7, 7n]])
  const fickle = rows('select n::int8 from generate_series(1, 2) n', (r) => {
    const n = r.int8(0)
    return n === 2 ? r.text(0) : n
  })
  await fickle(wire)
  assert.match(((await failure(fickle(wire))) as Error).message, 'is read by different methods in different rows')
})

test('results may be wider than those before, and narrower', async () => {
  const width = (columns: number) =>
    rows(`select ${Array.from({ length: columns }, (_, n) => `${n}::int4`).join()}`, (r) =>
      Array.from({ length: columns }, (_, n) => r.int4(n)),
    )
  for (const columns of [1, 17, 3, 500, 2, 1600]) {
    const query = width(columns)
    for (let run = 0; run < 2; run++) assert.equal((await query(wire))[0]?.length, columns)
  }
})

const date = new Date('1969-07-20T20:17:40.123Z')
type Write = (w: ParamWriter) => void
const writings: readonly [type: string, write: Write, text: string | null][] = [
  ['int2', (w) => w.int2(-5), '-5'],
  ['int4', (w) => w.int4(-2147483648), '-2147483648'],
  ['int4', (w) => w.int4(-0), '0'],
  ['int4', (w) => w.nullable.int4(null), null],
  ['oid', (w) => w.oid(4294967295), '4294967295'],
  ['int8', (w) => w.int8(9007199254740991), '9007199254740991'],
  ['int8', (w) => w.int8(-(2n ** 63n)), '-9223372036854775808'],
  ['float4', (w) => w.float4(0.1), '0.1'],
  ['float8', (w) => w.float8(5e-324), '5e-324'],
  ['numeric', (w) => w.numeric('1.10'), '1.10'],
  ['bool', (w) => w.bool(true), 'true'],
  ['text', (w) => w.text(''), ''],
  ['text', (w) => w.text('sixteen chars é?'), 'sixteen chars é?'],
  ['text', (w) => w.text(`${'é😀'.repeat(20000)}`), 'é😀'.repeat(20000)],
  ['timestamptz', (w) => w.timestamptz(date), '1969-07-20 20:17:40.123+00'],
  ['timestamptz', (w) => w.timestamptz(new Date('-004712-01-01T00:00:00Z')), '4713-01-01 00:00:00+00 BC'],
  ['timestamptz', (w) => w.timestamptz(new Date(8.64e15)), '275760-09-13 00:00:00+00'],
  ['timestamptz', (w) => w.nullable.timestamptz(null), null],
  ['timestamp', (w) => w.timestamp(date), '1969-07-20 20:17:40.123'],
  ['date', (w) => w.timestamp(date), '1969-07-20'],
  ['bytea', (w) => w.bytea(Uint8Array.of(0, 255, 128)), '\\x00ff80'],
  ['bytea', (w) => w.bytea(new Uint8Array(0)), '\\x'],
  ['bytea', (w) => w.nullable.bytea(null), null],
  ['jsonb', (w) => w.json({ a: 'é' }), '{"a": "é"}'],
  ['int4[]', (w) => w.value([1, 2], codec.array(codec.int4)), '{1,2}'],
]

test('writes every type: the first run as text, the next as binary where the server has said what it takes', async () => {
  await wire.control("set timezone = 'utc'")
  for (const [type, write, expected] of writings) {
    const query = rows<object, string | null>(`select $1::${type}::text`, (r) => r.nullable.text(0), write)
    for (const run of ['first', 'second']) assert.equal(await query(wire, {}), [expected], `${type}, ${write}, ${run}`)
  }
})

test('what is no number is told, whatever it is', async () => {
  const query = rows<{ n: unknown }>(
    'select $1::int4',
    (r) => r.int4(0),
    (w, p) => w.int4(p.n as number),
    ['n'],
  )
  for (const [n, what] of [
    [5n, 'a bigint'],
    [Symbol('x'), 'a symbol'],
    [{}, 'an object'],
    [undefined, 'undefined'],
  ]) {
    const error = (await failure(query(wire, { n }))) as Error
    assert.instance(error, ParameterError)
    assert.match(error.message, `parameter "n" must be an integer, got ${String(what)}`)
  }
})

test('parameters of all forms stand in one statement, and a block that grows under them', async () => {
  const query = rows<{ big: string }, unknown>(
    'select $1::int4 a, $2::timestamptz b, length($3::text) c, $4::bytea d, $5::timestamptz e',
    (r) => [r.int4(0), r.timestamptz(1), r.int4(2), r.bytea(3), r.nullable.timestamptz(4)],
    (w, p) => {
      w.int4(1)
      w.timestamptz(date)
      w.text(p.big)
      w.bytea(Uint8Array.of(1, 2))
      w.nullable.timestamptz(date)
    },
  )
  for (const length of [10, 100, 40_000, 70_000, 3_000_000, 10]) {
    assert.equal(await query(wire, { big: 'x'.repeat(length) }), [[1, date, length, Buffer.of(1, 2), date]])
  }
})

test('a writer that forgets a parameter is told so, and the connection is unharmed', async () => {
  const query = rows<object, number>(
    'select $1::int4 + $2::int4',
    (r) => r.int4(0),
    (w) => w.int4(1),
    ['a', 'b'],
  )
  assert.match(((await failure(query(wire, {}))) as Error).message, 'parameter "b" was not written')
  assert.equal(await number('select 5')(wire), 5)
})

test('all calls of one tick leave in one write', async () => {
  const client = await connected()
  const own = wireOver(client) as Wire
  const { stream } = (client as unknown as { connection: { stream: { write: (chunk: Buffer) => boolean } } }).connection
  const writes: number[] = []
  const write = stream.write.bind(stream)
  stream.write = (chunk) => {
    writes.push(chunk.length)
    return write(chunk)
  }
  const query = number('select 1')
  await Promise.all(Array.from({ length: 50 }, () => query(own)))
  assert.is(writes.length, 1)
  // Callers that wake up with the same answers ask their next question together.
  await Promise.all(
    Array.from({ length: 50 }, async () => {
      await query(own)
      await query(own)
    }),
  )
  assert.ok(writes.length <= 10, `${writes.length} writes`)
})

test('reads that share a Sync: an error is its own call’s, and those that the server skipped are sent again', async () => {
  const own = await openWire()
  const divide = rows<{ n: number }, number>(
    'select 60 / $1',
    (r) => r.int4(0),
    (w, p) => w.int4(p.n),
  )
  const picky = rows<{ n: number }, number>('select $1::int4 from t', readOdd, (w, p) => w.int4(p.n))
  const changing = rows<{ n: number }, number>(
    'select $1::int4, changing.* from changing',
    (r) => r.int4(0),
    (w, p) => w.int4(p.n),
  )
  await wire.control('create table changing as select 1 as a')
  const ask = (query: Many<{ n: number }, number>, n: number) =>
    share(own, query, { n }).catch((error: QueryError) => error.sqlState ?? error.message)
  for (let run = 0; run < 3; run++) {
    const answers = [
      ...[1, 0, 2, 0, 0, 3].map((n) => ask(divide, n)),
      ...[1, 2, 3].map((n) => ask(picky, n)),
      ...[7, 8].map((n) => ask(changing, n)),
      // Control commands and calls that do not share stand between them.
      own.control('select 1'),
      ask(divide, 4),
      number('select 5')(own),
      ask(divide, 0),
    ]
    assert.equal(await Promise.all(answers), [
      ...[[60], '22012', [30], '22012', '22012', [20]],
      ...[[1], 'even', [3]],
      ...[[7], [8]],
      ...['SELECT 1', [15], 5, '22012'],
    ])
    await wire.control(`alter table changing add column b${run} int`)
  }
  assert.is(own.inFlight, 0)
})

test('the owner hears of a call that cannot be sent again, as its parameters were changed and do not fit', async () => {
  const own = await openWire()
  const settled: Call[] = []
  own.owner = {
    settled: (_, calls) => settled.push(...calls),
    gone: () => {},
    takesBack: () => false,
  }
  const { query } = rows<{ n: number }, number>(
    'select 60 / $1',
    (r) => r.int4(0),
    (w, p) => w.int4(p.n),
  )
  const submitted: Call[] = []
  const submit = (params: { n: number }, shares: boolean) =>
    new Promise<unknown>((resolve) => {
      const call = new Call(query as never, params, resolve)
      call.shares = shares
      submitted.push(call)
      own.submit(call)
    })
  assert.equal(await submit({ n: 1 }, false), [60])
  const refused = async (params: { n: number }, shares: boolean) => {
    const error = failure(submit(params, shares))
    params.n = 0.5
    assert.instance(await error, ParameterError)
  }
  // The server has forgotten the statement.
  await own.control("do $$ begin execute 'deallocate all'; end $$")
  await refused({ n: 2 }, false)
  // The server has skipped what shares a Sync with a failing one.
  assert.equal(await submit({ n: 3 }, false), [20])
  const failing = failure(submit({ n: 0 }, true))
  await refused({ n: 4 }, true)
  await failing
  assert.equal(settled.filter((call) => call.query !== null).length, submitted.length)
  assert.is(own.inFlight, 0)
})

function readOdd(r: RowReader): number {
  if (r.int4(0) % 2 === 0) throw new Error('even')
  return r.int4(0)
}

test('answers in pieces of any size, and messages larger than any chunk', async () => {
  const proxy = await startProxy(url)
  const far = await openWire(256, proxy.url)
  const big = rows<{ n: number }, [number, string]>(
    "select n, repeat('é', $1 * n) from generate_series(1, 5) n",
    (r) => [r.int4(0), r.text(1)],
    (w, p) => w.int4(p.n),
  )
  for (const size of [1, 2, 3, 5, 7, 64, 1021, 0]) {
    proxy.pieces(size)
    const length = size === 0 || size > 1000 ? 100_000 : 20
    const answers = await Promise.all([
      big(far, { n: length }),
      failure(command('select 1/0')(far)),
      big(far, { n: 1 }),
    ])
    assert.equal(
      answers[0],
      [1, 2, 3, 4, 5].map((n) => [n, 'é'.repeat(length * n)]),
    )
    assert.is((answers[1] as QueryError).sqlState, '22012')
    assert.equal(answers[2]?.length, 5)
  }
  proxy.cut()
  await proxy.close()
})

test('COPY is refused, not waited for', async () => {
  const into = (await failure(command('copy t from stdin')(wire))) as Error
  assert.match(into.message, 'COPY')
  const out = (await failure(command('copy t to stdout')(wire))) as Error
  assert.match(out.message, 'COPY … TO STDOUT cannot run as a query')
  assert.is(await number('select 5')(wire), 5)
})

test('what the server says unasked does not disturb', async () => {
  await wire.control('listen news; set client_min_messages = debug1')
  const speak = command("do $$ begin raise notice 'hello'; perform pg_notify('news', 'x'); end $$")
  for (let run = 0; run < 2; run++) {
    assert.equal(
      await Promise.all([speak(wire), number('select 6')(wire), command("set application_name = 'x'")(wire)]),
      [0, 6, 0],
    )
  }
  await wire.control('unlisten *; reset client_min_messages')
})

test('a prelude runs first, in the same write; if it fails, nothing behind it runs', async () => {
  const own = await openWire()
  const count = number('select count(*)::int4 from t')
  const insert = command("insert into t values (100, 'x')")
  for (let run = 0; run < 2; run++) {
    assert.is(await own.execute(insert.query, undefined, ['begin', 'set local lock_timeout = 1000']), 1)
    assert.is(await own.control('rollback'), 'ROLLBACK')
    assert.is(await count(own), 1)
    const error = (await failure(own.execute(insert.query, undefined, ['begin', 'no such command']))) as QueryError
    assert.is(error.sqlState, '42601')
    assert.is(error.query, null)
    await own.control('rollback')
    assert.is(await count(own), 1)
    const own2 = (await failure(own.execute(number('select 1/0').query, undefined, ['begin']))) as QueryError
    assert.is(own2.sqlState, '22012')
    assert.ok(own2.query)
    assert.is(await own.control('commit'), 'ROLLBACK')
  }
})

const controls = rows<void, string>(
  "select name from pg_prepared_statements where name like 'plainsql: %' order by 1",
  (r) => r.text(0),
)
const insertEntry = command('insert into entries default values')

test('BEGIN and COMMIT are prepared once, for every way to begin', async () => {
  const own = await openWire()
  await own.control('create table entries (n int generated always as identity)')
  for (const begin of ['BEGIN', 'BEGIN', 'BEGIN ISOLATION LEVEL SERIALIZABLE', 'BEGIN']) {
    await own.execute(insertEntry.query, undefined, [begin, 'SET LOCAL lock_timeout = 1000'])
    assert.is(await own.control('COMMIT'), 'COMMIT')
  }
  assert.equal(await controls(own), [
    'plainsql: BEGIN',
    'plainsql: BEGIN ISOLATION LEVEL SERIALIZABLE',
    'plainsql: COMMIT',
  ])
  assert.is(await number('select count(*)::int4 from entries')(own), 4)
  const none = await openWire(0)
  await none.execute(insertEntry.query, undefined, ['BEGIN'])
  assert.is(await none.control('COMMIT'), 'COMMIT')
  assert.equal(await controls(none), [])
})

const forgetting: readonly [how: string, sql: string][] = [
  ['by us', 'deallocate all'],
  ['by a session reset of ours', 'discard all'],
  ['by somebody else', "do $$ begin execute 'deallocate all'; end $$"],
]
for (const [how, sql] of forgetting) {
  test(`a transaction whose BEGIN was forgotten, ${how}, runs once`, async () => {
    const own = await openWire()
    const marked = rows<void, number>('insert into entries default values returning 1', (r) => r.int4(0))
    for (let run = 0; run < 3; run++) {
      const before = await number('select count(*)::int4 from entries')(own)
      assert.equal(await own.execute(marked.query, undefined, ['BEGIN', 'SET LOCAL lock_timeout = 1000']), [1])
      assert.is(await own.control('COMMIT'), 'COMMIT')
      assert.is(await number('select count(*)::int4 from entries')(own), before + 1)
      await own.control(sql)
    }
  })
}

for (const [state, fails] of [
  ['26000', "execute 'deallocate nope'"],
  ['42P05', "raise exception 'there is one' using errcode = '42P05'"],
]) {
  test(`a write that fails after it has run, with a SQLSTATE of statements that must be prepared anew: ${state}`, async () => {
    const own = await openWire()
    await own.control('create table if not exists kept (n int); truncate kept')
    const procedure = `fails_with_${state?.toLowerCase()}`
    await own.control(
      `create procedure ${procedure}() language plpgsql as $$ begin insert into kept values (1); commit; ${fails}; end $$`,
    )
    const call = command(`call ${procedure}()`)
    for (let run = 1; run <= 2; run++) {
      assert.is(((await failure(call(own))) as QueryError).sqlState, state)
      assert.is(await number('select count(*)::int4 from kept')(own), run)
    }
  })
}

test('a COMMIT that was forgotten within its transaction is an error, and the next one works', async () => {
  const own = await openWire()
  const forget = command("do $$ begin execute 'deallocate all'; end $$")
  await own.execute(forget.query, undefined, ['BEGIN'])
  assert.is(((await failure(own.control('COMMIT'))) as QueryError).sqlState, '26000')
  assert.is(await own.control('ROLLBACK'), 'ROLLBACK')
  await own.execute(insertEntry.query, undefined, ['BEGIN'])
  assert.is(await own.control('COMMIT'), 'COMMIT')
})

test('a COMMIT that the server refuses has rolled back, and the next one works', async () => {
  const own = await openWire()
  await own.control('create table later (n int unique deferrable initially deferred); insert into later values (1)')
  const twice = command('insert into later values (1)')
  for (let run = 0; run < 2; run++) {
    await own.execute(twice.query, undefined, ['BEGIN'])
    assert.is(((await failure(own.control('COMMIT'))) as QueryError).sqlState, '23505')
    await own.execute(insertEntry.query, undefined, ['BEGIN'])
    assert.is(await own.control('COMMIT'), 'COMMIT')
    assert.is(
      ((await failure(own.execute(number('select 1/0').query, undefined, ['BEGIN']))) as QueryError).sqlState,
      '22012',
    )
    assert.is(await own.control('COMMIT'), 'ROLLBACK')
  }
})

test('a prelude that answers rows does not mix them with the query', async () => {
  const query = number('select 8')
  for (let run = 0; run < 2; run++) {
    assert.is(await wire.execute(query.query, undefined, ["select set_config('a.b', 'c', false), 1, 2"]), 8)
  }
})

test('a statement whose first run fails is prepared by a later one', async () => {
  const query = rows<{ n: number }, number>(
    'select 10 / $1',
    (r) => r.int4(0),
    (w, p) => w.int4(p.n),
  )
  assert.is(((await failure(query(wire, { n: 0 }))) as QueryError).sqlState, '22012')
  assert.equal(await query(wire, { n: 2 }), [5])
  const missing = rows<void, number>('select n from appears_later', (r) => r.int4(0))
  const three = await Promise.all([1, 2, 3].map(() => failure(missing(wire)) as Promise<QueryError>))
  assert.equal(
    three.map((error) => error.sqlState),
    ['42P01', '42P01', '42P01'],
  )
  await wire.control('create temporary table appears_later as select 3 as n')
  assert.equal(await missing(wire), [3])
})

test('two texts under one name are two statements', async () => {
  const source = { name: 'a', source: 'a.sql:1', statement: 'same', read: (r: RowReader) => r.int4(0) }
  const one = many<void, number>({ ...source, sql: 'select 1' })
  const two = many<void, number>({ ...source, sql: 'select 2' })
  assert.equal(await Promise.all([one(wire), two(wire), one(wire), two(wire)]), [[1], [2], [1], [2]])
  // Also where an error ahead, in the same Sync, made the server skip the Parse of the other one.
  const own = await openWire()
  const bad = number('select 1 / 0')
  for (let run = 0; run < 3; run++) {
    await one(own)
    const [, answer] = await Promise.all([failure(share(own, bad)), share(own, two)])
    assert.equal(answer, [2])
  }
})

test('prepared statements are bounded: the one that was not used for longest makes room', async () => {
  const own = await openWire(3)
  const queries = [1, 2, 3, 4].map((n) => number(`select ${n}`))
  const known = rows<void, string>('select name from pg_prepared_statements', (r) => r.text(0))
  for (const query of queries) await query(own)
  await queries[1]?.(own)
  const names = new Set(await known(own))
  assert.ok(names.size <= 4)
  assert.ok(names.has(queries[1]?.query.statement ?? ''))
  assert.not(names.has(queries[0]?.query.statement ?? ''))
  for (let run = 0; run < 3; run++) {
    assert.equal(await Promise.all(queries.map((query) => query(own))), [1, 2, 3, 4])
  }
})

test('a statement that made room can be prepared again, though an error skipped the message that closes it', async () => {
  const own = await openWire(2)
  const divide = rows<{ n: number }, number>(
    'select 60 / $1',
    (r) => r.int4(0),
    (w, p) => w.int4(p.n),
  )
  const [leaving, second, third] = [number('select 1'), number('select 2'), number('select 3')]
  for (const run of [() => divide(own, { n: 1 }), () => leaving(own), () => divide(own, { n: 1 }), () => second(own)]) {
    await run()
  }
  // The third one's Parse, and the Close in front of it, are behind the error.
  const share = (query: unknown, params: unknown) =>
    new Promise<unknown>((resolve) => {
      const call = new Call(query as never, params, resolve)
      call.shares = true
      own.submit(call)
    })
  const failing = failure(share(divide.query, { n: 0 }))
  assert.is(await share(third.query, undefined), 3)
  await failing
  assert.is(await leaving(own), 1)
})

test('a write with many parameters is planned for each run, a read is not', async () => {
  const own = await openWire()
  const write = (readOnly: boolean) => {
    const { query } = rows<{ n: number[] }, number>(
      'select count(*)::int4 from unnest($1::int4[])',
      (r) => r.int4(0),
      (w, p) => w.value(p.n, codec.array(codec.int4)),
    )
    return many<{ n: number[] }, number>({ ...query, ...(readOnly && { readOnly }) })
  }
  for (const [query, generic] of [
    [write(false), 1],
    [write(true), 8],
  ] as const) {
    for (const length of [10_000, 5, 20_000, 7, 1, 2, 3, 4]) {
      assert.equal(await query(own, { n: Array.from({ length }, (_, n) => n) }), [length])
    }
    const runs = rows(
      `select generic_plans + custom_plans from pg_prepared_statements where name = '${query.query.statement}'`,
      (r) => r.int8(0),
    )
    assert.equal(await runs(own), [generic])
  }
})

test('without prepared statements there are none on the server', async () => {
  const own = await openWire(0)
  const query = rows<{ n: number }, number>(
    'select $1::int4 from t',
    (r) => r.int4(0),
    (w, p) => w.int4(p.n),
  )
  const known = rows<void, string>('select name from pg_prepared_statements', (r) => r.text(0))
  for (let run = 0; run < 3; run++) {
    const answers = await Promise.all([query(own, { n: run }), failure(command('select 1/0')(own)), known(own)])
    assert.equal(answers[0], [run])
    assert.equal(answers[2], [])
  }
})

test('a lost connection fails every call in flight, and every later one at once', async () => {
  const own = await openWire()
  const pid = await backendPid(own)
  const slow = [1, 2, 3].map(() => failure(number('select 1 from pg_sleep(5)')(own)))
  await sleep(30)
  await number(`select pg_terminate_backend(${pid})::int`)(wire)
  for (const error of await Promise.all(slow)) {
    assert.instance(error, ConnectionError)
    assert.is((error as ConnectionError).code, '57P01')
    assert.is((error as ConnectionError).statement, 'unknown')
  }
  const late = (await failure(number('select 1')(own))) as ConnectionError
  assert.instance(late, ConnectionError)
  assert.is(late.statement, 'not sent')
  assert.is(own.inFlight, 0)
})

test('a connection that is lost before a call has left the process says so', async () => {
  const own = await openWire()
  const call = failure(command('select 1')(own))
  own.destroy(new Error('lost by the test'))
  assert.is(((await call) as ConnectionError).statement, 'not sent')
})

test('how long the way is, the last ping says, unless answers are far quicker; not a COMMIT that fails', async () => {
  const proxy = await startProxy(url)
  const far = await farServer(proxy.url, 150)
  try {
    const own = await openWire(256, far.url)
    const pid = number('select pg_backend_pid()')
    const busy: number[] = []
    const owner: WireOwner = { settled: (_, __, ms) => busy.push(ms), gone: () => {}, takesBack: () => false }
    own.owner = owner
    const looksQuick = async () => {
      await pid(own)
      return (busy.at(-1) ?? Number.NaN) < 75
    }
    await own.control('create temporary table later (n int unique deferrable initially deferred)')
    await own.ping(5_000)
    assert.is(await looksQuick(), true)
    // As a unit of work, on a connection that nobody shares.
    own.owner = null
    await own.execute(command('insert into later values (1), (1)').query, undefined, ['BEGIN'])
    assert.is(((await failure(own.control('COMMIT'))) as QueryError).sqlState, '23505')
    own.owner = owner
    far.delay(300)
    assert.is(await looksQuick(), false)
    await own.ping(5_000)
    assert.is(await looksQuick(), true)
    far.delay(0)
    for (let times = 0; times < 5; times++) await pid(own)
    far.delay(150)
    assert.is(await looksQuick(), false)
  } finally {
    await far.close()
    await proxy.close()
  }
})

test('a ping that is not answered in time gives the connection up', async () => {
  const proxy = await startProxy(url)
  const far = await openWire(256, proxy.url)
  await far.ping(1000)
  proxy.swallow('all')
  const error = (await failure(Promise.all([far.ping(50)]))) as ConnectionError
  assert.match(error.message, 'no answer to a ping within 50 ms')
  await proxy.close()
})

test('a client that does not have what we build on is left to the plain path', async () => {
  const client = await connected()
  assert.is(wireOver({ query: client.query } as unknown as Client), null)
  assert.is(wireOver({ connection: { stream: {} } } as unknown as Client), null)
})

async function outcome(promise: Promise<unknown>): Promise<unknown> {
  return promise.catch((error: Error) => `${error.name}: ${error.message}`)
}

test('the bytes of a large write are not kept', () => {
  const out = new Outgoing()
  const empty = out.bytes.length
  out.put(Buffer.alloc(9_000_000))
  assert.is(out.take().length, 9_000_000)
  out.put(Buffer.from('next'))
  assert.is(out.bytes.length, empty)
  assert.is(out.take().toString(), 'next')
})

test.run()
