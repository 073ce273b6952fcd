// Runs a query for many inputs: in a statement for thousands of them if the generator found a form for it, else one by one.
// In: an executor, a query and its inputs. Out: one result per input, in their order.

import { DecodeError, PlainsqlError, QueryError, StatementSkippedError } from '../errors.ts'
import { locateInput } from './batchErrors.ts'
import { type Answer, batchForm, type EncodedInput } from './batchForm.ts'
import { type Cell, cellsEncoder, cellText } from './cells.ts'
import type { Executor, Query, QuerySource } from './executor.ts'

/**
 * What one statement takes at most. `npm run relationships` in bench: beyond 2,000 an input of a read costs no less, and from
 * some point on more, when the server's sort no longer fits its memory; of writes, which are one after the other, beyond
 * 10,000. The text counts too, because a message of the protocol ends at 1 GB. Reads without a form are a statement each,
 * and as many of those wait for a connection at a time as leaves room for others.
 */
const limits = { reads: 2_000, writes: 10_000, characters: 16_000_000, concurrent: 4, statements: 250 }

/**
 * Runs a query for many inputs, as `QueryFunction.batch` promises.
 * @returns one result per input, in their order; equal inputs of a read share their rows
 */
export async function runBatch<Params, Row, Result>(
  executor: Executor,
  query: Query<Params, Row, Result>,
  inputs: readonly Params[],
): Promise<Result[]> {
  const results = ({ groups }: Answer<Row>): Result[] =>
    eachInput(inputs, 0, (_, index) => {
      const rows = groups[index] ?? []
      return query.finish(rows, rows.length)
    })
  return query.readOnly
    ? results(await askAtOnce(executor, query, eachInput(inputs, 0, inputEncoder(query))))
    : askInOrder(executor, query, inputs, results)
}

/** Runs an `:exec` query for many inputs, all or nothing. @returns the number of all affected rows */
export async function runBulk<Params>(
  executor: Executor,
  query: Query<Params, never, number>,
  inputs: readonly Params[],
): Promise<number> {
  return askInOrder(executor, query, inputs, ({ affected }) => affected)
}

/** Asks a query that only reads. The answers stand at the inputs' `index`. */
export async function askAtOnce<Params, Row>(
  executor: Executor,
  query: Query<Params, Row, unknown>,
  inputs: readonly EncodedInput<Params>[],
): Promise<Answer<Row>> {
  const firsts = new Map<string | number, EncodedInput<Params>>()
  for (const input of inputs) {
    const key = inputKey(input)
    if (!firsts.has(key)) firsts.set(key, input)
  }
  const areAllFirsts = firsts.size === inputs.length
  const asked = firsts.size === 1 ? query : oneOfSeveral(query)
  // Chunks come in any order: an array that grows by leaps becomes a dictionary.
  const answer: Answer<Row> = { groups: new Array(inputs.length), affected: 0 }
  const most = query.batch === undefined ? limits.statements : limits.reads
  const open = chunked(areAllFirsts ? inputs : [...firsts.values()], most)
  const work = async (): Promise<void> => {
    try {
      for (let chunk = open.shift(); chunk !== undefined; chunk = open.shift()) {
        add(answer, chunk, await askChunk(executor, asked, chunk))
      }
    } catch (error) {
      // Nobody waits for the other answers any more.
      open.length = 0
      throw error
    }
  }
  await Promise.all(Array.from({ length: Math.min(limits.concurrent, open.length) }, work))
  if (areAllFirsts) return answer
  for (const input of inputs) {
    const first = firsts.get(inputKey(input)) ?? input
    if (first !== input) answer.groups[input.index] = [...(answer.groups[first.index] ?? [])]
  }
  return answer
}

/** Asks a query that writes: every input once, in their order. Holds no more than two chunks of them. */
async function askInOrder<Params, Row, Results>(
  executor: Executor,
  query: Query<Params, Row, unknown>,
  inputs: readonly Params[],
  resultsOf: (answer: Answer<Row>) => Results,
): Promise<Results> {
  const several = inputs.length > 1 ? oneOfSeveral(query) : query
  const chunksFrom = (start: number): (readonly EncodedInput<Params>[])[] => {
    const encoded = eachInput(inputs.slice(start, start + limits.writes), start, inputEncoder(query))
    return rounds(encoded, query.batch?.apart).flatMap((round) => chunked(round, limits.writes))
  }
  const answer: Answer<Row> = { groups: [], affected: 0 }
  const firsts = chunksFrom(0)
  // In somebody else's unit of work, which may go on after an error that says that nothing was sent.
  if (!executor.unitOfWork) for (let at = limits.writes; at < inputs.length; at += limits.writes) chunksFrom(at)
  const run = async (on: Executor): Promise<Results> => {
    let ahead: Promise<void> | null = null
    for (let start = 0; start < inputs.length; start += limits.writes) {
      const chunks = start === 0 ? firsts : chunksFrom(start)
      for (const chunk of chunks) {
        const asked = askChunk(on, several, chunk).then((its) => add(answer, chunk, its))
        // Its error is heard of below, once the one before has been answered.
        asked.catch(() => {})
        await ahead
        ahead = asked
        // So that it leaves before the next inputs are encoded: the server then has something to do meanwhile.
        if (start + limits.writes < inputs.length) await new Promise(setImmediate)
      }
    }
    await ahead
    // A missing row of `:one` is an error, and nothing may stay of the other inputs then.
    return resultsOf(answer)
  }
  // A single statement is all or nothing by itself, unless its rows may be too few; inputs without a form are many.
  const mayMiss = (query.kind === 'one' || query.kind === 'value') && query.batch?.ordinal !== undefined
  const isOne =
    inputs.length <= 1 ||
    (inputs.length <= limits.writes && firsts.length <= 1 && query.batch !== undefined && !mayMiss)
  if (!isOne) return executor.unitOfWork ? executor.unitOfWork(run) : run(executor)
  const [only] = firsts
  // Awaited as it is: V8 then knows the stack of callers.
  if (only !== undefined) add(answer, only, await askChunk(executor, several, only))
  return resultsOf(answer)
}

function add<Row>(total: Answer<Row>, chunk: readonly EncodedInput<unknown>[], answer: Answer<Row>): void {
  total.affected += answer.affected
  answer.groups.forEach((group, at) => {
    const input = chunk[at]
    if (input) total.groups[input.index] = group
  })
}

async function askChunk<Params, Row>(
  executor: Executor,
  query: Query<Params, Row, unknown>,
  chunk: readonly EncodedInput<Params>[],
): Promise<Answer<Row>> {
  if (query.batch === undefined || chunk.length === 1) return askEach(executor, query, chunk)
  try {
    const inputs = chunk.map((input) => input.params)
    return await executor.execute(batchForm(query, query.batch, chunk), inputs)
  } catch (error) {
    const input = error instanceof QueryError ? locateInput(error, query.batch, chunk) : null
    throw input === null ? error : (error as QueryError).at(input.index, input.params)
  }
}

/**
 * A statement for each input, all under way together.
 * @throws the first input's error, as calls one after the other would have; an input that was skipped because of another
 *   one's error is not to blame
 */
async function askEach<Params, Row>(
  executor: Executor,
  query: Query<Params, Row, unknown>,
  chunk: readonly EncodedInput<Params>[],
): Promise<Answer<Row>> {
  // Each as a query of its own: a batching scope would put them together, and give all of them one error.
  const asked = await Promise.allSettled(chunk.map(({ params }) => executor.execute(withRows(query), params)))
  const answer: Answer<Row> = { groups: [], affected: 0 }
  let skipped: unknown
  asked.forEach((outcome, at) => {
    if (outcome.status === 'fulfilled') {
      if (query.read) answer.groups.push(outcome.value.rows)
      answer.affected += outcome.value.affected
    } else if (outcome.reason instanceof StatementSkippedError) skipped ??= outcome.reason
    else throw ofInput(outcome.reason, chunk[at] as EncodedInput<Params>)
  })
  if (skipped !== undefined) throw skipped
  return answer
}

/** An error of an input's own statement. A lost connection or the wait for one is nobody's; a refused BEGIN neither. */
function ofInput(error: unknown, { params, index }: EncodedInput<unknown>): unknown {
  const isOwn = error instanceof QueryError ? error.query !== null : error instanceof DecodeError
  return isOwn ? (error as PlainsqlError).at(index, params) : error
}

/** So that nobody takes the statements of a batch for calls in a loop. */
function oneOfSeveral<Params, Row, Result>(query: Query<Params, Row, Result>): Query<Params, Row, Result> {
  return { ...query, ofBatch: true }
}

/** The same query, whose result is its rows and how many were affected. */
export function withRows<Params, Row>(
  query: Query<Params, Row, unknown>,
): Query<Params, Row, { rows: Row[]; affected: number }> {
  return { ...query, finish: (rows, affected) => ({ rows, affected }) }
}

/** Encodes inputs of a query. What it returns throws ParameterError. */
export function inputEncoder<Params>(
  query: QuerySource<Params, unknown>,
): (params: Params, index: number) => EncodedInput<Params> {
  const encode = cellsEncoder(query)
  return (params, index) => ({ params, index, cells: encode(params) })
}

/** The same for equal inputs. No text of PostgreSQL's holds a NUL. */
export function inputKey({ cells }: EncodedInput<unknown>): string | number {
  const [only = null] = cells
  if (cells.length === 1 && only !== null) {
    // A Map takes −0 for 0; PostgreSQL does not always.
    return typeof only === 'number' && only !== 0 ? only : (cellText(only) ?? '')
  }
  return `\0${JSON.stringify(cells.map(cellText))}`
}

/**
 * What `work` makes of each input and its place; an error of its says which input it is about. Without a closure for
 * each: there may be many thousands.
 * @param first the place of the first one among all inputs
 */
function eachInput<Params, T>(
  inputs: readonly Params[],
  first: number,
  work: (params: Params, index: number) => T,
): T[] {
  const results: T[] = []
  try {
    for (const params of inputs) results.push(work(params, first + results.length))
  } catch (error) {
    const at = results.length
    throw error instanceof PlainsqlError ? error.at(first + at, inputs[at]) : error
  }
  return results
}

/** Inputs that agree in all parameters of `apart` come into different rounds, the first one's first. */
function rounds<Params>(
  inputs: EncodedInput<Params>[],
  apart: readonly number[] | undefined,
): EncodedInput<Params>[][] {
  if (apart === undefined) return [inputs]
  const all: EncodedInput<Params>[][] = []
  const seen = new Map<string | number, number>()
  for (const input of inputs) {
    const key = rowKey(input.cells, apart)
    const round = key === null ? 0 : (seen.get(key) ?? 0)
    if (key !== null) seen.set(key, round + 1)
    all[round] ??= []
    all[round].push(input)
  }
  return all
}

/** The same for inputs that may mean the same row; null for one that means no other's, as nothing is equal to NULL. */
function rowKey(cells: readonly Cell[], apart: readonly number[]): string | number | null {
  const only = apart.length === 1 ? cells[apart[0] as number] : undefined
  if (typeof only === 'number') return only
  let key = ''
  for (const number of apart) {
    const cell = cells[number] ?? null
    if (cell === null) return null
    // The texts cannot hold a NUL.
    if (typeof cell === 'number') key += `\0${cell}`
    // A uuid has many spellings, and varchar(n) takes off spaces. To take too many for the same costs but a statement.
    else key += `\0${cellText(cell)?.trimEnd().toLowerCase().replace(/[-{}]/g, '')}`
  }
  return key
}

/** @param most how many inputs a chunk has at most */
function chunked<Params>(inputs: readonly EncodedInput<Params>[], most: number): (readonly EncodedInput<Params>[])[] {
  const chunks: (readonly EncodedInput<Params>[])[] = []
  let start = 0
  let characters = 0
  for (let at = 0; at < inputs.length; at++) {
    let length = 0
    for (const cell of (inputs[at] as EncodedInput<Params>).cells) length += typeof cell === 'string' ? cell.length : 8
    if (at > start && (characters + length > limits.characters || at - start === most)) {
      chunks.push(inputs.slice(start, at))
      start = at
      characters = 0
    }
    characters += length
  }
  if (inputs.length > 0) chunks.push(start === 0 ? inputs : inputs.slice(start))
  return chunks
}
