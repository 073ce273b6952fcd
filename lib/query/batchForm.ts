// The batch form of a query as a query of its own, for some of its inputs. Its statement is the same for all inputs: it
// takes an array per parameter. Its result is what came back for each of them.

import { PlainsqlError } from '../errors.ts'
import { type Cell, cellArray, cellText } from './cells.ts'
import type { BatchSource, Query } from './executor.ts'

/** An input on its way. */
export interface EncodedInput<Params> {
  readonly params: Params
  /** Its place among the inputs. */
  readonly index: number
  /** Its parameters, in order. */
  readonly cells: readonly Cell[]
}

/** The rows of each input, by its place, if the query returns rows; and how many rows were affected in all. */
export interface Answer<Row> {
  readonly groups: Row[][]
  affected: number
}

/** A row, and what its form says of the input that it belongs to. */
interface TaggedRow<Row> {
  readonly row: Row
  readonly input: string | number | bigint
}

export function batchForm<Params, Row>(
  query: Query<Params, Row, unknown>,
  form: BatchSource,
  inputs: readonly EncodedInput<Params>[],
): Query<readonly Params[], TaggedRow<Row>, Answer<Row>> {
  const { name, source, kind, params = [], read } = query
  const tag = form.key ?? form.ordinal
  const columns = form.columns ?? query.columns
  return {
    name,
    source,
    kind,
    params,
    statement: form.statement,
    sql: form.sql,
    ...(query.readOnly && { readOnly: true }),
    write(w) {
      for (let number = 0; number < params.length; number++) {
        const column = new Array<Cell>(inputs.length)
        for (let at = 0; at < inputs.length; at++) column[at] = inputs[at]?.cells[number] ?? null
        w.value(column, cellArray)
      }
    },
    ...(columns && { columns }),
    ...(read && { read: (r) => ({ row: read(r), input: tag?.(r) ?? '' }) }),
    finish: (rows, affected) => ({ groups: read ? grouped(query.name, form, inputs, rows) : [], affected }),
    single: query as unknown as Query<never, never, unknown>,
  }
}

function grouped<Row>(
  name: string,
  form: BatchSource,
  inputs: readonly EncodedInput<unknown>[],
  rows: readonly TaggedRow<Row>[],
): Row[][] {
  const groups = inputs.map((): Row[] => [])
  if (form.key) return byKey(inputs, groups, rows)
  if (form.ordinal) {
    for (const { row, input } of rows) groups[Number(input) - 1]?.push(row)
    return groups
  }
  if (rows.length !== inputs.length) {
    throw new PlainsqlError(
      `${rows.length} rows came back for ${inputs.length} inputs of ${name}: is there a new trigger?`,
    )
  }
  return rows.map(({ row }) => [row])
}

/** Rows go to the inputs with their key. Numbers stay numbers: ten thousand of them are no texts to make and compare. */
function byKey<Row>(
  inputs: readonly EncodedInput<unknown>[],
  groups: Row[][],
  rows: readonly TaggedRow<Row>[],
): Row[][] {
  const areNumbers = typeof rows[0]?.input === 'number'
  const keyOf = ({ cells: [cell = null] }: EncodedInput<unknown>): string | number | null =>
    areNumbers && cell !== null ? Number(cell) : cellText(cell)
  const found = new Map<string | number | null, Row[]>()
  inputs.forEach((input, at) => {
    const key = keyOf(input)
    if (!found.has(key)) found.set(key, groups[at] ?? [])
  })
  for (const { row, input } of rows) found.get(areNumbers ? (input as number) : String(input))?.push(row)
  if (found.size === inputs.length) return groups
  // Inputs that do not look alike have one key: 5 and 5n.
  return inputs.map((input, at) => {
    const own = found.get(keyOf(input)) ?? []
    return own === groups[at] ? own : [...own]
  })
}
