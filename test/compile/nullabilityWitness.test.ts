// timeout: 180
// Random queries over tables full of NULLs and of rows without a match: no column that is typed non-null may show one.
// Seeded. A longer run: WITNESS_SEED=7 WITNESS_QUERIES=50000 npx tsx test/compile/nullabilityWitness.test.ts

import pg from 'pg'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { loadCatalog, loadDefinitions } from '../../lib/compile/catalog.ts'
import { describeStatements } from '../../lib/compile/describe.ts'
import { analyzeColumns } from '../../lib/compile/nullability.ts'
import { Random } from '../support/random.ts'
import { freshDatabase } from '../support/server.ts'

const seed = Number(process.env.WITNESS_SEED ?? 20261122)
const queryCount = Number(process.env.WITNESS_QUERIES ?? 1500)

const schema = `
  create table a (
    id int primary key, x int, y int not null, s text, t text not null,
    check (x is null or y > 0), check (t <> 'k' or s is not null)
  );
  create table b (id int primary key, x int, y int not null, s text, t text not null);
  create table d (id int not null, x int, y int not null, s text, t text not null);
  create view v as select a.id, b.x, coalesce(a.x, 0) as y, b.s, a.t from a left join b on b.id = a.x;
  create view w as select id, max(x) as x, count(*)::int as y, max(s) as s, min(t) as t from d group by id;
  insert into a values (1, null, 1, null, 'p'), (2, 1, 2, 'q', 'k'), (3, 2, 1, 'r', 'k'), (4, 3, 3, null, 'p'), (5, 9, 3, 'z', 'k');
  insert into b values (1, null, 1, 's', 'p'), (2, 1, 2, null, 'k'), (3, 4, 1, null, 'p');
  insert into d values (1, null, 1, null, 'p'), (1, 2, 2, 'q', 'k'), (2, null, 1, null, 'k'), (7, 3, 3, 'x', 'p');
`

test('no column that is typed non-null shows a NULL', async () => {
  const database = await freshDatabase(schema)
  const client = new pg.Client({ connectionString: database.url, pipeline: true })
  await client.connect()
  const counts = { run: 0, nonNull: 0 }
  const lies: string[] = []
  try {
    await client.query("set statement_timeout = '5s'")
    const catalog = await loadCatalog(client)
    const random = new Random(seed)
    for (let made = 0; made < queryCount; made += 100) {
      const queries = Array.from({ length: 100 }, () => new QueryWriter(random).statement())
      const answers = await describeStatements(client, queries)
      await loadDefinitions(
        client,
        catalog,
        answers.map((answer) => ('error' in answer ? null : answer.tree)),
      )
      const results = await Promise.allSettled(queries.map((text) => client.query({ text, rowMode: 'array' })))
      results.forEach((result, index) => {
        const answer = answers[index]!
        // Some do not type-check, some divide what cannot be divided: what does not run shows nothing.
        if ('error' in answer || result.status === 'rejected') return
        counts.run++
        analyzeColumns({ ...answer, params: [] }, catalog).forEach(({ nullability }, column) => {
          if (nullability.nullable) return
          counts.nonNull++
          const hasNull = (result.value.rows as unknown[][]).some((row) => row[column] === null)
          if (hasNull) lies.push(`column ${column + 1} (${nullability.reason}) of ${queries[index]}`)
        })
      })
    }
  } finally {
    await client.end()
    await database.drop()
  }
  console.log(`${counts.run} queries ran; ${counts.nonNull} of their columns are non-null`)
  assert.equal(lies, [])
  assert.ok(counts.run > queryCount * 0.8 && counts.nonNull > queryCount / 4)
})

type Type = 'int' | 'text'
interface Column {
  readonly sql: string
  readonly type: Type
}
interface Source {
  readonly sql: string
  readonly columns: readonly Column[]
}
interface Written {
  readonly sql: string
  readonly types: readonly Type[]
}

const tables = ['a', 'b', 'd', 'v', 'w'] as const
const tableColumns: readonly (readonly [name: string, type: Type])[] = [
  ['id', 'int'],
  ['x', 'int'],
  ['y', 'int'],
  ['s', 'text'],
  ['t', 'text'],
]
const literals = { int: ['1', '2', 'null::int'], text: ["'a'", "'k'", 'null::text'] } as const

/** Writes one random query. `depth` bounds the nesting; `outer` are the columns of queries around. */
class QueryWriter {
  readonly #random: Random
  #aliases = 0

  constructor(random: Random) {
    this.#random = random
  }

  statement(): string {
    const { sql } = this.#query(3, [])
    return this.#random.chance(15) ? `with c as (${this.#query(2, []).sql}) select c.*, q.* from c, (${sql}) q` : sql
  }

  #query(depth: number, outer: readonly Column[]): Written {
    if (depth === 0 || !this.#random.chance(12)) return this.#select(depth, outer, null)
    const types: Type[] = ['int', 'text']
    const [left, right] = [this.#select(depth - 1, outer, types), this.#select(depth - 1, outer, types)]
    const operation = this.#random.pick(['union', 'union all', 'intersect', 'except'])
    return { sql: `${left.sql} ${operation} ${right.sql}`, types }
  }

  #select(depth: number, outer: readonly Column[], wanted: readonly Type[] | null): Written {
    const random = this.#random
    const types = wanted ?? Array.from({ length: 1 + random.below(3) }, () => random.pick<Type>(['int', 'text']))
    const from = this.#from(depth, outer)
    const columns = [...from.columns, ...outer]
    const where = random.chance(50) ? ` where ${this.#condition(columns, 2)}` : ''
    if (random.chance(30)) return { sql: this.#grouped(from, where, outer, types), types }
    const output = types.map((type) =>
      random.chance(10) ? this.#window(from, type) : this.#expression(columns, type, 2),
    )
    return { sql: `select ${random.chance(10) ? 'distinct ' : ''}${output.join(', ')} from ${from.sql}${where}`, types }
  }

  #grouped(from: Source, where: string, outer: readonly Column[], types: readonly Type[]): string {
    const random = this.#random
    const groups = [...new Set([random.pick(from.columns), random.pick(from.columns)])]
    const names = groups.map(({ sql }) => sql)
    const groupBy = random.pick([
      '',
      ` group by ${names.join(', ')}`,
      ` group by ${names.join(', ')}`,
      ` group by rollup (${names.join(', ')})`,
      ` group by grouping sets (${names.map((name) => `(${name})`).join(', ')})`,
      ` group by ${names[0]}, cube (${names.at(-1)})`,
    ])
    const grouped = groupBy === '' ? outer : [...groups, ...outer]
    const output = types.map((type) => {
      if (random.chance(50) && grouped.some((column) => column.type === type)) {
        return this.#expression(grouped, type, random.below(3))
      }
      const input = this.#expression(from.columns, type, 1)
      return type === 'int'
        ? random.pick([`count(${input})::int`, `max(${input})`, `sum(${input})::int`, `coalesce(max(${input}), 0)`])
        : random.pick([`max(${input})`, `string_agg(${input}, ',')`, `case when count(*) > 0 then min(${input}) end`])
    })
    const conditions = ['count(*) > 0', `max(${random.pick(from.columns).sql}) is not null`]
    if (grouped.length > 0) conditions.push(this.#condition(grouped, 1))
    const having = random.chance(30) ? ` having ${random.pick(conditions)}` : ''
    return `select ${output.join(', ')} from ${from.sql}${where}${groupBy}${having}`
  }

  #window(from: Source, type: Type): string {
    const random = this.#random
    const input = this.#expression(from.columns, type, 0)
    const other = random.pick(from.columns).sql
    return random.pick([
      `first_value(${input}) over (order by ${other})`,
      `lag(${input}) over ()`,
      `lag(${input}, 1, ${random.pick(literals[type])}) over ()`,
      `max(${input}) over (partition by ${other})`,
      `max(${input}) over (order by ${other} rows between 1 preceding and 1 preceding)`,
      `last_value(${input}) over (rows between current row and 1 following)`,
    ])
  }

  #from(depth: number, outer: readonly Column[]): Source {
    const random = this.#random
    if (depth === 0 || random.chance(30)) return this.#source(depth, outer)
    const left = this.#from(depth - 1, outer)
    const join = random.pick(['join', 'left join', 'left join', 'right join', 'full join', 'cross join'])
    const visible = join === 'right join' || join === 'full join' ? outer : [...outer, ...left.columns]
    const right = random.chance(50) ? this.#source(depth - 1, visible) : this.#from(depth - 1, outer)
    const columns = [...left.columns, ...right.columns]
    if (join === 'cross join') return { sql: `(${left.sql} cross join ${right.sql})`, columns }
    const equal = `${this.#expression(left.columns, 'int', 0)} = ${this.#expression(right.columns, 'int', 0)}`
    const more = random.pick(['', '', ` and ${this.#condition(columns, 1)}`])
    const on =
      join === 'full join' ? equal : random.pick([equal + more, equal + more, 'true', this.#condition(columns, 1)])
    return { sql: `(${left.sql} ${join} ${right.sql} on ${on})`, columns }
  }

  #source(depth: number, outer: readonly Column[]): Source {
    const random = this.#random
    const alias = `r${++this.#aliases}`
    const named = (types: readonly Type[]): Column[] => types.map((type, i) => ({ sql: `${alias}.c${i}`, type }))
    const kind = random.below(10)
    if (depth === 0 || kind < 5) return this.#table(alias)
    if (kind === 8)
      return { sql: `(values (1, 'a'), (null, 'b'), (3, null)) ${alias} (c0, c1)`, columns: named(['int', 'text']) }
    if (kind === 9) return { sql: `generate_series(1, 2) ${alias} (c0)`, columns: named(['int']) }
    const isLateral = outer.length > 0 && random.chance(50)
    const { sql, types } = this.#query(depth - 1, isLateral ? outer : [])
    const columns = named(types)
    const list = columns.map((_, i) => `c${i}`).join(', ')
    return { sql: `${isLateral ? 'lateral ' : ''}(${sql}) ${alias} (${list})`, columns }
  }

  #table(alias: string): Source {
    const columns = tableColumns.map(([name, type]) => ({ sql: `${alias}.${name}`, type }))
    return { sql: `${this.#random.pick(tables)} ${alias}`, columns }
  }

  #expression(columns: readonly Column[], type: Type, depth: number): string {
    const random = this.#random
    const own = columns.filter((column) => column.type === type)
    if (depth === 0 || random.chance(15)) {
      return own.length > 0 && random.chance(85) ? random.pick(own).sql : random.pick(literals[type])
    }
    const next = (of: Type = type): string => this.#expression(columns, of, depth - 1)
    const condition = (): string => this.#condition(columns, depth - 1)
    const common = [
      () => `coalesce(${next()}, ${next()})`,
      () => `case when ${condition()} then ${next()} else ${next()} end`,
      () => `case when ${condition()} then ${next()} when ${condition()} then ${next()} end`,
      () => `case ${next('int')} when ${next('int')} then ${next()} else ${next()} end`,
      () => `nullif(${next()}, ${next()})`,
      () => `greatest(${next()}, ${next()})`,
      () => `(${this.#scalar(columns, type, depth - 1)} limit 1)`,
      () => `(array[${next()}, ${next()}])[1]`,
    ]
    const ints = [
      () => `(${next()} + ${next()})`,
      () => `length(${next('text')})`,
      () => `(select count(*)::int from a z where z.id = ${next()})`,
    ]
    const texts = [
      () => `(${next()} || ${next()})`,
      () => `upper(${next()})`,
      () => `concat(${next()}, ${next('int')})`,
      () => `(${next('int')})::text`,
    ]
    return random.pick([...common, ...(type === 'int' ? ints : texts)])()
  }

  #scalar(outer: readonly Column[], type: Type, depth: number): string {
    const random = this.#random
    const { sql, columns } = this.#table(`z${++this.#aliases}`)
    const all = [...outer, ...columns]
    const own = random.pick(columns.filter((column) => column.type === type)).sql
    const output = random.pick([own, `max(${own})`, this.#expression(all, type, depth)])
    const where = random.chance(60) ? ` where ${this.#condition(all, depth)}` : ''
    const having = output.startsWith('max(') ? random.pick(['', ' having count(*) > 0', ' having true']) : ''
    return `select ${output} from ${sql}${where}${having}`
  }

  #condition(columns: readonly Column[], depth: number): string {
    const random = this.#random
    const type = random.pick<Type>(['int', 'text'])
    const next = (of: Type = type): string => this.#expression(columns, of, Math.max(0, depth - 1))
    const inner = (): string => this.#condition(columns, depth - 1)
    const simple = [
      () => `${next()} is not null`,
      () => `${next()} is null`,
      () => `${next()} = ${next()}`,
      () => `${next('int')} > 1`,
      () => `${next('text')} like 'k%'`,
      () => `${next('text')} = 'k'`,
      () => `${next()} in (${next()}, ${next()})`,
      () => `${next()} is not distinct from ${next()}`,
      () => `(${next('int')}, ${next('text')}) ${random.pick(['<', '=', '>='])} (${next('int')}, ${next('text')})`,
    ]
    if (depth <= 0) return random.pick(simple)()
    return random.pick([
      ...simple,
      () => `(${inner()} and ${inner()})`,
      () => `(${inner()} or ${inner()})`,
      () => `not (${inner()})`,
      () => `(${inner()}) is ${random.pick(['true', 'not true', 'false', 'not false', 'unknown', 'not unknown'])}`,
      () => `coalesce(${inner()}, ${random.pick(['true', 'false'])})`,
      () => `${next('int')} ${random.pick(['in', 'not in'])} (${this.#scalar(columns, 'int', depth - 1)})`,
      () => `exists (${this.#scalar(columns, 'int', depth - 1)})`,
    ])()
  }
}

test.run()
