// The inputs of a batch as a table: `unnest($1::int4[], $2::text[]) with ordinality as input(p1, p2, ordinal)`, or the same
// as a subquery. `input.p1` is the `$1` of one input.
// In: a query's parameters. Out: the table's SQL and what stands for each `$n`.

import type { AnalyzedQuery } from '../analyze.ts'
import type { Catalog, CatalogType } from '../catalog.ts'
import type { TreeNode } from '../model.ts'
import { node, text } from '../tree.ts'
import { type Word, wordsOf } from '../words.ts'
import { baseType } from './facts.ts'

export interface Inputs {
  /** With the position of each input, from 1, as `input.ordinal`. */
  readonly numbered: string
  /**
   * The same for statements that look at each input once, without and with the position: `unnest` among a subquery's
   * columns hands its rows on, where in FROM it would first store them all. An insert takes two thirds of the time.
   */
  readonly streamed: string
  readonly numberedStreamed: string
  /** What stands for an input's position. */
  readonly ordinal: string
  /** What stands for `$n`, n from 1. */
  value(param: number): string
  /** The OIDs that PostgreSQL must find for the parameters. */
  readonly typeOids: readonly number[]
}

const textArrayOid = 1009

export function inputsOf(query: AnalyzedQuery, catalog: Catalog): Inputs {
  const free = unusedIn(query.sql)
  const table = free('input')
  const ordinal = free('ordinal')
  const params = query.paramTypeOids.map((oid, index) => {
    const type = catalog.types.get(oid)
    const name = free(`p${index + 1}`)
    if (type && fitsInArray(type, catalog)) {
      const sent = sentAs(type, catalog)
      const array = [...new Set([sent, type])].map((each) => `::${typeName(each)}[]`).join('')
      return { name, array: `$${index + 1}${array}`, value: `${table}.${name}`, oid: sent.array }
    }
    const value = type ? `(${table}.${name}::${typeName(type)})` : `${table}.${name}`
    return { name, array: `$${index + 1}::text[]`, value, oid: textArrayOid }
  })
  const names = params.map((param) => param.name)
  const arrays = params.map((param) => param.array)
  const columns = params.map(({ name, array }) => `unnest(${array}) as ${name}`)
  return {
    numbered: `unnest(${arrays.join(', ')}) with ordinality as ${table}(${[...names, ordinal].join(', ')})`,
    streamed: subquery(columns, table),
    numberedStreamed: subquery([...columns, `generate_subscripts(${arrays[0]}, 1)::int8 as ${ordinal}`], table),
    ordinal: `${table}.${ordinal}`,
    value: (param) => params[param - 1]?.value ?? `$${param}`,
    typeOids: params.map((param) => param.oid),
  }
}

function subquery(columns: readonly string[], table: string): string {
  return `(select\n  ${columns.join(',\n  ')}\n) as ${table}`
}

/** Makes names that the statement does not have: it may have a table `input`, and order by its own column `ordinal`. */
function unusedIn(sql: string): (name: string) => string {
  const used = new Set(wordsOf(sql).map(({ text }) => text.replaceAll('"', '')))
  return (name) => {
    let free = name
    while (used.has(free)) free += '_'
    return free
  }
}

/**
 * Whether `unnest` of an array of the type gives back its elements. It takes arrays in arrays apart, and composites; and
 * boxes stand in arrays with another delimiter than all other types. Those travel as texts.
 */
function fitsInArray(type: CatalogType, catalog: Catalog): boolean {
  const base = baseType(type.oid, catalog)
  return type.array !== 0 && base?.element === 0 && base.kind !== 'composite' && base.name !== 'box'
}

/**
 * The type of which the texts in the array are: of a domain the one below it, because PostgreSQL names that if a text is
 * none, and so the input is found (`lib/query/batchErrors.ts`). A string is never none, and the cast to a domain of
 * varchar(n) or bit(n) would cut it off, where reading the domain refuses it.
 */
function sentAs(type: CatalogType, catalog: Catalog): CatalogType {
  const base = type.kind === 'domain' ? baseType(type.oid, catalog) : undefined
  return base && base.array !== 0 && base.category !== 'S' && base.category !== 'V' ? base : type
}

/** The type in SQL. Names in `public` stand alone, as in the author's own SQL. */
function typeName(type: CatalogType): string {
  const isArray = type.element !== 0 && type.name.startsWith('_')
  const name = identifier(isArray ? type.name.slice(1) : type.name)
  const alone = type.schema === 'pg_catalog' || type.schema === 'public'
  return `${alone ? '' : `${identifier(type.schema)}.`}${name}${isArray ? '[]' : ''}`
}

/** What a table of the statement is called in it: its alias, or its own name. */
export function nameOf(entry: TreeNode, words: readonly Word[]): string {
  const alias = node(entry, 'eref')
  const name = (alias && text(alias, 'aliasname')) ?? ''
  // In quotes as in the statement: "user" and "order" are no names without.
  const quoted = quotedIdentifier(name)
  return words.some((word) => word.kind === 'quoted-identifier' && word.text === quoted.toLowerCase())
    ? quoted
    : identifier(name)
}

/** A name in SQL. As keywords, char and bit are other types than the ones of that name: character(1), bit(1). */
export function identifier(name: string): string {
  const isPlain = /^[a-z_][a-z0-9_]*$/.test(name) && name !== 'char' && name !== 'bit'
  return isPlain ? name : quotedIdentifier(name)
}

function quotedIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}
