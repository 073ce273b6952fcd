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
  if (form.key) return byKey(inputs, rows)
  if (form.ordinal) {
    const groups = inputs.map((): Row[] => [])
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
function byKey<Row>(inputs: readonly EncodedInput<unknown>[], rows: readonly TaggedRow<Row>[]): Row[][] {
  const areNumbers = typeof rows[0]?.input === 'number'
  const found = new Map<string | number | null, Row[]>()
  for (const { row, input } of rows) {
    const key = areNumbers ? (input as number) : String(input)
    const group = found.get(key)
    if (group === undefined) found.set(key, [row])
    else group.push(row)
  }
  return inputs.map(({ cells: [cell = null] }) => {
    const group = found.get(areNumbers && cell !== null ? Number(cell) : cellText(cell)) ?? []
    // Equal inputs of a SELECT … FOR UPDATE have an array each.
    return group.slice()
  })
}
