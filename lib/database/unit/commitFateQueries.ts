// The statements behind commitFate.ts, in the form that the generator writes.

import { type One, one, type Value, value } from '../../query/kinds.ts'

/** What a transaction has to remember to be asked about later. */
export interface TransactionMark {
  readonly xid: string
  /** The server process that runs it. */
  readonly backend: number
  /** Another value from then on: transaction ids may have been given out twice. */
  readonly life: string
}

/** What the server says of it. */
export interface Verdict {
  /** `committed`, `aborted`, `in progress`; null if the id is too old to be known. */
  readonly status: string | null
  readonly life: string
}

interface Statements {
  readonly mark: One<void, TransactionMark>
  readonly verdict: One<TransactionMark, Verdict>
}

// One value per line of WAL history: it grows by one when a standby is promoted.
const timeline = "case when pg_is_in_recovery() then '' else left(pg_walfile_name(pg_current_wal_lsn()), 8) end"
// Recovery from a crash resets the statistics; a clean restart keeps them.
const sinceCrash = "coalesce(pg_stat_get_bgwriter_stat_reset_time()::text, '')"

/** From PostgreSQL 17: the id is on disk before the mark is answered, so it is never given out again. */
export const flushing: Statements = statements(
  'Flushing',
  timeline,
  ", pg_logical_emit_message(false, 'plainsql', '', true)::text",
)

/** Before 17: a crash since then shows. */
export const watching: Statements = statements('Watching', `${timeline} || ' ' || ${sinceCrash}`, '')

function statements(suffix: string, life: string, flush: string): Statements {
  return {
    mark: one({
      name: `markTransaction${suffix}`,
      source: 'plainsql',
      statement: `plainsql_markTransaction${suffix}`,
      sql: `select pg_current_xact_id()::text, pg_backend_pid(), ${life}${flush}`,
      read: (r) => ({ xid: r.text(0), backend: r.int4(1), life: r.text(2) }),
    }),
    verdict: one({
      name: `askTransactionStatus${suffix}`,
      source: 'plainsql',
      statement: `plainsql_askTransactionStatus${suffix}`,
      // A standby may not have heard of it yet.
      sql: `
select case when pg_is_in_recovery() then 'in progress' else pg_xact_status($1::text::xid8) end, ${life}`,
      params: ['xid'],
      write: (w, p) => w.text(p.xid),
      read: (r) => ({ status: r.nullable.text(0), life: r.text(1) }),
    }),
  }
}

/** Ends the process of a transaction that waits for a COMMIT which never arrived. Answers how many that were. */
export const endIdleTransaction: Value<TransactionMark, number> = value({
  name: 'endIdleTransaction',
  source: 'plainsql',
  statement: 'plainsql_endIdleTransaction',
  // backend_xid has 32 bits, without the epoch.
  sql: `
select count(pg_terminate_backend(pid))::int4
from pg_stat_activity
where pid = $1 and state like 'idle in transaction%' and backend_xid = ($2::text::xid8)::xid`,
  params: ['backend', 'xid'],
  write: (w, p) => {
    w.int4(p.backend)
    w.text(p.xid)
  },
  read: (r) => r.int4(0),
})

export const serverVersion: Value<void, number> = value({
  name: 'serverVersion',
  source: 'plainsql',
  statement: 'plainsql_serverVersion',
  sql: "select current_setting('server_version_num')::int4",
  readOnly: true,
  read: (r) => r.int4(0),
})
