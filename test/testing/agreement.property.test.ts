// Random SELECTs on random joins of three small tables with NULLs in them, on pg-mem and on PostgreSQL: what the memory
// database answers, it answers rightly. The seed is fixed; PLAINSQL_FUZZ_RUNS=5000 PLAINSQL_FUZZ_SEED=2 looks further.
// wire only: it is about pg-mem, to which nothing goes over a connection

import * as fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { memoryDatabase, testDatabase, UnsupportedInMemoryError } from '../../lib/testing/index.ts'
import { rowsOf } from './query.ts'

const schema = `
create type mood as enum ('sad', 'ok', 'great');
create table a (id int primary key, x int, s text, f bool, at timestamptz, u int unique, m mood);
create index on a (x);
create table b (id int primary key, x int, s text unique, f bool, big int8, m mood);
create table c (id int, a_id int references a (id), x int not null default 0, s varchar(9), f bool, m mood, primary key (id, x), unique (a_id, x));
insert into a values
  (1, null, 'one', true, '2020-01-01 00:00:00+00', 3, 'ok'), (2, 5, null, null, null, null, null), (3, 5, 'Abc', false, '2021-01-01 00:00:00+00', 5, 'great'),
  (4, 1, 'abc', true, '2020-06-01 12:00:00+00', null, 'sad'), (5, 2, '', null, null, 1, 'sad'), (6, -3, 'x_y%', false, '2020-01-01 00:00:00+00', -3, null);
insert into b values (1, 5, 'one', true, 10, 'sad'), (2, null, 'abc', false, null, 'great'), (3, 2, null, null, 3, null), (4, 2, 'zzz', true, 3000000000, 'ok');
insert into c values (1, 1, 0, 'one', true, 'ok'), (1, 2, 1, null, false, 'sad'), (2, 2, 0, 'B', null, 'great'), (3, null, 2, 'abc', true, null), (3, null, 5, '', null, 'ok');
`

type Text = fc.Arbitrary<string>

const joined = (separator: string, ...parts: Text[]): Text => fc.tuple(...parts).map((texts) => texts.join(separator))
const called = (name: string, ...args: Text[]): Text => joined(', ', ...args).map((texts) => `${name}(${texts})`)
const infix = (left: Text, operators: string[], right: Text): Text =>
  joined(' ', left, fc.constantFrom(...operators), right).map((text) => `(${text})`)

/** Every table has id, x, s, f and m; `aliases` are those in the FROM clause. */
function expressions(aliases: readonly string[]) {
  const column = (name: string): Text => fc.constantFrom(...aliases).map((alias) => `${alias}.${name}`)
  const depth = { maxDepth: 3, depthSize: 'small' } as const
  return fc.letrec<Record<'int' | 'text' | 'condition', string>>((tie) => ({
    int: fc.oneof(
      depth,
      fc.oneof(column('id'), column('x'), fc.constantFrom('0', '2', '5', '-3')),
      infix(tie('int'), ['+', '-', '*'], tie('int')),
      called('coalesce', tie('int'), tie('int')),
      called('length', tie('text')),
      called('nullif', tie('int'), tie('int')),
      fc.tuple(tie('int'), fc.constantFrom('0', '2')).map(([x, y]) => `case when ${y} <> 0 then ${x} / ${y} end`),
      fc.tuple(tie('condition'), tie('int'), tie('int')).map(([c, x, y]) => `case when ${c} then ${x} else ${y} end`),
    ),
    text: fc.oneof(
      depth,
      fc.oneof(column('s'), fc.constantFrom("'one'", "'abc'", "''")),
      infix(tie('text'), ['||'], tie('text')),
      called('lower', tie('text')),
      called('upper', tie('text')),
      fc.oneof(tie('int'), tie('condition'), column('m')).map((value) => `(${value})::text`),
    ),
    condition: fc.oneof(
      depth,
      fc.oneof(
        column('f'),
        infix(column('x'), ['=', '<>', '<', '>='], column('id')),
        column('x').map((x) => `${x} is null`),
      ),
      infix(tie('int'), ['=', '<>', '<', '>', '<=', '>='], tie('int')),
      infix(tie('text'), ['=', '<>', '<', '>'], tie('text')),
      infix(tie('text'), ['like', 'ilike', 'not like'], fc.constantFrom("'a%'", "'%B_'", "'x\\_y\\%'")),
      infix(tie('int'), ['in', 'not in'], fc.constantFrom('(1)', '(1, 5)', '(2, null)')),
      infix(column('m'), ['=', '<', '>=', '<>'], fc.constantFrom("'sad'", "'ok'")),
      infix(column('x'), ['in'], fc.constantFrom('(select x from b)', '(select a_id from c)')),
      infix(tie('int'), ['between', 'not between'], joined(' and ', tie('int'), tie('int'))),
      infix(column('f'), ['is', 'is not'], fc.constantFrom('true', 'false', 'null')),
      infix(tie('condition'), ['and', 'or'], tie('condition')),
      infix(tie('condition'), ['and', 'or'], tie('condition')),
      tie('condition').map((inner) => `(not ${inner})`),
    ),
  }))
}

const query: Text = fc.integer({ min: 1, max: 3 }).chain((tables) => {
  const aliases = ['t1', 't2', 't3'].slice(0, tables)
  const { int, text, condition } = expressions(aliases)
  const from = aliases.map((alias, index) => {
    const table = fc.constantFrom('a', 'b', 'c').map((name) => `${name} ${alias}`)
    if (index === 0) return table
    const before = expressions(aliases.slice(0, index + 1))
    const columns = joined(' = ', fc.constantFrom(`${alias}.id`, `${alias}.x`), fc.constantFrom('t1.id', 't1.x'))
    const on = fc.oneof({ weight: 3, arbitrary: columns }, { weight: 1, arbitrary: before.condition })
    const join = fc.constantFrom('join', 'left join', 'left join', 'right join')
    return fc.tuple(join, table, on).map(([kind, name, text]) => `${kind} ${name} on ${text}`)
  })
  const where = fc.option(condition).map((text) => (text === null ? '' : ` where ${text}`))
  const order = fc.constantFrom('', ' desc', ' nulls first', ' desc nulls last')
  const rows = fc
    .tuple(fc.constantFrom('', '', 'distinct '), int, text, condition, joined(' ', ...from), where, order)
    .map(
      ([distinct, x, s, c, tables, filter, by]) =>
        `select ${distinct}${x}, ${s}, ${c}, t1.m as mark from ${tables}${filter} order by 1${by}, 2${by}, 3, 4${by}`,
    )
  const groups = fc
    .tuple(
      fc.constantFrom('t1.x', 't1.s', 't1.f', 'nullif(t1.x, 5)', "case when t1.f then 'f' else t1.s end"),
      int,
      condition,
      joined(' ', ...from),
      where,
    )
    .map(([key, x, c, tables, filter]) => {
      const aggregates = `count(*), count(${x}), sum(${x}), min(${x}), count(*) filter (where ${c}), count(distinct t1.id)`
      return `select ${key}, ${aggregates} from ${tables}${filter} group by ${key} order by 1`
    })
  const grouped = fc
    .tuple(fc.constantFrom('a', 'b'), text, expressions(['g']).text, joined(' ', ...from))
    .map(
      ([table, counted, s, tables]) =>
        `select g.x, ${s}, count(${counted}) from ${tables} right join ${table} g on g.id = t1.x group by g.id order by g.id`,
    )
  return fc.oneof({ weight: 4, arbitrary: rows }, { weight: 2, arbitrary: groups }, { weight: 1, arbitrary: grouped })
})

test('what the memory database answers is what PostgreSQL answers', async () => {
  const memory = await memoryDatabase({ schema })
  await using postgres = await testDatabase({ schema })
  const seed = Number(process.env.PLAINSQL_FUZZ_SEED ?? 1)
  const numRuns = Number(process.env.PLAINSQL_FUZZ_RUNS ?? 110)
  let answered = 0
  await fc.assert(
    fc.asyncProperty(query, async (sql) => {
      const run = rowsOf(
        sql,
        sql.includes('group by g')
          ? 'int4? text? int8'
          : sql.includes('group by')
            ? 'text? int8 int8 text? int4? int8 int8'
            : 'int4? text? bool? mood?',
      )
      const actual = await run(memory, {}).catch((error: unknown) => error)
      if (actual instanceof UnsupportedInMemoryError) return
      answered++
      const expected = await run(postgres, {}).catch((error: unknown) => error)
      assert.equal(outcome(actual), outcome(expected), sql)
    }),
    { seed, numRuns },
  )
  // A database that refuses everything would pass as well.
  assert.ok(answered > numRuns * 0.8, `only ${answered} of ${numRuns} were answered`)
})

function outcome(value: unknown): unknown {
  return value instanceof Error ? value.message : value
}

test.run()
