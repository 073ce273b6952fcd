// What became of a COMMIT that nobody answered. In: a transaction's id, taken while it ran. Out: whether it was
// committed, asked on a new connection by pg_xact_status (PostgreSQL 13 and later).
//
// A crash can lose a transaction id that had not reached the disk, and PostgreSQL then gives it to another transaction:
// "committed" would be said of a stranger. So from PostgreSQL 17 the id is flushed before COMMIT is sent, by the one
// function that can do it. Before 17 a crash is noticed, and then the answer "committed" is not believed.

import {
  CommitUnknownError,
  type ConnectionError,
  DatabaseClosedError,
  NotCommittedError,
  QueryError,
} from '../../errors.ts'
import type { Query } from '../../query/executor.ts'
import { alone } from '../autocommit.ts'
import { Cancellation, settlesWithin } from '../cancellation.ts'
import type { ConnectionSource } from '../connection.ts'
import { endIdleTransaction, flushing, serverVersion, type TransactionMark, watching } from './commitFateQueries.ts'

/** How long the server is asked before we give up, in ms, connecting included: enough for a restart with recovery. */
const patienceMs = 30_000

type Answer = 'committed' | 'aborted' | 'in progress' | 'ambiguous' | 'refused' | 'unreachable'

/** One transaction's fate: marked while the transaction runs, asked about if COMMIT is not answered. */
export class CommitFate {
  readonly #source: ConnectionSource
  #statements: typeof flushing = watching
  #mark: TransactionMark | null = null
  #marked: Promise<void> | null = null

  constructor(source: ConnectionSource) {
    this.#source = source
  }

  /** Before the transaction: which PostgreSQL is it? One round trip, once per database. */
  async prepare(): Promise<void> {
    let version = versions.get(this.#source)
    if (version === undefined) {
      version = alone(this.#source, serverVersion.query, undefined)
      versions.set(this.#source, version)
      // Not remembered if it fails.
      version.catch(() => versions.delete(this.#source))
    }
    this.#statements = (await version) >= 170_000 ? flushing : watching
  }

  /**
   * Takes the transaction's id, once. To be run in the transaction, outside of its savepoints. Never rejects: its error
   * breaks the unit, as any statement's does.
   */
  mark(execute: (query: Query<void, TransactionMark, TransactionMark>) => Promise<TransactionMark>): Promise<void> {
    this.#marked ??= execute(this.#statements.mark.query).then(
      (mark) => {
        this.#mark = mark
      },
      () => {},
    )
    return this.#marked
  }

  /**
   * Asks until there is an answer, for 30 seconds at most. Resolves if the transaction was committed.
   * @param lost the loss of the connection, to be the cause of the errors
   * @throws NotCommittedError if it was not; CommitUnknownError if the server cannot tell
   */
  async settle(lost: ConnectionError): Promise<void> {
    const mark = this.#mark
    if (mark === null) throw new CommitUnknownError(null, 'the transaction id was not taken', lost)
    const patience = new Cancellation({ timeoutMs: patienceMs })
    let answer: Answer = 'unreachable'
    for (let pauseMs = 10; !patience.done; pauseMs = Math.min(2 * pauseMs, 500)) {
      answer = await this.#ask(mark, patience).catch(notReached)
      if (answer !== 'in progress' && answer !== 'unreachable') break
      await settlesWithin(patience.fired, pauseMs)
    }
    patience.dispose()
    if (answer === 'aborted') throw new NotCommittedError(mark.xid, lost)
    if (answer !== 'committed') throw new CommitUnknownError(mark.xid, explained[answer], lost)
  }

  async #ask(mark: TransactionMark, patience: Cancellation): Promise<Answer> {
    const { status, life } = await alone(this.#source, this.#statements.verdict.query, mark, patience)
    if (status === 'in progress') {
      // Perhaps it waits for a COMMIT that never arrived, and will until its server notices that we are gone.
      await alone(this.#source, endIdleTransaction.query, mark, patience)
      return 'in progress'
    }
    if (status === 'aborted') return 'aborted'
    return status === 'committed' && life === mark.life ? 'committed' : 'ambiguous'
  }
}

const versions = new WeakMap<ConnectionSource, Promise<number>>()

const explained: Readonly<Record<Answer, string>> = {
  committed: '',
  aborted: '',
  'in progress': `the server still ran it after ${patienceMs} ms`,
  ambiguous: 'the server has crashed or was replaced meanwhile, and may have given its transaction id to another',
  refused: 'the server, or the closed database, refused the question',
  unreachable: `the server could not be reached within ${patienceMs} ms`,
}

/** What it means that the question failed. Never an error of its own: that would hide that a commit is unknown. */
function notReached(error: unknown): Answer {
  // 22023: the id has never been given out, because the server crashed before it knew of it.
  if (error instanceof QueryError && error.sqlState === '22023') return 'aborted'
  // Class 57: it is shutting down, or starting up. No connection free: others wait for the same server.
  const passing =
    error instanceof QueryError ? error.sqlState.startsWith('57') : !(error instanceof DatabaseClosedError)
  return passing ? 'unreachable' : 'refused'
}
