// The form of each query that runs it for many inputs: analyzed queries in, the same with their forms out.
// A form is derived from the text and the tree, and counts only if PostgreSQL describes it as it describes the query.

import type pg from 'pg'
import type { AnalyzedQuery } from './analyze.ts'
import type { Catalog } from './catalog.ts'
import { describeStatements, type StatementDescription } from './describe.ts'
import { type Candidate, type Candidates, type FormedQuery, none } from './forms/candidate.ts'
import { readForms } from './forms/reads.ts'
import { writeForms } from './forms/writes.ts'
import { int } from './tree.ts'

export type { FormedQuery } from './forms/candidate.ts'

/** Derives and checks the forms of all queries. One round trip; nothing is run. */
export async function deriveForms(
  client: pg.Client,
  queries: readonly AnalyzedQuery[],
  catalog: Catalog,
): Promise<FormedQuery[]> {
  const derived = queries.map((query) => candidatesOf(query, catalog))
  const texts = derived.flatMap(({ candidates }) => candidates.map((candidate) => candidate.sql))
  const answers = await describeStatements(client, texts, { withTrees: false })
  let at = 0
  return queries.map((query, index) => {
    const { candidates, reason, readOnly } = derived[index]!
    const own = answers.slice(at, at + candidates.length)
    at += candidates.length
    const found = candidates.findIndex((candidate, number) => isAccepted(query, candidate, own[number]!))
    const form = candidates[found]
    const described = own[found]
    if (!form || !described || 'error' in described) return { ...query, readOnly, form: null, formReason: reason }
    return {
      ...query,
      readOnly,
      form: { ...form, columns: described.columns.map(({ name }) => name) },
      formReason: form.why,
    }
  })
}

function candidatesOf(query: AnalyzedQuery, catalog: Catalog): Candidates {
  const { tree, params } = query
  if (!tree) return none('', false)
  // CmdType 1 is SELECT.
  const isRead = int(tree, 'commandType') === 1
  const found = isRead ? readForms(query, tree, catalog) : writeForms(query, tree, catalog)
  return params.length === 0 ? none('', found.readOnly) : found
}

/** Whether the form has the query's columns, and its inputs' parameters have the types that they were derived for. */
function isAccepted(
  query: AnalyzedQuery,
  candidate: Candidate,
  answer: StatementDescription | { readonly error: unknown },
): boolean {
  if ('error' in answer) return false
  const { columns, paramTypeOids } = answer
  return (
    columns.length === query.columns.length + candidate.added &&
    query.columns.every(({ typeOid }, at) => columns[at]?.typeOid === typeOid) &&
    paramTypeOids.length === candidate.typeOids.length &&
    candidate.typeOids.every((oid, at) => paramTypeOids[at] === oid)
  )
}
