// Load for a server that goes away: units of work, single writes and reads, whose outcomes are remembered, and compared
// with what the server that came after it has.

import { setTimeout as sleep } from 'node:timers/promises'
import * as assert from 'uvu/assert'
import {
  CommitUnknownError,
  ConnectionError,
  type Database,
  type Exec,
  type Executor,
  exec,
  NotCommittedError,
  type UnitOfWorkOptions,
  type Value,
  value,
} from '../../lib/index.ts'
import type { Node } from '../support/replication.ts'

// No primary key: an entry that was made twice must show, not fail.
export const schema = `
create table entries (key text not null, part int not null);
create table facts (id int primary key, text text not null);
insert into facts select id, 'fact ' || id from generate_series(1, 100) id`

const source = 'test/database/standbyLoad.ts'

export const addEntry: Exec<{ key: string; part: number }> = exec({
  name: 'addEntry',
  source,
  statement: 'addEntry',
  sql: 'insert into entries values ($1, $2)',
  params: ['key', 'part'],
  write: (w, p) => {
    w.text(p.key)
    w.int4(p.part)
  },
})

export const getFact: Value<{ id: number }, string> = value({
  name: 'getFact',
  source,
  statement: 'getFact',
  sql: 'select text from facts where id = $1',
  params: ['id'],
  write: (w, p) => w.int4(p.id),
  read: (r) => r.text(0),
  readOnly: true,
})

export interface Load {
  /** Calls that failed with the server. */
  readonly losses: number
  readonly slowestMs: number
  /** Resolves when each of the callers has succeeded so many times more. @throws if that takes a minute */
  progress(times: number): Promise<void>
  /** Resolves when every call has settled. @throws the first error that is not one of a lost connection */
  stop(): Promise<void>
  /** Fails unless what was reported committed is there once, and what was reported undone is not. */
  check(server: Node): Promise<void>
}

/** What may be there of an entry: its parts, in each way that is right. */
type Outcomes = Map<string, readonly string[]>

/** One call. @param key of its entry @param outcomes takes what may be there of it afterwards */
type Work = (db: Database, key: string, outcomes: Outcomes) => Promise<void>

/** Writes and reads. */
export function startLoad(db: Database, prefix: string): Load {
  const safely = inUnit({ verifyCommit: true, retry: { attempts: 100, connectionLoss: true } })
  const works = [inUnit(), inUnit(), inUnit(), safely, safely, alone, alone, alone, read, read, read]
  return new RunningLoad(db, prefix, works)
}

/** Reads only, which a standby can do too. */
export function startReaders(db: Database): Load {
  return new RunningLoad(db, '', [read, read])
}

function inUnit(options?: UnitOfWorkOptions): Work {
  return async (db, key, outcomes) => {
    const unit = db.unitOfWork(async (uow) => {
      await addEntry(uow, { key, part: 1 })
      await read(uow)
      await addEntry(uow, { key, part: 2 })
    }, options)
    await noted(unit, (error) => {
      outcomes.set(key, error === null ? ['1,2'] : error instanceof CommitUnknownError ? ['', '1,2'] : [''])
    })
  }
}

/** Whether a single write whose connection was lost has happened, nobody knows. */
async function alone(db: Database, key: string, outcomes: Outcomes): Promise<void> {
  await noted(addEntry(db, { key, part: 3 }), (error) => outcomes.set(key, error === null ? ['3'] : ['', '3']))
}

async function read(db: Executor): Promise<void> {
  assert.is(await getFact(db, { id: 7 }), 'fact 7')
}

async function noted(call: Promise<unknown>, note: (error: unknown) => void): Promise<void> {
  await call.then(
    () => note(null),
    (error: unknown) => {
      note(error)
      throw error
    },
  )
}

class RunningLoad implements Load {
  losses = 0
  slowestMs = 0
  readonly #outcomes: Outcomes = new Map()
  readonly #prefix: string
  readonly #succeeded: number[]
  readonly #callers: Promise<void>[]
  #failure: unknown
  #stopping = false

  constructor(db: Database, prefix: string, works: readonly Work[]) {
    this.#prefix = prefix
    this.#succeeded = works.map(() => 0)
    this.#callers = works.map((work, caller) => this.#call(db, work, caller))
  }

  async progress(times: number): Promise<void> {
    const goals = this.#succeeded.map((number) => number + times)
    const deadline = performance.now() + 60_000
    while (goals.some((goal, caller) => (this.#succeeded[caller] ?? 0) < goal) && this.#failure === undefined) {
      if (performance.now() > deadline) throw new Error(`callers succeeded ${this.#succeeded} times, not ${goals}`)
      await sleep(10)
    }
  }

  async stop(): Promise<void> {
    this.#stopping = true
    await Promise.all(this.#callers)
    if (this.#failure !== undefined) throw this.#failure
  }

  async check(server: Node): Promise<void> {
    const rows = await server.run<{ key: string; parts: string }>(
      "select key, string_agg(part::text, ',' order by part) as parts from entries where starts_with(key, $1) group by key",
      [this.#prefix],
    )
    const there = new Map(rows.map(({ key, parts }) => [key, parts]))
    for (const [key, allowed] of this.#outcomes) {
      const parts = there.get(key) ?? ''
      assert.ok(allowed.includes(parts), `of ${key} there is "${parts}", and should be "${allowed.join('" or "')}"`)
    }
    for (const key of there.keys()) assert.ok(this.#outcomes.has(key), `nobody knows of ${key}`)
  }

  async #call(db: Database, work: Work, caller: number): Promise<void> {
    for (let n = 0; !this.#stopping && this.#failure === undefined; n++) {
      const start = performance.now()
      try {
        await work(db, `${this.#prefix} ${caller} ${n}`, this.#outcomes)
        this.#succeeded[caller] = (this.#succeeded[caller] ?? 0) + 1
      } catch (error) {
        if ([ConnectionError, CommitUnknownError, NotCommittedError].some((Loss) => error instanceof Loss))
          this.losses++
        else this.#failure ??= error
        await sleep(5)
      }
      this.slowestMs = Math.max(this.slowestMs, performance.now() - start)
    }
  }
}
