// A form that a query may have for many inputs, before and after PostgreSQL has checked it.

import type { AnalyzedQuery } from '../analyze.ts'
import type { WrittenRow } from './row.ts'

/** How the rows of a form find their inputs. */
export type Match =
  /** By the value of this column, which is the parameter's. */
  | { readonly by: 'key'; readonly column: number; readonly read: string }
  /** By the input's position, in the last column. */
  | { readonly by: 'ordinal' }
  /** By their own position: they come in the order of the inputs, one each. */
  | { readonly by: 'order' }
  /** Not at all: only their number counts. */
  | { readonly by: 'nothing' }

export interface Candidate {
  readonly sql: string
  readonly match: Match
  /** How many columns it has behind those of the query. */
  readonly added: 0 | 1
  /** Numbers of parameters, from 0; see `BatchSource.apart` in `lib/query/executor.ts`. */
  readonly apart?: readonly number[]
  /** Of a write; see `BatchSource.row` there. */
  readonly row?: WrittenRow
  /** What PostgreSQL must find its parameters to be. */
  readonly typeOids: readonly number[]
  /** Which form it is and why, as the generated file says it. */
  readonly why: string
}

/** The forms to try for a query, the best one first; without any, why there is none. */
export interface Candidates {
  readonly candidates: readonly Candidate[]
  readonly reason: string
  /** It writes nothing, locks nothing and calls nothing volatile. */
  readonly readOnly: boolean
}

export function none(reason: string, readOnly: boolean): Candidates {
  return { candidates: [], reason, readOnly }
}

/** A query with its form for many inputs. */
export interface FormedQuery extends AnalyzedQuery {
  readonly readOnly: boolean
  /** Null: each input is a statement. */
  readonly form: (Candidate & { readonly columns: readonly string[] }) | null
  /** Why it is this form, or none; empty for a query that can have no inputs. */
  readonly formReason: string
}
