// Runs a query for many inputs: in one statement per chunk if the generator found a form for it, else one by one.
// In: an executor, a query and its inputs. Out: one result per input, in their order.

import { PlainsqlError, QueryError } from '../errors.ts'
import { locateInput } from './batchErrors.ts'
import type { BatchSource, Executor, Query, QuerySource } from './executor.ts'
import { quote } from './scanner.ts'
import { paramsEncoder, type TextValue } from './text.ts'

/**
 * What one statement takes at most. More inputs per statement gain nothing, as `bench/` shows, and hold more memory.
 * The text counts too, because a message of the protocol ends at 1 GB.
 */
const limits = { inputs: 10_000, characters: 16_000_000, concurrent: 4 }

/**
 * Runs a query for many inputs.
 *
 * Reads: equal inputs are asked once; chunks run concurrently, four at a time. Writes: one after the other, all or
 * nothing. One round trip per chunk of 10,000 inputs; none for no inputs.
 * @returns one result per input, in their order; equal inputs of a read share their rows
 * @throws what `execute` throws; where the input is known that it is about, `error.input` says which
 */
export async function runBatch<Params, Row, Result>(
  executor: Executor,
  query: Query<Params, Row, Result>,
  inputs: readonly Params[],
): Promise<Result[]> {
  const { groups } = await ask(executor, query, encodeInputs(query, inputs))
  return inputs.map((params, index) => {
    const rows = groups[index] ?? []
    return aboutInput({ params, index }, () => query.finish(rows, rows.length))
  })
}

/** Runs an `:exec` query for many inputs, all or nothing. @returns the number of all affected rows */
export async function runBulk<Params>(
  executor: Executor,
  query: Query<Params, never, number>,
  inputs: readonly Params[],
): Promise<number> {
  return (await ask(executor, query, encodeInputs(query, inputs))).affected
}

/**
 * Runs what `query.single` is the batch form of, once for each input: for executors that cannot run the form's SQL.
 * @throws what `execute` throws
 */
export async function runEach<Params, Result>(
  executor: Pick<Executor, 'execute'>,
  query: Query<Params, unknown, Result>,
  params: Params,
): Promise<Result> {
  const single = query.single as Query<unknown, never, unknown>
  const groups: unknown[][] = []
  let affected = 0
  for (const input of params as readonly unknown[]) {
    const answer = await executor.execute(withRows(single), input)
    groups.push(answer.rows)
    affected += answer.affected
  }
  return { groups, affected } as Result
}

/** An input on its way. */
export interface EncodedInput<Params> {
  readonly params: Params
  /** Its place among the inputs. */
  readonly index: number
  /** PostgreSQL's texts of its parameters. */
  readonly texts: readonly TextValue[]
  /** The same for equal inputs. */
  readonly key: string
}

/** The rows of each input, by its place, and how many rows were affected in all. */
interface Answer<Row> {
  readonly groups: Row[][]
  readonly affected: number
}

/** Encodes inputs of a query. It throws ParameterError. */
export function inputEncoder<Params>(
  query: QuerySource<Params, unknown>,
): (params: Params, index: number) => EncodedInput<Params> {
  const encode = paramsEncoder(query)
  return (params, index) => {
    const texts = encode(params)
    const [only] = texts
    // No text of PostgreSQL's holds a NUL.
    const key = typeof only === 'string' && texts.length === 1 ? only : `\0${JSON.stringify(texts)}`
    return { params, index, texts, key }
  }
}

/** @throws ParameterError naming the input */
function encodeInputs<Params>(query: QuerySource<Params, unknown>, inputs: readonly Params[]): EncodedInput<Params>[] {
  const encode = inputEncoder(query)
  return inputs.map((params, index) => aboutInput({ params, index }, () => encode(params, index)))
}

/** The answers stand at the inputs' `index`. */
export async function ask<Params, Row>(
  executor: Executor,
  query: Query<Params, Row, unknown>,
  inputs: readonly EncodedInput<Params>[],
): Promise<Answer<Row>> {
  const groups: Row[][] = []
  let affected = 0
  const run = async (on: Executor, chunk: readonly EncodedInput<Params>[]): Promise<void> => {
    const answer = await askChunk(on, query, chunk)
    chunk.forEach(({ index }, at) => {
      groups[index] = answer.groups[at] ?? []
    })
    affected += answer.affected
  }

  if (!query.readOnly) {
    const chunks = rounds(inputs, query.batch?.apart).flatMap(chunked)
    const runAll = async (on: Executor): Promise<void> => {
      for (const chunk of chunks) await run(on, chunk)
    }
    // A single statement is all or nothing by itself; inputs without a form are many.
    const several = chunks.length > 1 || (query.batch === undefined && inputs.length > 1)
    await (several && executor.unitOfWork ? executor.unitOfWork(runAll) : runAll(executor))
    return { groups, affected }
  }

  const firsts = new Map<string, EncodedInput<Params>>()
  for (const input of inputs) if (!firsts.has(input.key)) firsts.set(input.key, input)
  const chunks = chunked([...firsts.values()])
  const worker = async (): Promise<void> => {
    for (let chunk = chunks.shift(); chunk !== undefined; chunk = chunks.shift()) await run(executor, chunk)
  }
  await Promise.all(Array.from({ length: Math.min(limits.concurrent, chunks.length) }, worker))
  for (const { index, key } of inputs) groups[index] ??= [...(groups[firsts.get(key)?.index ?? index] ?? [])]
  return { groups, affected }
}

async function askChunk<Params, Row>(
  executor: Executor,
  query: Query<Params, Row, unknown>,
  chunk: readonly EncodedInput<Params>[],
): Promise<Answer<Row>> {
  if (query.batch === undefined || chunk.length === 1) {
    const answers = await Promise.all(chunk.map(({ params }) => executor.execute(withRows(query), params)))
    return {
      groups: answers.map((answer) => answer.rows),
      affected: answers.reduce((sum, answer) => sum + answer.affected, 0),
    }
  }
  try {
    const inputs = chunk.map((input) => input.params)
    return await executor.execute(batchForm(query, query.batch, chunk), inputs)
  } catch (error) {
    const input = error instanceof QueryError ? locateInput(error, chunk) : null
    throw input === null ? error : (error as QueryError).at(input.index, input.params)
  }
}

/** The batch form as a query of its own. It is for these inputs alone; the statement is the same for all. */
function batchForm<Params, Row>(
  query: Query<Params, Row, unknown>,
  form: BatchSource,
  chunk: readonly EncodedInput<Params>[],
): Query<readonly Params[], { row: Row; input: string | number | bigint }, Answer<Row>> {
  const { name, source, kind, params = [], read } = query
  const tag = form.key ?? form.ordinal
  return {
    name,
    source,
    kind,
    params,
    statement: form.statement,
    sql: form.sql,
    write(w) {
      for (const number of params.keys()) w.text(textArray(chunk, number))
    },
    ...(read && { read: (r) => ({ row: read(r), input: tag?.(r) ?? '' }) }),
    ...(query.readOnly && { readOnly: true }),
    finish: (rows, affected) => ({ groups: grouped(query, form, chunk, rows), affected }),
    single: query as unknown as Query<never, never, unknown>,
  }
}

function grouped<Row>(
  query: Query<never, Row, unknown>,
  form: BatchSource,
  chunk: readonly EncodedInput<unknown>[],
  rows: readonly { row: Row; input: string | number | bigint }[],
): Row[][] {
  const groups = chunk.map((): Row[] => [])
  if (form.key) {
    const byKey = new Map(chunk.map(({ texts }, at) => [texts[0], groups[at] ?? []]))
    for (const { row, input } of rows) byKey.get(String(input))?.push(row)
    return chunk.map(({ texts }) => byKey.get(texts[0] ?? null) ?? [])
  }
  if (form.ordinal) {
    for (const { row, input } of rows) groups[Number(input) - 1]?.push(row)
  } else if (query.read) {
    if (rows.length !== chunk.length) {
      throw new PlainsqlError(`${rows.length} rows came back for ${chunk.length} inputs of ${query.name}`)
    }
    rows.forEach(({ row }, at) => {
      groups[at]?.push(row)
    })
  }
  return groups
}

function withRows<Params, Row>(
  query: Query<Params, Row, unknown>,
): Query<Params, Row, { rows: Row[]; affected: number }> {
  return { ...query, finish: (rows, affected) => ({ rows, affected }) }
}

/** Inputs that agree in all parameters of `apart` come into different rounds, the first one's first. */
function rounds<Params>(
  inputs: readonly EncodedInput<Params>[],
  apart: readonly number[] | undefined,
): EncodedInput<Params>[][] {
  if (apart === undefined) return [[...inputs]]
  const all: EncodedInput<Params>[][] = []
  const seen = new Map<string, number>()
  for (const input of inputs) {
    const texts = apart.map((number) => input.texts[number]?.trimEnd() ?? null)
    // A uuid has many spellings, and varchar(n) takes off spaces. To take too many for the same costs but a statement.
    const key = JSON.stringify(texts).toLowerCase().replace(/[-{}]/g, '')
    // Nothing is equal to NULL.
    const round = texts.includes(null) ? 0 : (seen.get(key) ?? 0)
    seen.set(key, round + 1)
    all[round] ??= []
    all[round].push(input)
  }
  return all
}

function chunked<Params>(inputs: readonly EncodedInput<Params>[]): EncodedInput<Params>[][] {
  const chunks: EncodedInput<Params>[][] = []
  let characters = Number.POSITIVE_INFINITY
  for (const input of inputs) {
    const length = input.texts.reduce((sum, text) => sum + (text?.length ?? 0), 0)
    if (characters + length > limits.characters || chunks.at(-1)?.length === limits.inputs) {
      chunks.push([])
      characters = 0
    }
    characters += length
    chunks.at(-1)?.push(input)
  }
  return chunks
}

/** One parameter of all inputs, as PostgreSQL prints an array. */
function textArray(chunk: readonly EncodedInput<unknown>[], number: number): string {
  const parts = chunk.map(({ texts }) => {
    const text = texts[number] ?? null
    return text === null ? 'NULL' : quote(text)
  })
  return `{${parts.join(',')}}`
}

/** Runs `work`; an error of its says which input it is about. */
function aboutInput<T>({ params, index }: { params: unknown; index: number }, work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw error instanceof PlainsqlError ? error.at(index, params) : error
  }
}
