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
  /**
   * Other settings of this transaction, such as `{ 'app.tenant_id': id }` for row-level security, `role` or `search_path`:
   * as in `pool.settings`, set in this order. The values are never part of events and logs.
   */
  readonly settings?: Readonly<Record<string, string>> | undefined
}

const isolationLevels: readonly string[] = ['read committed', 'repeatable read', 'serializable']

/** How a transaction begins. */
export interface Beginning {
  /** One command each. */
  readonly statements: readonly string[]
  /** The same for people, without the values of `settings`: who the tenant is may be private. */
  readonly text: string
  readonly statementTimeoutMs?: number | undefined
}

/**
 * BEGIN, and SET LOCAL for each timeout and setting: they end with the transaction, and never reach the connection's next owner.
 * @throws TypeError for a value that is none of those documented
 */
export function beginning(options: TransactionOptions): Beginning {
  const { isolation, readOnly, deferrable, statementTimeoutMs, settings = {} } = options
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
  const names = Object.keys(settings)
  return {
    text: [...statements, ...names.map((name) => `SET LOCAL ${name}`)].join('; '),
    statements: [...statements, ...names.map((name) => assignment(name, settings[name]))],
    statementTimeoutMs,
  }
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

// SET would cut longer identifiers off, and whoever asks for the whole name would find nothing.
const settingName = /^[a-z_][\w$]{0,62}(\.[a-z_][\w$]{0,62})*$/i

/** Settings that are lists of identifiers: SET takes one literal for one identifier, commas and all. */
const lists: readonly string[] = ['search_path', 'temp_tablespaces']

function assignment(name: string, value: unknown): string {
  if (!settingName.test(name)) throw new TypeError(`settings: ${JSON.stringify(name)} is not the name of a setting`)
  const known = name.toLowerCase()
  if (known === 'statement_timeout') {
    throw new TypeError('settings.statement_timeout: set statementTimeoutMs, which pool.answerTimeoutMs follows')
  }
  // An undefined tenant is a mistake, and not "leave it out": the policy would hide all rows, without a word.
  if (typeof value !== 'string') throw new TypeError(`settings: "${name}" must be a string; got ${typeof value}`)
  if (value.includes('\0')) throw new TypeError(`settings: "${name}" contains a NUL, which PostgreSQL's texts cannot`)
  // Not set_config for all: a SELECT takes the transaction's snapshot, which a LOCK TABLE has to come before.
  if (lists.includes(known)) return `SELECT pg_catalog.set_config('${known}', ${literal(value)}, true)`
  return `SET LOCAL ${name.split('.').map(quoted).join('.')} = ${literal(value)}`
}

/** Quoted, as a part may be a keyword: `user.id`. */
function quoted(identifier: string): string {
  return `"${identifier}"`
}

/** Whatever standard_conforming_strings says: where there is a backslash, it is escaped and the literal says so. */
function literal(text: string): string {
  const doubled = text.replaceAll("'", "''")
  return text.includes('\\') ? `E'${doubled.replaceAll('\\', '\\\\')}'` : `'${doubled}'`
}
