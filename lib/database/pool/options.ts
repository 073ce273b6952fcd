// What can be set about a database's connections, with the defaults and why they are what they are.

import { describe } from '../../query/describe.ts'
import { longestMs } from '../cancellation.ts'

/** How connections are made, shared, kept and given up. Times are in milliseconds. */
export interface PoolOptions {
  /**
   * Connections at most. Default 10: a server does not get faster by more than two or three busy connections per core,
   * and statements outside of units of work share connections anyway.
   */
  readonly max?: number | undefined
  /**
   * Idle connections that are kept when `idleTimeoutMs` is over; none is made ahead. Default 0: nothing to pay for what
   * nobody uses.
   */
  readonly min?: number | undefined
  /** How long a caller waits for a connection before AcquireTimeoutError. Default 30,000; 0 waits for ever. */
  readonly acquireTimeoutMs?: number | undefined
  /** How long connecting may take, with TLS and password. Default 10,000: a lost SYN is repeated after 1, 3 and 7 s. */
  readonly connectTimeoutMs?: number | undefined
  /** Callers who may wait at a time; one more fails at once. Default 10,000: an overload should end, not pile up. */
  readonly maxWaiting?: number | undefined
  /**
   * After how long an idle connection is closed. Default 60,000: longer than pauses, shorter than firewalls' memory. 0
   * never.
   */
  readonly idleTimeoutMs?: number | undefined
  /**
   * After how long a connection is replaced, less up to a fifth by chance, so that those that were made together are
   * not all replaced together. Default 30 minutes: sooner or later a load balancer or a grown server process asks for
   * it. 0 never.
   */
  readonly maxLifetimeMs?: number | undefined
  /**
   * After how many times of use a connection is replaced; a unit of work is one, and so are all statements that share it
   * meanwhile. Default 0, never: its age says more. For server processes that grow with what they have seen, such as
   * thousands of partitions, sooner than they grow old.
   */
  readonly maxUses?: number | undefined
  /**
   * A connection that idled longer is asked for a sign of life before it is used (one round trip). Default 5,000: a
   * server that goes away says so, and is heard at once; what this finds is the network that went away in silence.
   */
  readonly pingAfterIdleMs?: number | undefined
  /** How long the sign of life may take. Default 2,000. */
  readonly pingTimeoutMs?: number | undefined
  /**
   * `statement_timeout` of every session: the server cancels what takes longer. Default 60,000. 0: no limit. A unit of
   * work may have its own, by its option `statementTimeoutMs`.
   */
  readonly statementTimeoutMs?: number | undefined
  /**
   * `idle_in_transaction_session_timeout` of every session: the server ends a unit of work that does nothing for
   * longer, whose locks would otherwise stay. Default 60,000. 0: no limit.
   */
  readonly idleInTransactionTimeoutMs?: number | undefined
  /**
   * After how long without an answer a connection is given up. Default: 5,000 more than `statementTimeoutMs`, when a
   * server that can be reached would have cancelled the statement; without that, and with `pgBouncer`, no limit. In a
   * unit of work with a longer `statementTimeoutMs` it is 5,000 more than that.
   */
  readonly answerTimeoutMs?: number | undefined
  /** More settings of every session, such as `{ search_path: 'app', TimeZone: 'UTC' }`; no round trip of their own. */
  readonly settings?: Readonly<Record<string, string>> | undefined
  /** Prepared statements per connection; the one that was not used for longest makes room. Default 256. 0: none. */
  readonly preparedStatements?: number | undefined
  /** Whether statements outside of units of work share connections (see docs/performance.md). Default true. */
  readonly lanes?: boolean | undefined
  /**
   * For a PgBouncer in transaction mode: no settings are sent that it refuses (the timeouts, so set them on the role),
   * and no statements are prepared unless `preparedStatements` is set (PgBouncer ≥ 1.21 with `max_prepared_statements`).
   * Default false: PgBouncer refuses to connect then, and the error says so.
   */
  readonly pgBouncer?: boolean | undefined
  /** Whether AcquireTimeoutError names the call sites of those who hold connections. Default false: stacks cost time. */
  readonly traceHolders?: boolean | undefined
}

/** TLS certificates in PEM format. Those of the connection string are files; these are texts. */
export interface Certificates {
  /** Of the authority that the server's certificate is verified by, instead of the public ones. */
  readonly ca?: string | undefined
  /** The client's own, with its key, where the server asks for one. */
  readonly cert?: string | undefined
  readonly key?: string | undefined
}

/** When a statement's time is up, a server that can be reached has cancelled it so much later at the latest. */
export const cancelledWithinMs = 5_000

/** With every default filled in. */
export type PoolSettings = { readonly [Name in keyof PoolOptions]-?: NonNullable<PoolOptions[Name]> }

/** @throws RangeError for numbers that cannot be meant, TypeError for settings that cannot be sent */
export function poolSettings(given: PoolOptions): PoolSettings {
  // In JavaScript, and from the environment, an option may well be undefined: as good as left out.
  const options: Partial<PoolSettings> = Object.fromEntries(
    Object.entries(given).filter(([, value]) => value !== undefined),
  )
  const { pgBouncer = false, statementTimeoutMs = 60_000 } = options
  if (options.settings?.statement_timeout !== undefined && !pgBouncer && options.answerTimeoutMs === undefined) {
    throw new RangeError('pool.settings.statement_timeout: set pool.statementTimeoutMs, which answerTimeoutMs follows')
  }
  for (const [name, value] of Object.entries(options.settings ?? {})) {
    checkStartup('a name in pool.settings', name)
    if (name === '') throw new TypeError('a name in pool.settings is empty')
    checkStartup(`pool.settings.${name}`, value)
  }
  const settings: PoolSettings = {
    max: 10,
    min: 0,
    acquireTimeoutMs: 30_000,
    connectTimeoutMs: 10_000,
    maxWaiting: 10_000,
    idleTimeoutMs: 60_000,
    maxLifetimeMs: 30 * 60_000,
    maxUses: 0,
    pingAfterIdleMs: 5_000,
    pingTimeoutMs: 2_000,
    statementTimeoutMs,
    idleInTransactionTimeoutMs: 60_000,
    answerTimeoutMs: statementTimeoutMs === 0 || pgBouncer ? 0 : statementTimeoutMs + cancelledWithinMs,
    settings: {},
    preparedStatements: pgBouncer ? 0 : 256,
    lanes: true,
    pgBouncer,
    traceHolders: false,
    ...options,
  }
  for (const [name, value] of Object.entries(settings)) {
    const least = name === 'max' ? 1 : 0
    const most = name.endsWith('Ms') ? longestMs : Number.POSITIVE_INFINITY
    if (typeof value === 'number' && !(value >= least && value <= most)) {
      const range = value < least || Number.isNaN(value) ? `at least ${least}` : `at most ${most}`
      throw new RangeError(`pool.${name} must be a number of ${range}, got ${value}`)
    }
  }
  return settings
}

/**
 * A zero ends a text in the startup message: what stands behind it would be a parameter of its own, such as `user`.
 * @throws TypeError
 */
export function checkStartup(what: string, value: unknown): void {
  if (typeof value !== 'string') throw new TypeError(`${what} must be a string, got ${describe(value)}`)
  if (value.includes('\0')) throw new TypeError(`${what} holds the character U+0000`)
}

/** The pool at a moment. */
export interface PoolStats {
  /** Connections, those that are being made included. */
  readonly total: number
  /** Connections that nobody holds. */
  readonly idle: number
  /** Connections that statements outside of units of work share, and those statements. */
  readonly lanes: number
  readonly inFlight: number
  /** Callers who wait for a connection. */
  readonly waiting: number
  /** Whether no connection could be made when it was last tried. */
  readonly unreachable: boolean
}
