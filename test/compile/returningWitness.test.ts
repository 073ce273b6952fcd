// timeout: 120
// Random INSERT, UPDATE, DELETE and MERGE … RETURNING: no column that is typed non-null may show a NULL.
// Seeded. A longer run: WITNESS_SEED=7 WITNESS_QUERIES=50000 npx tsx test/compile/returningWitness.test.ts

import pg from 'pg'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { loadCatalog, loadDefinitions } from '../../lib/compile/catalog.ts'
import { describeStatements } from '../../lib/compile/describe.ts'
import { analyzeColumns } from '../../lib/compile/nullability.ts'
import { Random } from '../support/random.ts'
import { freshDatabase } from '../support/server.ts'

const seed = Number(process.env.WITNESS_SEED ?? 3)
const statementCount = Number(process.env.WITNESS_QUERIES ?? 1500)

const schema = `
  create table a (
    id int primary key, x int, y int not null, s text, t text not null, g int generated always as (x + 1) stored,
    check (x is null or y > 0), check (t <> 'k' or s is not null)
  );
  create table b (id int primary key, x int, y int not null, s text, t text not null);
  create table p (id int not null, x int, y int not null, s text, t text not null) partition by list (y);
  create table p1 partition of p for values in (1);
  create table p2 partition of p default;
  create table m (like p) partition by list (y);
  create table m1 partition of m for values in (1);
  create table m2 partition of m default;
  create function unset() returns trigger language plpgsql as 'begin new.x := null; return new; end';
  create trigger unset before insert on m2 for each row execute function unset();
  create view v as select id, x, y, s, t from b where x is not null;
  create view w as select a.id, b.x, coalesce(a.x, 0) as y, b.s, a.t from a left join b on b.id = a.x;
  insert into a values (1, null, 1, null, 'p'), (2, 1, 2, 'q', 'k'), (3, 2, 1, 'r', 'k'), (4, 3, 3, null, 'p'), (5, 9, 3, 'z', 'k');
  insert into b values (1, null, 1, 's', 'p'), (2, 1, 2, null, 'k'), (3, 4, 1, null, 'p'), (4, 2, 2, 'k', 'k');
  insert into p select * from b;
  insert into m select * from b;
`

test('no column that is typed non-null shows a NULL', async () => {
  const database = await freshDatabase(schema)
  const client = new pg.Client({ connectionString: database.url, pipeline: true })
  await client.connect()
  const counts = { run: 0, rows: 0, nonNull: 0 }
  const lies: string[] = []
  try {
    await client.query("set statement_timeout = '5s'")
    const catalog = await loadCatalog(client)
    // Before 18 there is neither `old` nor `new`.
    const { rows } = await client.query("select current_setting('server_version_num')::int >= 180000 as new")
    const writer = new StatementWriter(new Random(seed), (rows as { new: boolean }[])[0]!.new)
    for (let made = 0; made < statementCount; made += 100) {
      const statements = Array.from({ length: 100 }, () => writer.statement())
      const answers = await describeStatements(client, statements)
      await loadDefinitions(
        client,
        catalog,
        answers.map((answer) => ('error' in answer ? null : answer.tree)),
      )
      const results = await Promise.allSettled(statements.map((text) => undone(client, text)))
      results.forEach((result, index) => {
        const answer = answers[index]!
        // Some do not type-check, some violate a constraint: what does not run shows nothing.
        if ('error' in answer || result.status === 'rejected') return
        counts.run++
        counts.rows += result.value.length
        analyzeColumns({ ...answer, params: [] }, catalog).forEach(({ nullability }, column) => {
          if (nullability.nullable) return
          counts.nonNull++
          const hasNull = result.value.some((row) => row[column] === null)
          if (hasNull) lies.push(`column ${column + 1} (${nullability.reason}) of ${statements[index]}`)
        })
      })
    }
  } finally {
    await client.end()
    await database.drop()
  }
  console.log(`${counts.run} statements gave ${counts.rows} rows; ${counts.nonNull} of their columns are non-null`)
  assert.equal(lies, [])
  assert.ok(counts.run > statementCount / 2 && counts.nonNull > statementCount / 4)
})

/** The rows of a statement that leaves nothing behind. */
async function undone(client: pg.Client, text: string): Promise<unknown[][]> {
  const [, result] = await Promise.all([
    client.query('begin'),
    client.query<unknown[]>({ text, rowMode: 'array' }),
    client.query('rollback'),
  ])
  return result.rows
}

type Type = 'int' | 'text'

const literals = { int: ['1', '2', 'null::int'], text: ["'a'", "'k'", 'null::text'] } as const
const columns: readonly (readonly [name: string, type: Type])[] = [
  ['id', 'int'],
  ['x', 'int'],
  ['y', 'int'],
  ['s', 'text'],
  ['t', 'text'],
]

/** Writes random statements. `from` are the names of rows whose columns may be used; the target is `r`. */
class StatementWriter {
  readonly #random: Random
  readonly #hasOldAndNew: boolean

  constructor(random: Random, hasOldAndNew: boolean) {
    this.#random = random
    this.#hasOldAndNew = hasOldAndNew
  }

  statement(): string {
    const random = this.#random
    const kind = random.below(12)
    const source = random.pick(['a', 'b', 'p', 'v', 'w'])
    const target = random.pick(['a', 'b', 'p', 'm', 'v'])
    const joined = random.chance(30)
      ? random.pick([`${source} q`, `(b z left join a q on q.id = z.x)`, `(select * from ${source}) q`])
      : null
    const from = joined === null ? ['r'] : ['r', 'q']
    const where = (chance: number): string =>
      random.chance(chance) ? ` where ${from.map(() => this.#condition(from, 2)).join(' and ')}` : ''
    if (kind < 6) {
      const using = joined === null ? '' : ` from ${joined}`
      return `update ${target} r set ${this.#assignments(from)}${using}${where(90)} ${this.#returning(from, target)}`
    }
    if (kind < 8) {
      const using = joined === null ? '' : ` using ${joined}`
      return `delete from ${target} r${using}${where(90)} ${this.#returning(from, target)}`
    }
    return kind < 10 ? this.#insert(source) : this.#merge(source)
  }

  #insert(source: string): string {
    const random = this.#random
    const table = random.pick(['a', 'b'])
    const [x, s] = [random.pick(literals.int), random.pick(literals.text)]
    const rows = random.chance(50)
      ? `values (${1 + random.below(7)}, ${x}, ${1 + random.below(3)}, ${s}, 'k')`
      : `select id + ${random.below(9)}, x, y, s, t from ${source} q where ${this.#condition(['q'], 1)}`
    const both = ['r', 'excluded']
    const condition = random.chance(50) ? ` where ${this.#condition(both, 1)}` : ''
    const update = ` on conflict (id) do update set ${this.#assignments(both)}${condition}`
    const conflict = random.pick(['', update, update, ' on conflict do nothing'])
    return `insert into ${table} as r (id, x, y, s, t) ${rows}${conflict} ${this.#returning(['r'], table)}`
  }

  #merge(source: string): string {
    const random = this.#random
    const target = random.pick(['a', 'b', 'p', 'm'])
    const both = ['r', 'q']
    const matched = random.chance(70)
      ? `when matched and ${this.#condition(both, 1)} then update set ${this.#assignments(both)}`
      : 'when matched then delete'
    const others = random.pick([
      '',
      " when not matched then insert (id, x, y, s, t) values (q.id, q.x, 1, q.s, 'p')",
      this.#hasOldAndNew ? ` when not matched by source then update set ${this.#assignments(['r'])}` : '',
    ])
    const on = `merge into ${target} r using ${source} q on r.id = q.id`
    return `${on} ${matched}${others} ${this.#returning(both, target)}`
  }

  #assignments(from: readonly string[]): string {
    const random = this.#random
    const some = columns.filter(([name]) => name !== 'id' && random.chance(50))
    const list = some.length > 0 ? some : [columns[1]!]
    const value = (type: Type): string =>
      random.chance(30) ? random.pick(literals[type]) : this.#expression(from, type, 2)
    return list.map(([name, type]) => `${name} = ${value(type)}`).join(', ')
  }

  #returning(from: readonly string[], target: string): string {
    const random = this.#random
    const names = this.#hasOldAndNew && target !== 'v' ? [...from, 'old', 'new'] : from
    const items = Array.from({ length: 1 + random.below(4) }, () => {
      const item = this.#expression(names, random.pick<Type>(['int', 'text']), 2)
      // PostgreSQL 18.0 crashes on some subqueries over old and new.
      return /select.*\b(old|new)\./.test(item) ? 'r.x' : item
    })
    if (random.chance(25)) items.push('r.*')
    if (random.chance(15) && target === 'a') items.push('r.g')
    return `returning ${items.join(', ')}`
  }

  #expression(from: readonly string[], type: Type, depth: number): string {
    const random = this.#random
    if (depth <= 0 || random.chance(20)) {
      const [name] = random.pick(columns.filter((column) => column[1] === type))
      return random.chance(15) ? random.pick(literals[type]) : `${random.pick(from)}.${name}`
    }
    const next = (of: Type = type): string => this.#expression(from, of, depth - 1)
    const condition = (): string => this.#condition(from, depth - 1)
    const common = [
      () => `coalesce(${next()}, ${next()})`,
      () => `case when ${condition()} then ${next()} else ${next()} end`,
      () => `case when ${condition()} then ${next()} when ${condition()} then ${next()} else ${next()} end`,
      () => `case ${next('text')} when 'k' then ${next()} else ${next()} end`,
      () => `nullif(${next()}, ${next()})`,
      () => `(select max(z.${type === 'int' ? 'x' : 's'}) from b z where z.id = ${next('int')})`,
      () => `(select ${next()})`,
    ]
    const ints = [() => `(${next()} + ${next()})`, () => `length(${next('text')})`]
    const texts = [() => `(${next()} || ${next()})`, () => `upper(${next()})`, () => `(${next('int')})::text`]
    return random.pick([...common, ...(type === 'int' ? ints : texts)])()
  }

  #condition(from: readonly string[], depth: number): string {
    const random = this.#random
    const type = random.pick<Type>(['int', 'text'])
    const next = (of: Type = type): string => this.#expression(from, of, depth - 1)
    const inner = (): string => this.#condition(from, depth - 1)
    const simple = [
      () => `${next()} is not null`,
      () => `${next()} is null`,
      () => `${next()} = ${next()}`,
      () => `${next()} <> ${next()}`,
      () => `${random.pick(from)}.t ${random.pick(['=', '<>'])} 'k'`,
      () => `${random.pick(from)}.x = 1`,
      () => `${next('int')} > 1`,
      () => `${next()} is not distinct from ${next()}`,
      () => `${next()} in (${next()}, ${next()})`,
    ]
    if (depth <= 0) return random.pick(simple)()
    return random.pick([
      ...simple,
      () => `(${inner()} and ${inner()})`,
      () => `(${inner()} or ${inner()})`,
      () => `not (${inner()})`,
      () => `(${inner()}) is ${random.pick(['true', 'not true', 'false', 'not false'])}`,
      () => `exists (select from b z where z.id = ${next('int')} and z.x is not null)`,
    ])()
  }
}

test.run()
