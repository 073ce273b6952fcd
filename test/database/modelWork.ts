// What the callers of model.test.ts do, drawn by chance: reads whose answers are known, writes, units of work, and
// statements that have no business in a pool. In: a round. Out: in its ledger, what callers were told of their writes.

import { setTimeout as sleep } from 'node:timers/promises'
import type { Database } from '../../lib/database/database.ts'
import {
  CancelledError,
  CommitUnknownError,
  ConnectionError,
  isStale,
  NotCommittedError,
  ParameterError,
  PlainsqlError,
  QueryError,
} from '../../lib/errors.ts'
import type { UnitOfWork } from '../../lib/index.ts'
import type { Executor } from '../../lib/query/executor.ts'
import { type Exec, exec, many, value } from '../../lib/query/kinds.ts'
import type { Random } from '../support/random.ts'

/** Written, one row per id; and what migrations change while it is read. */
export const schema = `
create table written (id text not null);
create table changing (a int, b text);
insert into changing values (7, null);
`

export interface Round {
  readonly db: Database
  readonly random: Random
  readonly ledger: Ledger
  /** Takes what must not be. */
  problem(text: string): void
  /** Takes the error of a call, or of a unit of work; those that nobody could have expected are problems. */
  failed(error: unknown, inUnit?: boolean): void
}

type Fate = 'written' | 'not written' | 'unknown'

/** What callers were told. */
export class Ledger {
  readonly #fates: Map<string, { fate: Fate; by: string }> = new Map()
  readonly #units: (readonly string[])[] = []
  #ids = 0

  newId(): string {
    const id = `w${++this.#ids}`
    // Until somebody is told more.
    this.#fates.set(id, { fate: 'unknown', by: 'nobody' })
    return id
  }

  tell(ids: readonly string[], fate: Fate, by: unknown): void {
    for (const id of ids) this.#fates.set(id, { fate, by: String(by) })
  }

  /** They must be there all or none. */
  together(ids: readonly string[]): void {
    this.#units.push(ids)
  }

  /** @param times how often each id is in the database. @returns where that is not what callers were told */
  compare(times: ReadonlyMap<string, number>): string[] {
    const allowed: Record<Fate, readonly number[]> = { written: [1], 'not written': [0], unknown: [0, 1] }
    const there = (id: string): number => times.get(id) ?? 0
    const wrong = [...this.#fates].filter(([id, { fate }]) => !allowed[fate].includes(there(id)))
    const torn = this.#units.filter((ids) => new Set(ids.map(there)).size > 1)
    return [
      ...wrong.map(([id, { fate, by }]) => `${id} is there ${there(id)} times, told to be ${fate} by ${by}`),
      ...torn.map((ids) => `a unit is there in part: ${ids.map((id) => `${id} ${there(id)}`)}`),
    ]
  }
}

let statements = 0
const named = (sql: string) => {
  const name = `model${++statements}`
  return { name, source: 'test/database/modelWork.ts', statement: name, sql }
}
const command = (sql: string) => exec<void>(named(sql))

interface Echo {
  n: number
  text: string
  bytes: Uint8Array
}
/** Quick reads, of which many share a connection, and more than some connections keep prepared. */
const echoes = Array.from({ length: 12 }, (_, k) =>
  many<Echo, Echo & { k: number }>({
    ...named(`select $1::int4, $2::text, $3::bytea, ${k}`),
    params: ['n', 'text', 'bytes'],
    write(w, p) {
      w.int4(p.n)
      w.text(p.text)
      w.bytea(p.bytes)
    },
    read: (r) => ({ n: r.int4(0), text: r.text(1), bytes: r.bytea(2), k: r.int4(3) }),
    readOnly: true,
  }),
)
const numbered = (sql: string) =>
  many<{ n: number; length: number }, number>({
    ...named(sql),
    params: ['n', 'length'],
    write(w, p) {
      w.int4(p.n)
      w.int4(p.length)
    },
    read: (r) => r.int4(0),
    readOnly: true,
  })
const series = numbered('select g from generate_series($1::int4, $1::int4 + $2::int4 - 1) g')
/** Fails at the fifth row, unless it is shorter. */
const failing = numbered('select g + 0 / ($1 + 4 - g) from generate_series($1::int4, $1::int4 + $2::int4 - 1) g')
const slow = value<{ n: number; ms: number }, number>({
  ...named('select $1::int4 from pg_sleep($2::float8 / 1000)'),
  params: ['n', 'ms'],
  write(w, p) {
    w.int4(p.n)
    w.float8(p.ms)
  },
  read: (r) => r.int4(0),
  readOnly: true,
})
/** Its columns change, and so do their types. */
const changing = many<void, string>({
  ...named('select * from changing where a = 7'),
  read: (r) => r.text(0),
  readOnly: true,
})
const ofId = (sql: string) => ({ ...named(sql), params: ['id'], write: (w, p) => w.text(p.id) }) satisfies Named
type Named = Parameters<typeof exec<{ id: string }>>[0]
const insert = value<{ id: string }, string>({
  ...ofId('insert into written values ($1) returning id'),
  read: (r) => r.text(0),
})
export const insertOnly: Exec<{ id: string }> = exec<{ id: string }>(ofId('insert into written values ($1)'))
const insertSlowly = exec<{ id: string }>(ofId('insert into written select $1 from pg_sleep(random() / 30)'))
/** Its prepared statement becomes stale when the column's type changes: it is refused, and sent once more. */
const insertBeside = value<{ id: string }, string>({
  ...ofId('insert into written values ($1) returning id, (select a from changing)'),
  read: (r) => r.text(0),
})
const refused = exec<{ id: string }>(ofId('insert into written select $1 where 1 / (random() * 0)::int = 1'))
const times = value<{ id: string }, number>({
  ...ofId('select count(*)::int4 from written where id = $1'),
  read: (r) => r.int4(0),
  readOnly: true,
})

const harmless = [
  ...['discard all', 'deallocate all', '', '-- nothing', 'listen c', "select pg_notify('c', 'x')"],
  ...['set local lock_timeout = 1000', "do $$ begin for i in 1..9 loop raise notice 'n %', i; end loop; end $$"],
].map(command)
const forbidden = ['begin', 'copy written from stdin', 'copy (select 1) to stdout'].map(command)
/** In a unit: the first of these two breaks it. */
const [copy, deallocate] = [forbidden[1]!, harmless[1]!]

/** Some more often than others. */
const works: readonly ((round: Round) => Promise<void>)[] = [
  ...[readTogether, readTogether, readTogether, readEcho, readEcho, readSeries, readSlowly, failAmidRows, readChanging],
  ...[write, write, write, write, writeAndRead, sendNoNumber, disturb, runUnit, runUnit],
]

/** Does one thing. */
export function doAnything(round: Round): Promise<void> {
  return round.random.pick(works)(round)
}

/** The database, or now and then calls on it that end before they are done. */
function anyhow({ db, random }: Round): Executor {
  return random.chance(15) ? db.with(soon(random)) : db
}

function soon(random: Random): { timeoutMs: number } | { signal: AbortSignal } {
  const ms = 1 + random.below(40)
  return random.chance(50) ? { timeoutMs: ms } : { signal: AbortSignal.timeout(ms) }
}

async function read<T>(round: Round, call: Promise<T>, isRight: (answer: T) => boolean): Promise<void> {
  const answer = await call.catch((error: unknown) => round.failed(error))
  if (answer === undefined) return
  // What lies in memory that is written over shows later.
  await sleep(0)
  if (!isRight(answer)) round.problem(`a read was answered ${JSON.stringify(answer).slice(0, 200)}`)
}

async function readEcho(round: Round): Promise<void> {
  const { random } = round
  const k = random.below(echoes.length)
  const length = random.below(500) === 0 ? 100_000 : random.below(random.chance(10) ? 9_000 : 40)
  const n = random.below(1e9)
  const asked: Echo = { n, text: 'aé€🐘'.charAt(n % 3).repeat(length), bytes: Buffer.alloc(length % 1_000, n) }
  await read(round, echoes[k]!(anyhow(round), asked), ([row, more]) => {
    if (row === undefined || more !== undefined) return false
    return row.n === n && row.k === k && row.text === asked.text && Buffer.compare(row.bytes, asked.bytes) === 0
  })
}

/** Quick reads at once share a Sync, and what is behind an error is sent again. */
async function readTogether(round: Round): Promise<void> {
  const { random } = round
  const quick = [readEcho, readEcho, readEcho, readSeries, failAmidRows, readChanging]
  await Promise.all(Array.from({ length: 2 + random.below(10) }, () => random.pick(quick)(round)))
}

async function readSeries(round: Round): Promise<void> {
  const { random } = round
  const [n, length] = [random.below(1e6), random.below(random.chance(20) ? 3_000 : 100)]
  await read(round, series(anyhow(round), { n, length }), (rows) => {
    return rows.length === length && rows.every((row, at) => row === n + at)
  })
}

async function readSlowly(round: Round): Promise<void> {
  const { random } = round
  const n = random.below(1e6)
  const ms = random.chance(3) ? 500 : random.below(30)
  await read(round, slow(anyhow(round), { n, ms }), (answer) => answer === n)
}

async function failAmidRows(round: Round): Promise<void> {
  const length = 1 + round.random.below(8)
  const right = (rows: number[]): boolean => length < 5 && rows.length === length
  await read(round, failing(anyhow(round), { n: 100, length }), right)
}

async function readChanging(round: Round): Promise<void> {
  await read(round, changing(anyhow(round)), (rows) => rows.length === 1 && rows[0] === '7')
}

/** Nothing is sent, of this call alone. */
async function sendNoNumber(round: Round, on: Executor = round.db): Promise<void> {
  const call = series(on, { n: round.random.below(1e6), length: 'many' as never })
  await call.then(
    () => round.problem('a parameter of a wrong type was sent'),
    (error: unknown) => error instanceof ParameterError || round.failed(error, on !== round.db),
  )
}

async function write(round: Round): Promise<void> {
  const { ledger, random } = round
  const run = random.pick([insert, insertOnly, insertOnly, insertSlowly, insertBeside, refused])
  const id = ledger.newId()
  try {
    const answer = await run(anyhow(round), { id })
    if (answer !== id && answer !== 1) round.problem(`the write of ${id} was answered ${answer}`)
    ledger.tell([id], 'written', 'its answer')
  } catch (error) {
    round.failed(error)
    ledger.tell([id], fateAfter(error), error)
  }
}

/** What was answered is there for everybody, at once. */
async function writeAndRead(round: Round): Promise<void> {
  const { db, ledger } = round
  const id = ledger.newId()
  const written = await insert(db, { id }).catch((error: unknown) => {
    round.failed(error)
    ledger.tell([id], fateAfter(error), error)
  })
  if (written === undefined) return
  ledger.tell([id], 'written', 'its answer')
  await read(round, times(db, { id }), (answer) => answer === 1)
}

async function disturb(round: Round): Promise<void> {
  const { random } = round
  const isForbidden = random.chance(50)
  const run = random.pick(isForbidden ? forbidden : harmless)
  // Of the forbidden ones some cost their own connection.
  const answer = await run(anyhow(round)).catch((error: unknown) => isForbidden || round.failed(error))
  if (isForbidden && typeof answer === 'number') round.problem('BEGIN or COPY ran')
}

/** What the error of a statement, or of a unit, says of what it wrote. */
function fateAfter(error: unknown): Fate {
  if (error instanceof CommitUnknownError) return 'unknown'
  const isLoss = error instanceof ConnectionError || error instanceof CancelledError
  return isLoss && error.statement === 'unknown' ? 'unknown' : 'not written'
}

const undoIt = new Error('undo it')

async function runUnit(round: Round): Promise<void> {
  const { db, ledger, random } = round
  const undone = random.chance(20)
  /** Of the last attempt, all of which have the same fate. */
  let ids: string[] = []
  const hooks: string[] = []
  let fate: Fate
  let by: unknown = 'its unit'
  try {
    await db.unitOfWork(async (uow) => {
      ledger.tell(ids, 'not written', 'an attempt that was not the last')
      ids = []
      uow.afterCommit(() => hooks.push('written'))
      uow.afterRollback(() => hooks.push('not written'))
      await work(round, uow, ids)
      if (undone) throw undoIt
    }, unitOptions(random))
    fate = 'written'
    if (undone) round.problem('a unit that threw was committed')
  } catch (error) {
    if (error !== undoIt) round.failed(error, true)
    fate = fateAfter(error)
    by = error
  }
  ledger.tell(ids, fate, by)
  ledger.together(ids)
  // None, if the last attempt ended before its function was called.
  const due = fate === 'unknown' || (fate === 'not written' && hooks.length === 0) ? '' : fate
  if (hooks.join() !== due) round.problem(`a unit that is told to be ${fate} ran its hooks for ${hooks.join()}`)
}

function unitOptions(random: Random): Parameters<Database['unitOfWork']>[1] {
  return {
    ...(random.chance(25) && soon(random)),
    ...(random.chance(30) && { verifyCommit: true }),
    ...(random.chance(40) && { retry: { attempts: 4, baseDelayMs: 2, connectionLoss: true } }),
    ...(random.chance(20) && { statementTimeoutMs: 20 + random.below(300) }),
    ...(random.chance(20) && { isolation: 'serializable' as const }),
  }
}

/** @param ids of what it writes, unless it is undone in any case */
async function work(round: Round, uow: UnitOfWork, ids: string[]): Promise<void> {
  const { ledger, random } = round
  const newId = (): string => {
    const id = ledger.newId()
    ids.push(id)
    return id
  }
  const flying: Promise<unknown>[] = []
  const steps: readonly (() => unknown)[] = [
    async () => {
      const id = newId()
      const answer = await insert(uow, { id })
      if (answer !== id) round.problem(`the write of ${id} in a unit was answered ${answer}`)
      if ((await times(uow, { id })) !== 1) round.problem(`${id} is not there for its own unit`)
    },
    () => flying.push(insertOnly(uow, { id: newId() }), insertBeside(uow, { id: newId() })),
    () => uow.add(insertOnly, { id: newId() }),
    () => sendNoNumber(round, uow),
    () => uow.savepoint((savepoint) => insertOnly(savepoint, { id: newId() })),
    async () => {
      const id = ledger.newId()
      ledger.tell([id], 'not written', 'its savepoint')
      const savepoint = uow.savepoint(async (inner) => {
        await insertOnly(inner, { id })
        throw undoIt
      })
      await savepoint.catch((error: unknown) => {
        if (error !== undoIt) throw error
      })
    },
    async () => {
      const n = random.below(1e6)
      if ((await slow(uow, { n, ms: random.below(10) })) !== n) round.problem('a read in a unit was answered wrongly')
    },
    () => sleep(random.below(15)),
    () => random.chance(10) && random.pick([copy, deallocate])(uow),
  ]
  for (let left = 1 + random.below(5); left > 0; left--) {
    await random.pick(steps)()
    // Somebody waits for them in the end, or does not care for their errors.
    for (const call of flying) call.catch(() => {})
  }
  await (random.chance(20) ? Promise.allSettled(flying) : Promise.all(flying))
}

/** Whether a call, or a unit of work, may fail so, considering what the works of this file do. */
export function isExpected(error: unknown, inUnit: boolean): boolean {
  // Those of no class of their own are about a statement that has no business here: no other call may get one.
  if (!(error instanceof QueryError))
    return error instanceof PlainsqlError && (inUnit || error.name !== 'PlainsqlError')
  // A division by zero, a cancelled statement, a conflict of units.
  if (['22012', '57014', '40001', '40P01'].includes(error.sqlState)) return true
  // In a transaction a stale statement cannot be sent once more.
  return inUnit && isStale(error.serverError)
}

/** Whether the server has cancelled it, and not for its own caller. */
export function isCancelled(error: unknown): boolean {
  return error instanceof QueryError && error.sqlState === '57014'
}

/** Whether a connection was lost, or none could be made. */
export function isLoss(error: unknown): boolean {
  return [ConnectionError, CommitUnknownError, NotCommittedError].some((Loss) => error instanceof Loss)
}
