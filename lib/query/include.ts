// Relationships: rows in, the same rows with what belongs to them out; one round trip per relationship.
// A relationship is a typed function and how its parameters come from a row: in SQL, it is a query like any other.

import type { Executor } from './executor.ts'
import type { QueryFunction } from './kinds.ts'

/** What belongs to each of some rows, and how it is loaded. Made by `relation`. */
export interface Relation<Row, Result> {
  /** One result per row, in the order of the rows. */
  readonly load: (executor: Executor, rows: readonly Row[]) => Promise<Result[]>
}

export type Relations<Row> = Readonly<Record<string, Relation<Row, unknown>>>

/** A row with its relationships: `User & { posts: Post[] }`, written out. */
export type Included<Row, R extends Relations<never>> = {
  [Key in keyof Row | keyof R]: Key extends keyof R ? ResultOf<R[Key]> : Key extends keyof Row ? Row[Key] : never
} & {} // Editors then show the properties instead of this type's name.

type ResultOf<R> = R extends Relation<never, infer Result> ? Result : never

/** The row inside of a result: of an array, or beside null. */
type RowOf<Result> = NonNullable<Result extends readonly (infer Row)[] ? Row : Result>

/** A result whose rows have relationships of their own. */
type Nested<Result, R extends Relations<never>> = Result extends readonly (infer Row)[]
  ? NestedRow<Row, R>[]
  : NestedRow<Result, R>

type NestedRow<Row, R extends Relations<never>> = Row extends null ? null : Included<Row, R>

/**
 * Loads what belongs to rows: their posts, their author, their tags. One round trip per relationship, however many rows
 * there are; relationships side by side run concurrently.
 *
 *     const page = await include(db, await listUsers(db, { limit: 20 }), {
 *       posts: relation(listPostsByAuthor, (user) => ({ authorId: user.id })),
 *     })
 *
 * @returns the rows, in their order, each with a property per relationship; the given rows stay as they are
 * @throws as `batch`: a missing row of a `:one` is a NoRowsError, and its `input.params` say which key found none
 */
export async function include<Row extends object, R extends Relations<Row>>(
  executor: Executor,
  rows: readonly Row[],
  relations: R,
  // What the caller expects must not be taken for what the relations are.
): Promise<Included<NoInfer<Row>, NoInfer<R>>[]> {
  const loaded = await Promise.all(
    Object.entries(relations).map(async ([name, { load }]) => ({ name, results: await load(executor, rows) })),
  )
  return rows.map((row, index) => {
    const included = copyOf(row)
    for (const { name, results } of loaded) included[name] = results[index]
    return included as Included<Row, R>
  })
}

/** Not `{ ...row }`: to add a property to such a copy takes V8 ten times as long, and four times the memory. */
function copyOf(row: object): Record<string, unknown> {
  return Object.hasOwn(row, '__proto__') ? { ...row } : Object.assign({} as Record<string, unknown>, row)
}

/**
 * A relationship. Its result is that of the function: an array for `:many`, `T | null` for `:opt`, `T` for `:one`, the
 * value for `:value`.
 *
 * @param query a typed function; rows share what it finds for equal parameters
 * @param params the function's parameters for a row
 * @param nested relationships of the rows that it finds
 */
export function relation<Row, Params, Found, Result>(
  query: QueryFunction<Params, Found, Result>,
  params: (row: Row) => Params,
): Relation<Row, Result>
export function relation<Row, Params, Found extends object | null, Result, R extends Relations<RowOf<Result>>>(
  query: QueryFunction<Params, Found, Result>,
  params: (row: Row) => Params,
  nested: R,
): Relation<Row, Nested<Result, R>>
export function relation<Row, Params>(
  query: QueryFunction<Params, unknown, unknown>,
  params: (row: Row) => Params,
  nested?: Relations<object>,
): Relation<Row, unknown> {
  return {
    async load(executor, rows) {
      const results = await query.batch(executor, rows.map(params))
      return nested === undefined ? results : withNested(executor, results, nested)
    },
  }
}

/** Rows that several results share are looked at once. */
async function withNested(executor: Executor, results: unknown[], nested: Relations<object>): Promise<unknown[]> {
  const rows = [...new Set(results.flat())].filter((row) => row !== null) as object[]
  const included = await include(executor, rows, nested)
  const byRow = new Map<unknown, unknown>([[null, null], ...rows.map((row, at) => [row, included[at]] as const)])
  return results.map((result) => (Array.isArray(result) ? result.map((row) => byRow.get(row)) : byRow.get(result)))
}
