// The settings of a transaction, as the statements that begin it.

import { longestMs } from '../cancellation.ts'

/** What BEGIN says, and what is set for the transaction alone: both ride with its first statement. */
export interface TransactionOptions {
  /** Default: the database's `default_transaction_isolation`, which is read committed unless changed. */
  readonly isolation?: 'read committed' | 'repeatable read' | 'serializable' | undefined
  /** Writes are refused by the server (25006). Default: `default_transaction_read_only`. */
  readonly readOnly?: boolean | undefined
  /** With `serializable` and `readOnly`: wait at the start for a snapshot that cannot fail. Default false. */
  readonly deferrable?: boolean | undefined
  /** The server cancels a statement (57014) that runs longer, in ms; 0 lifts the limit. Default: the pool's. */
  readonly statementTimeoutMs?: number | undefined
  /** The server fails a statement (55P03) that waits longer for a lock, in ms; 0 lifts the limit. Default: the server's. */
  readonly lockTimeoutMs?: number | undefined
  /** The server ends a connection (25P03) whose unit sends nothing for longer, in ms; 0 lifts the limit. Default: the pool's. */
  readonly idleInTransactionTimeoutMs?: number | undefined
}

const isolationLevels: readonly string[] = ['read committed', 'repeatable read', 'serializable']

/** How a transaction begins. */
export interface Beginning {
  /** One command each. */
  readonly statements: readonly string[]
  readonly statementTimeoutMs?: number | undefined
}

/**
 * BEGIN, and SET LOCAL for each timeout: they end with the transaction, and never reach the connection's next owner.
 * @throws TypeError for a value that is none of those documented
 */
export function beginning(options: TransactionOptions): Beginning {
  const { isolation, readOnly, deferrable, statementTimeoutMs } = options
  const modes: string[] = []
  if (isolation !== undefined) modes.push(`ISOLATION LEVEL ${isolationLevel(isolation)}`)
  if (readOnly !== undefined) modes.push(readOnly ? 'READ ONLY' : 'READ WRITE')
  if (deferrable !== undefined) modes.push(deferrable ? 'DEFERRABLE' : 'NOT DEFERRABLE')
  const statements = [
    ['BEGIN', modes.join(', ')].join(' ').trim(),
    ...setLocal('statement_timeout', 'statementTimeoutMs', statementTimeoutMs),
    ...setLocal('lock_timeout', 'lockTimeoutMs', options.lockTimeoutMs),
    ...setLocal(
      'idle_in_transaction_session_timeout',
      'idleInTransactionTimeoutMs',
      options.idleInTransactionTimeoutMs,
    ),
  ]
  return { statements, statementTimeoutMs }
}

function isolationLevel(isolation: string): string {
  if (isolationLevels.includes(isolation)) return isolation.toUpperCase()
  throw new TypeError(`isolation must be one of ${isolationLevels.join(', ')}; got "${isolation}"`)
}

function setLocal(setting: string, option: string, milliseconds: number | undefined): string[] {
  if (milliseconds === undefined) return []
  if (Number.isInteger(milliseconds) && milliseconds >= 0 && milliseconds <= longestMs) {
    return [`SET LOCAL ${setting} = ${milliseconds}`]
  }
  throw new TypeError(`${option} must be whole milliseconds from 0 to ${longestMs}; got ${milliseconds}`)
}
