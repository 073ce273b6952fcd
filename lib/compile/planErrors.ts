// The one common mistake that PostgreSQL does not see when it analyses a statement but when it plans it: ON CONFLICT
// without a unique index for it. Such queries are planned too (EXPLAIN runs nothing), in one round trip.

import pg from 'pg'
import { isSignificant, lex } from './lexer.ts'
import type { DescribedQuery, Diagnostic, Span } from './model.ts'
import { problem } from './problem.ts'
import { node } from './tree.ts'

/** EXPLAIN takes statements with parameters since this version. */
const genericPlanVersion = 160000

/** "there is no unique or exclusion constraint matching the ON CONFLICT specification" */
const noArbiter = '42P10'

/** One error for each upsert whose ON CONFLICT fits no unique index. Nothing before PostgreSQL 16. */
export async function planErrors(client: pg.Client, queries: readonly DescribedQuery[]): Promise<Diagnostic[]> {
  const upserts = queries.filter(({ tree }) => tree !== null && node(tree, 'onConflict') !== null)
  if (upserts.length === 0) return []
  const version = await client.query<{ version: number }>(
    "select current_setting('server_version_num')::int as version",
  )
  if ((version.rows[0]?.version ?? 0) < genericPlanVersion) return []
  const checks = upserts.map(async (query): Promise<Diagnostic[]> => {
    const refused = await client.query(`explain (generic_plan) ${query.sql}`).then(
      () => null,
      (error: Error) => error,
    )
    // Other errors of planning (a division by a constant zero, say) may stand where no row ever comes.
    if (!(refused instanceof pg.DatabaseError) || refused.code !== noArbiter) return []
    const hints = ['name exactly the columns of a UNIQUE or PRIMARY KEY constraint, or of a unique index']
    return [problem(query.file, conflictSpan(query), noArbiter, refused.message, '', { query: query.name, hints })]
  })
  return (await Promise.all(checks)).flat()
}

/** `on conflict`, in the file. */
function conflictSpan({ file, bodySpan, nameSpan }: DescribedQuery): Span {
  const tokens = lex(file.text.slice(0, bodySpan.end), bodySpan.start).filter(isSignificant)
  const words = tokens.map((token) => file.text.slice(token.start, token.end).toLowerCase())
  const at = words.findIndex((word, index) => word === 'on' && words[index + 1] === 'conflict')
  const [first, second] = [tokens[at], tokens[at + 1]]
  return first && second ? { start: first.start, end: second.end } : nameSpan
}
