// Schemas and statements that a form for many inputs might get wrong, at random: names of the forms' own, types whose equal
// values look different, triggers, rules, defaults that read the table, parameters in odd places.
// In: a seed. Out: DDL with rows, and statements in the .sql convention. Not each of them is valid: PostgreSQL decides.

import type { Random } from '../random.ts'
import { type Column, makeTables, preamble, shuffled, type Table } from './tables.ts'
import { arrays, int4, int8, type Type, text, types } from './types.ts'

export interface HostileStatement {
  readonly sql: string
  readonly kind: 'many' | 'exec'
  readonly params: readonly Type[]
  /** Whether its rows have but one order. */
  readonly ordered: boolean
}

export interface Hostile {
  readonly schema: string
  readonly statements: readonly HostileStatement[]
}
export function hostile(random: Random, count: number): Hostile {
  const made = makeTables(random)
  const tables = made.map(({ table }) => table)
  return {
    schema: preamble + made.map(({ ddl }) => ddl).join('\n'),
    statements: Array.from({ length: count }, () => new Maker(random, tables).statement()),
  }
}

/** A table in FROM: what it is called there. */
interface Source {
  readonly table: Table
  readonly as: string
}

class Maker {
  readonly #random: Random
  readonly #tables: readonly Table[]
  readonly #params: Type[] = []

  constructor(random: Random, tables: readonly Table[]) {
    this.#random = random
    this.#tables = tables
  }

  statement(): HostileStatement {
    const kind = this.#random.below(10)
    const made = kind < 4 ? this.#select() : kind < 7 ? this.#insert() : kind < 9 ? this.#update() : this.#delete()
    const returnsRows = kind < 4 || /\breturning\b(?!")/.test(made.sql)
    // Some were made for a part that was dropped.
    const used = [...new Set([...made.sql.matchAll(/:a(\d+)/g)].map(([, number]) => Number(number)))]
    return {
      sql: made.sql.replace(/:a(\d+)/g, (_, number) => `:a${used.indexOf(Number(number)) + 1}`),
      kind: returnsRows ? 'many' : 'exec',
      params: used.map((number) => this.#params[number - 1] as Type),
      ordered: made.ordered,
    }
  }

  #pick<T>(items: readonly T[]): T {
    return this.#random.pick(items)
  }

  #chance(percent: number): boolean {
    return this.#random.chance(percent)
  }

  /** A parameter, as it stands or with a cast. */
  #param(type: Type, cast: boolean = this.#chance(25)): string {
    const same = this.#params.flatMap((known, number) => (known === type ? [number] : []))
    const number = same.length > 0 && this.#chance(30) ? this.#pick(same) : this.#params.push(type) - 1
    return `:a${number + 1}${cast ? `::${type.sql.replace(/ collate .*/, '')}` : ''}`
  }

  /** A value of the type. */
  #value(type: Type, sources: readonly Source[], depth = 0): string {
    const columns = columnsOf(sources).filter((column) => column.type === type)
    const options: (() => string)[] = [() => this.#param(type), () => this.#param(type), () => this.#param(type, true)]
    if (columns.length > 0) options.push(() => this.#pick(columns).sql)
    if (depth < 2) {
      options.push(() => `coalesce(${this.#value(type, sources, depth + 1)}, ${this.#param(type, true)})`)
      options.push(
        () =>
          `case when ${this.#condition(sources, depth + 1)} then ${this.#value(type, sources, depth + 1)} else ${this.#param(type, true)} end`,
      )
      if (type.text && type.exact)
        options.push(
          () => `upper(${this.#value(type, sources, depth + 1)})`,
          () => `${this.#param(type, true)} || ${this.#value(type, sources, depth + 1)}`,
        )
      if (type === int4)
        options.push(
          () => `${this.#value(int4, sources, depth + 1)} + ${this.#param(int4)}`,
          () => `tallied(${this.#param(int4)})`,
          () => `twice(${this.#param(int4)})`,
        )
      options.push(() => {
        const { source, from } = this.#source()
        const own = source.table.columns.filter((column) => column.type === type)
        const target = own.length > 0 ? `${source.as}.${this.#pick(own).name}` : this.#param(type, true)
        return `(select ${target} from ${from} where ${this.#condition([source, ...sources], depth + 1)} order by ${source.as}.${source.table.key.name}${own.length > 0 ? `, ${target}` : ''} limit 1)`
      })
      if (type === int8)
        options.push(() => `(select count(${this.#param(int4, true)}) from ${this.#pick(this.#tables).name})`)
      options.push(() => `(select ${this.#param(type, true)})`)
    }
    return this.#pick(options)()
  }

  #source(as?: string): { source: Source; from: string } {
    const table = this.#pick(this.#tables)
    const alias = as ?? this.#pick([table.name, 't', 'input', 'x', '"one"', 'p1', table.name, '"T"'])
    return {
      source: { table, as: alias },
      from: alias === table.name ? table.name : `${table.name} ${this.#pick(['', 'as '])}${alias}`,
    }
  }

  #condition(sources: readonly Source[], depth = 0): string {
    if (sources.length === 0) return `${this.#param(int4, true)} >= ${this.#param(int4)}`
    const column = this.#pick(columnsOf(sources))
    const { type, sql } = column
    const options: (() => string)[] = [
      () => `${sql} = ${this.#param(type)}`,
      () => `${sql} = ${this.#param(type)}`,
      () => `${sql} = ${this.#param(type)}`,
      () => `${this.#param(type)} = ${sql}`,
      () => `${sql} is not distinct from ${this.#param(type)}`,
      () => `(${this.#param(type, true)} is null or ${sql} = ${this.#param(type)})`,
      () => `${sql} in (${this.#param(type)}, ${this.#param(type)})`,
    ]
    if (!type.noOrder) {
      options.push(
        () => `${sql} >= ${this.#param(type)}`,
        () => `${sql} <> ${this.#param(type)}`,
        () => `${sql} between ${this.#param(type)} and ${this.#param(type)}`,
      )
    }
    const array = arrays.get(type)
    if (array)
      options.push(
        () => `${sql} = any(${this.#param(array)})`,
        () => `${sql} <> all(${this.#param(array, true)})`,
      )
    if (type.text)
      options.push(
        () => `${sql} like ${this.#param(type)}`,
        () => `${sql} like '%' || ${this.#param(text, true)} || '%'`,
      )
    if (depth < 2) {
      options.push(() => `${this.#condition(sources, depth + 1)} and ${this.#condition(sources, depth + 1)}`)
      options.push(() => `(${this.#condition(sources, depth + 1)} or ${this.#condition(sources, depth + 1)})`)
      options.push(() => `not ${this.#condition(sources, 2)}`)
      options.push(() => {
        const { source, from } = this.#source()
        return `${this.#pick(['exists', 'not exists'])} (select from ${from} where ${this.#condition([source, ...sources], depth + 1)})`
      })
      options.push(() => {
        const { source, from } = this.#source()
        const own = source.table.columns.find((candidate) => candidate.type === type)
        return own
          ? `${sql} in (select ${source.as}.${own.name} from ${from} where ${this.#condition([source], depth + 1)})`
          : `${sql} = ${this.#param(type)}`
      })
    }
    return this.#pick(options)()
  }

  #select(): { sql: string; ordered: boolean } {
    const first = this.#source(this.#chance(50) ? undefined : 't')
    const sources = [first.source]
    let from = first.from
    const join = this.#random.below(10)
    if (join < 4) {
      const second = this.#source(this.#pick(['u', 'input', '"U"']))
      if (second.source.as !== first.source.as) {
        const how = this.#pick([
          'join',
          'left join',
          'right join',
          'full join',
          'cross join',
          'natural join',
          ',',
          ', lateral',
          'left join lateral',
          'using',
        ])
        const both = [...sources, second.source]
        if (how === 'cross join' || how === ',' || how === 'natural join')
          from += `${how === ',' ? ',' : ` ${how}`} ${second.from}`
        else if (how === 'using') {
          const shared = second.source.table.columns.find(({ name }) =>
            first.source.table.columns.some((column) => column.name === name),
          )
          from += shared ? ` ${this.#pick(['', 'left ', 'full '])}join ${second.from} using (${shared.name})` : ''
          if (!shared) both.pop()
        } else if (how.includes('lateral')) {
          from += `${how.startsWith(',') ? '' : ' '}${how} (select * from ${second.source.table.name} y where ${this.#condition([{ table: second.source.table, as: 'y' }, ...sources], 1)}) ${second.source.as}${how.startsWith(',') ? '' : ' on true'}`
        } else
          from += ` ${how} ${second.from} on ${this.#chance(50) ? this.#condition(both, 1) : this.#condition([second.source], 1)}`
        sources.splice(0, sources.length, ...both)
      }
    } else if (join === 4) {
      from = `(select * from ${first.source.table.name} where ${this.#condition([{ table: first.source.table, as: first.source.table.name }], 1)}) ${first.source.as}`
    }
    const where = this.#chance(92) ? ` where ${this.#condition(sources)}` : ''
    const shape = this.#random.below(20)
    const columns = columnsOf(sources)
    const exact = columns.filter(({ type }) => type.exact)
    // An order that leaves nothing open, in values that look as they are compared.
    const order = sources
      .flatMap(({ table, as }) => table.columns.map(({ name }) => `${as}.${name}::text collate "C"`))
      .join(', ')
    if (shape === 0 && exact.length > 0) {
      const group = this.#pick(exact).sql
      const having = this.#chance(40) ? ` having count(*) >= ${this.#param(int8)}` : ''
      return {
        sql: `select ${group} as g, count(*) as n, min(${this.#param(int4, true)}) as m from ${from}${where} group by ${group}${having} order by 1`,
        ordered: true,
      }
    }
    if (shape === 1)
      return { sql: `select count(*) as n, ${this.#value(int4, [])} as v from ${from}${where}`, ordered: true }
    if (shape === 2 && exact.length > 0)
      return {
        sql: `select distinct ${this.#pick(exact).sql} as d, ${this.#value(int4, [])} as v from ${from}${where} order by 1`,
        ordered: true,
      }
    if (shape === 3) {
      const other = this.#source('z')
      const value = this.#pick([int4, text])
      return {
        sql: `select ${this.#value(value, sources, 1)} as v from ${from}${where} ${this.#pick(['union', 'union all', 'except', 'intersect all'])} select ${this.#value(value, [other.source], 1)} from ${other.from} order by 1`,
        ordered: true,
      }
    }
    if (shape === 4)
      return {
        sql: `select ${this.#pick(columns).sql} as c, rank() over (order by ${order}) as r from ${from}${where} order by ${order}`,
        ordered: true,
      }
    if (shape === 5) {
      const list = this.#pick(exact.length > 0 ? exact : columns).sql
      return {
        sql: `with w as (select * from ${first.source.table.name} where ${this.#condition([{ table: first.source.table, as: first.source.table.name }], 1)}) select w.* from w where ${this.#condition([{ table: first.source.table, as: 'w' }])}`,
        ordered: list === '',
      }
    }
    const { name: own } = first.source.table
    const key = first.source.table.key.name
    if (shape === 7) {
      const count = `${this.#pick(['limit', 'offset'])} ${this.#param(int8)}`
      return {
        sql: `select s.*, ${this.#value(int4, [])} as v from (select * from ${own} order by ${key}, ${order
          .replaceAll(`${first.source.as}.`, `${own}.`)
          .split(', ')
          .filter((item) => item.startsWith(`${own}.`))
          .join(', ')} ${count}) as s where ${this.#condition([{ table: first.source.table, as: 's' }], 1)}`,
        ordered: false,
      }
    }
    if (shape === 8)
      return {
        sql: `with recursive r (n) as (select ${this.#param(int4, true)} union all select r.n + 1 from r where r.n < ${this.#param(int4)} % 5) select r.n, ${this.#value(text, [])} as v from r order by 1`,
        ordered: true,
      }
    if (shape === 9)
      return {
        sql: `select ${this.#value(text, [], 1)} as a, generate_series(1, ${this.#param(int4)} % 4) as g, ${this.#param(int4, true)} as b${this.#chance(50) ? ` from ${from}${where}` : ''}`,
        ordered: false,
      }
    if (shape === 10)
      return {
        sql: `select u.x, t.* from unnest(${this.#param(arrays.get(text)!, true)}) as u (x), ${own} as t where ${this.#condition([{ table: first.source.table, as: 't' }], 1)}`,
        ordered: false,
      }
    if (shape === 11 && exact.length > 0)
      return {
        sql: `select distinct on (${exact[0]!.sql}) ${exact[0]!.sql} as d, ${this.#value(int4, sources, 1)} as v from ${from}${where} order by ${exact[0]!.sql}, ${order}`,
        ordered: true,
      }
    if (shape === 12)
      return {
        sql: `select count(*) over (order by ${order} rows between ${this.#param(int8)} preceding and current row) as w, ${this.#param(text, true)} as p from ${from}${where} order by ${order}`,
        ordered: true,
      }
    if (shape === 13 && exact.length > 1)
      return {
        sql: `select ${exact[0]!.sql} as a, ${exact[1]!.sql} as b, count(*) filter (where ${this.#condition(sources, 1)}) as n from ${from}${where} group by ${this.#pick(['rollup', 'cube'])} (${exact[0]!.sql}, ${exact[1]!.sql}) order by 1, 2, 3`,
        ordered: true,
      }
    if (shape === 14)
      return {
        sql: `SELECT /* from :x */ ${this.#selectList(sources)} -- where "\nFROM ${from}${where.replace(' where', ' WHERE')}\n-- limit 1`,
        ordered: false,
      }
    if (shape === 6)
      return {
        sql: `select v.* from (values (${this.#value(int4, [])}, ${this.#value(text, [])})) as v (input, p1) where v.input >= ${this.#param(int4)}`,
        ordered: false,
      }
    const list = this.#selectList(sources)
    const limit = this.#chance(25)
      ? ` limit ${this.#param(int8)}${this.#chance(30) ? ` offset ${this.#param(int8)}` : ''}`
      : ''
    const isOrdered = limit !== '' || this.#chance(40)
    const first_ = this.#chance(15) && isOrdered ? `${this.#value(int4, sources, 1)}, ` : ''
    const lock = this.#chance(10) ? ` for ${this.#pick(['update', 'share', 'no key update'])}` : ''
    return {
      sql: `select ${list} from ${from}${where}${isOrdered ? ` order by ${first_}${order}` : ''}${limit}${lock}`,
      ordered: isOrdered,
    }
  }

  #selectList(sources: readonly Source[]): string {
    if (this.#chance(20)) return '*'
    const columns = columnsOf(sources)
    return Array.from({ length: 1 + this.#random.below(3) }, (_, number) => {
      const kind = this.#random.below(8)
      if (kind === 0) return `${this.#pick(sources).as}.*`
      if (kind === 1) return `${this.#value(this.#pick([int4, text, this.#pick(types)]), sources)} as e${number}`
      const { sql, name } = this.#pick(columns)
      return this.#chance(30) && sources.length === 1
        ? name
        : this.#chance(20)
          ? `${sql} as ${this.#pick(['ordinal', 'input', 'p1', '"from"'])}`
          : sql
    }).join(', ')
  }

  #insert(): { sql: string; ordered: boolean } {
    const { table } = this.#source().source
    const alias = this.#chance(20) ? ` as ${this.#pick(['t', 'input', 'x'])}` : ''
    const as = alias === '' ? table.name : alias.slice(4)
    const columns = shuffled(
      this.#random,
      table.columns.filter(({ generated }) => !generated || this.#chance(5)),
    ).slice(0, 1 + this.#random.below(4))
    if (!columns.includes(table.key) && this.#chance(90)) columns.unshift(table.key)
    const values = columns.map((column) => this.#inserted(column))
    const overriding = this.#chance(20) ? this.#pick([' overriding system value', ' overriding user value']) : ''
    const own: Source = { table, as }
    let conflict = ''
    if (this.#chance(45)) {
      const arbiter = this.#pick([...table.arbiters, ''])
      if (this.#chance(30) || arbiter === '') conflict = ` on conflict ${arbiter} do nothing`
      else {
        const changed = shuffled(this.#random, table.columns).slice(0, 1 + this.#random.below(2))
        const sets = changed.map(
          (column) =>
            `${column.name} = ${this.#pick([() => `excluded.${column.name}`, () => this.#value(column.type, [own], 1), () => this.#param(column.type), () => `${as}.${column.name}`])()}`,
        )
        conflict = ` on conflict ${arbiter} do update set ${sets.join(', ')}${this.#chance(15) ? ` where ${this.#condition([own], 1)}` : ''}`
      }
    }
    const cte = this.#chance(6) ? `with w as (select nextval('seq') as v, ${this.#value(int4, [])} as i) ` : ''
    return {
      sql: `${cte}insert into ${table.name}${alias} (${columns.map(({ name }) => name).join(', ')})${overriding} values (${values.join(', ')})${conflict}${this.#returning(own)}`,
      ordered: true,
    }
  }

  #inserted(column: Column): string {
    const kind = this.#random.below(20)
    if (kind === 0) return 'default'
    if (kind === 1 && column.type.number)
      return this.#pick([
        "nextval('seq')",
        "(select nextval('seq'))",
        "currval('seq')",
        'bump(3)',
        '(select bump(3))',
        'tallied(1)',
        '(select tallied(1))',
        '(select n from tally where id = 1)',
      ])
    if (kind < 6) return this.#value(column.type, [])
    return this.#param(column.type)
  }

  #update(): { sql: string; ordered: boolean } {
    const { source, from } = this.#source()
    const columns = shuffled(
      this.#random,
      source.table.columns.filter(({ generated }) => !generated),
    ).slice(0, 1 + this.#random.below(2))
    const other = this.#chance(25) ? this.#source('z') : null
    const sources = other ? [source, other.source] : [source]
    const sets = columns.map((column) => {
      const value = this.#pick([
        () => this.#param(column.type),
        () => this.#value(column.type, sources, 1),
        () => 'default',
        () =>
          column.type.number
            ? this.#pick([
                "nextval('seq')",
                "(select nextval('seq'))",
                `${source.as}.${column.name} + 1`,
                'tallied(1)',
                'bump(1)',
              ])
            : this.#param(column.type),
      ])()
      return `${column.name} = ${value}`
    })
    const [one, two] = columns
    if (one && two && this.#chance(20)) {
      sets.splice(
        0,
        2,
        `(${one.name}, ${two.name}) = ${this.#pick(['(', 'row (', '(select '])}${this.#value(one.type, sources, 1)}, ${this.#value(two.type, sources, 1)})`,
      )
    }
    const key = this.#chance(75)
      ? `${source.as}.${this.#pick([source.table.key, source.table.key, this.#pick(source.table.columns)]).name} = `
      : ''
    const keyed = source.table.columns.find(({ name }) => key === `${source.as}.${name} = `)
    const where = keyed
      ? `${key}${this.#param(keyed.type)}${this.#chance(25) ? ` and ${this.#condition(sources, 1)}` : ''}`
      : this.#condition(sources)
    const extra = other
      ? ` from ${other.from}${this.#chance(20) ? `, (select ${this.#pick(["nextval('seq')", 'tallied(2)'])} as v) as s` : ''}`
      : ''
    return {
      sql: `update ${this.#chance(10) ? 'only ' : ''}${from} set ${sets.join(', ')}${extra} where ${where}${this.#returning(source)}`,
      ordered: false,
    }
  }

  #delete(): { sql: string; ordered: boolean } {
    const { source, from } = this.#source()
    const other = this.#chance(25) ? this.#source('z') : null
    const sources = other ? [source, other.source] : [source]
    const key = this.#chance(60)
      ? `${source.as}.${source.table.key.name} = ${this.#param(source.table.key.type)} and `
      : ''
    return {
      sql: `delete from ${from}${other ? ` using ${other.from}` : ''} where ${key}${this.#condition(sources, 1)}${this.#returning(source)}`,
      ordered: false,
    }
  }

  #returning(source: Source): string {
    if (this.#chance(50)) return ''
    const items = [
      () => '*',
      () => `${source.as}.*`,
      () => this.#pick(source.table.columns).name,
      () => `${source.as}.${this.#pick(source.table.columns).name}`,
      () => `${this.#param(this.#pick([int4, text]), true)} as given`,
      () => `${this.#value(this.#pick([int4, text]), [source], 1)} as made`,
      () => `old.${this.#pick(source.table.columns).name} as was`,
    ]
    return ` returning ${Array.from({ length: 1 + this.#random.below(2) }, () => this.#pick(items)()).join(', ')}`
  }
}

function columnsOf(sources: readonly Source[]): { sql: string; name: string; type: Type }[] {
  return sources.flatMap(({ table, as }) =>
    table.columns.map(({ name, type }) => ({ sql: `${as}.${name}`, name, type })),
  )
}
