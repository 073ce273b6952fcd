// One connection to the database in memory: what `plainConnection` is to PostgreSQL. pg-mem knows no transactions that
// roll back; here each has a state of its own, savepoints are states kept aside, and a failed statement aborts it all.

import type { Connection } from '../database/connection.ts'
import { queryError } from '../database/failures.ts'
import type { QueryIdentity } from '../errors.ts'
import { withRows } from '../query/batch.ts'
import type { Query } from '../query/executor.ts'
import { decodeRows } from '../query/text.ts'
import type { Answer, Engine, State } from './engine.ts'
import { MemoryServerError, serverError } from './failures.ts'
import { memoryParams } from './params.ts'
import { isNode, type Node } from './pgMem.ts'
import { textOf } from './rows.ts'
import type { MemorySchema } from './schema.ts'
import type { Scope } from './scope.ts'
import { isWrite, statement, targetOf } from './statements.ts'
import { openUnits, type Store, type Writer } from './store.ts'
import { UnsupportedInMemoryError } from './unsupported.ts'

/** What all connections share. */
export interface Memory {
  readonly engine: Engine
  readonly schema: MemorySchema
  readonly store: Store
}

interface Transaction {
  readonly writer: Writer
  /** What it sees; null: whatever is committed, for it has not written yet. */
  state: State | null
  readonly startedAt: Date
  readOnly: boolean
  failed: boolean
  readonly savepoints: { readonly name: string; readonly state: State | null }[]
}

export class MemoryConnection implements Connection {
  readonly #memory: Memory
  #transaction: Transaction | null = null
  #last: Promise<unknown> = Promise.resolve()
  #released = false

  constructor(memory: Memory) {
    this.#memory = memory
  }

  execute<Params, Row, Result>(
    query: Query<Params, Row, Result>,
    params: Params,
    prelude: readonly string[] = [],
  ): Promise<Result> {
    return this.#inTurn(() =>
      query.single ? this.#each(query, params, prelude) : this.#execute(query, params, prelude),
    )
  }

  control(sql: string): Promise<string> {
    return this.#inTurn(() => this.#control(sql))
  }

  /** Ends what is still open: the owner gives the connection back. */
  release(): void {
    this.#released = true
    this.#end(false)
  }

  /** Statements run in call order, even if one of them has to wait. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(work)
    this.#last = turn.catch(() => {})
    return turn
  }

  async #execute<Params, Row, Result>(
    query: Query<Params, Row, Result>,
    params: Params,
    prelude: readonly string[],
  ): Promise<Result> {
    const bound = memoryParams(query, params)
    for (const sql of prelude) await this.#control(sql)
    const transaction = this.#transaction
    if (transaction?.failed) throw failure(query, '25P02', abortedMessage)
    const refuse = (feature: string): never => {
      throw new UnsupportedInMemoryError(query, feature)
    }
    const parsed = parseOne(this.#memory.engine, query.sql, refuse)
    if (isWrite(parsed) && transaction?.readOnly) {
      transaction.failed = true
      throw failure(query, '25006', `cannot execute ${commandOf(parsed)} in a read-only transaction`)
    }
    const answer = await this.#run(parsed, { params: bound, schema: this.#memory.schema, refuse }, query)
    const columns = answer.columns.map((column) => column.name)
    const { hasNumeric } = this.#memory.schema
    const text = (value: unknown, index: number) => textOf(value, answer.columns[index]!.type, hasNumeric, refuse)
    const texts = query.read ? answer.rows.map((row) => row.map(text)) : []
    return query.finish(decodeRows(query, columns, texts), answer.affected)
  }

  /** A batch form is beyond pg-mem: its inputs one by one, and like one statement, all or nothing. */
  async #each<Params, Row, Result>(
    query: Query<Params, Row, Result>,
    params: Params,
    prelude: readonly string[],
  ): Promise<Result> {
    const single = withRows(query.single as Query<unknown, never, unknown>)
    const groups: unknown[][] = []
    let affected = 0
    for (const sql of prelude) await this.#control(sql)
    const isOwn = this.#transaction === null
    if (isOwn) await this.#begin('begin', {})
    try {
      for (const input of params as readonly unknown[]) {
        const answer = await this.#execute(single, input, [])
        groups.push(answer.rows)
        affected += answer.affected
      }
      if (isOwn) this.#end(true)
      return { groups, affected } as Result
    } catch (error) {
      if (isOwn) this.#end(false)
      throw error
    }
  }

  async #run(parsed: Node, scope: Scope, query: QueryIdentity): Promise<Answer> {
    const { engine, schema, store } = this.#memory
    const transaction = this.#transaction
    const writer = transaction?.writer ?? {}
    const writes = isWrite(parsed)
    if (writes) await store.lock(writer, query)
    try {
      if (this.#released) throw failure(query, '57014', 'canceling statement due to user request')
      const before = transaction?.state ?? store.committed
      const { answer, state } = engine.run(statement(parsed, scope), before, transaction?.startedAt ?? new Date())
      if (transaction && writes) transaction.state = state
      else if (writes) store.committed = state
      return answer
    } catch (error) {
      const server = serverError(error, targetOf(parsed), schema)
      if (!server) throw unsupported(error, query)
      if (transaction) transaction.failed = true
      throw queryError(query, server)
    } finally {
      if (!transaction) store.unlock(writer)
    }
  }

  async #control(sql: string): Promise<string> {
    const words = sql.trim().replace(/;$/, '').toLowerCase().split(/\s+/)
    const name = words.at(-1)!
    switch (words[0]) {
      case 'begin':
      case 'start':
        return this.#begin(words.join(' '), openUnits.getStore()?.at(-1) ?? {})
      case 'set':
        return this.#set(words.join(' '))
      case 'commit':
        return this.#end(this.#transaction?.failed === false)
      case 'rollback':
        return words.includes('to') ? this.#rollbackTo(name) : this.#end(false)
      case 'savepoint': {
        const transaction = this.#open('SAVEPOINT')
        transaction.savepoints.push({ name, state: transaction.state })
        return 'SAVEPOINT'
      }
      case 'release': {
        const transaction = this.#open('RELEASE SAVEPOINT')
        transaction.savepoints.length = savepointIndex(transaction, name)
        return 'RELEASE'
      }
    }
    throw new UnsupportedInMemoryError(null, `"${sql}"`)
  }

  async #begin(modes: string, writer: Writer): Promise<string> {
    this.#transaction = {
      writer,
      state: null,
      startedAt: new Date(),
      readOnly: false,
      failed: false,
      savepoints: [],
    }
    await this.#setModes(this.#transaction, modes)
    return 'BEGIN'
  }

  async #set(text: string): Promise<string> {
    const transaction = this.#open('SET LOCAL')
    if (text.startsWith('set transaction ')) await this.#setModes(transaction, text)
    else if (!withoutEffect.test(text)) {
      throw new UnsupportedInMemoryError(null, `"${text}"`)
    }
    return 'SET'
  }

  async #setModes(transaction: Transaction, modes: string): Promise<void> {
    transaction.readOnly ||= modes.includes('read only')
    if (!/repeatable read|serializable/.test(modes)) return
    // One after the other from the start: nothing that others commit can come in between.
    const { store } = this.#memory
    await store.lock(transaction.writer, null)
    transaction.state ??= store.committed
  }

  #end(commit: boolean): string {
    const transaction = this.#transaction
    this.#transaction = null
    if (transaction === null) return 'ROLLBACK'
    if (commit && transaction.state) this.#memory.store.committed = transaction.state
    this.#memory.store.unlock(transaction.writer)
    return commit ? 'COMMIT' : 'ROLLBACK'
  }

  #rollbackTo(name: string): string {
    const transaction = this.#open('ROLLBACK TO SAVEPOINT', true)
    const index = savepointIndex(transaction, name)
    transaction.state = transaction.savepoints[index]!.state
    transaction.savepoints.length = index + 1
    transaction.failed = false
    return 'ROLLBACK'
  }

  #open(command: string, evenFailed = false): Transaction {
    const transaction = this.#transaction
    if (transaction === null) throw failure(null, '25P01', `${command} can only be used in transaction blocks`)
    if (transaction.failed && !evenFailed) throw failure(null, '25P02', abortedMessage)
    return transaction
  }
}

/** Timeouts, and a unit's settings with a dot in their names: no query that runs here could read those. */
const withoutEffect =
  /^set (local )?(statement_timeout\b|lock_timeout\b|idle_in_transaction_session_timeout\b|"[^"]+"\.)/

function commandOf(node: Node): string {
  return node.type === 'select' ? 'SELECT FOR UPDATE' : String(node.type).toUpperCase()
}

const abortedMessage = 'current transaction is aborted, commands ignored until end of transaction block'

/** The newest savepoint of that name. */
function savepointIndex(transaction: Transaction, name: string): number {
  const index = transaction.savepoints.findLastIndex((savepoint) => savepoint.name === name)
  if (index >= 0) return index
  transaction.failed = true
  throw failure(null, '3B001', `savepoint "${name}" does not exist`)
}

function failure(query: QueryIdentity | null, code: string, message: string) {
  return queryError(query, new MemoryServerError(code, message))
}

/** @throws through `refuse`, for what the parser does not know */
export function parseOne(engine: Engine, sql: string, refuse: (feature: string) => never): Node {
  let parsed: Node[]
  try {
    parsed = engine.parse(sql)
  } catch (error) {
    const token = (error as { token?: { text?: string } }).token?.text
    return refuse(token === undefined ? 'its syntax' : `its syntax (pg-mem's parser stops at "${token}")`)
  }
  const [only, second] = parsed
  return isNode(only) && !second ? only : refuse('several statements in one')
}

/** What pg-mem cannot do, it says in many ways, and all of them mean the same. */
export function unsupported(error: unknown, query: QueryIdentity): UnsupportedInMemoryError {
  if (error instanceof UnsupportedInMemoryError) return new UnsupportedInMemoryError(query, error.feature)
  const words = error instanceof Error ? error.message.split('\n')[0] : String(error)
  return new UnsupportedInMemoryError(query, `this (pg-mem says: ${words})`, error)
}
