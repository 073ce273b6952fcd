// Asks PostgreSQL what the queries are: parsed queries in; parameter and column types, analyzed trees and diagnostics out.
// Nothing is run. Per query one Parse, Describe and Sync; all of them are written before the first answer is read, so a
// thousand queries wait for one round trip. (Node's sockets read while they write: full buffers cannot deadlock.)

import pg from 'pg'
import type { Catalog } from './catalog.ts'
import { loadFunctionNames } from './catalogRows.ts'
import type { DescribedColumn, DescribedQuery, Diagnostic, ParsedQuery, TreeNode } from './model.ts'
import { postgresError, type ServerError } from './postgresError.ts'
import { isNode, parseTree, unwrapTree } from './tree.ts'

export interface Described {
  /** The queries that PostgreSQL accepts, in their order. */
  readonly described: DescribedQuery[]
  /** One error for each of the others, in their order. */
  readonly diagnostics: Diagnostic[]
}

/**
 * Describes every query, in one round trip if `client` was made with `pipeline: true`, else one after another.
 * `catalog` gives the names for "did you mean". Rejects only if the connection fails.
 */
export async function describeQueries(
  client: pg.Client,
  queries: readonly ParsedQuery[],
  catalog: Catalog | null = null,
): Promise<Described> {
  const answers = await describeStatements(
    client,
    queries.map((query) => query.sql),
  )
  // SQLSTATE 42883: no such function or operator. Their names are asked for only then.
  const lacksFunction = answers.some((answer) => 'error' in answer && answer.error.code === '42883')
  const names = { catalog, functions: lacksFunction ? await loadFunctionNames(client) : [] }
  const described: DescribedQuery[] = []
  const diagnostics: Diagnostic[] = []
  queries.forEach((query, index) => {
    const answer = answers[index]!
    if ('error' in answer) diagnostics.push(postgresError(query, answer.error, names))
    else described.push({ ...query, ...answer })
  })
  return { described, diagnostics }
}

/** PostgreSQL's answer for one statement. */
export interface StatementDescription {
  readonly paramTypeOids: readonly number[]
  readonly columns: readonly DescribedColumn[]
  /** The analyzed `QUERY` node; null for a utility statement. */
  readonly tree: TreeNode | null
}

/**
 * Describes plain statements: the protocol's part of `describeQueries`. The answers come in the statements' order.
 * Trees are most of the work, on both sides: without them it is several times faster.
 */
export async function describeStatements(
  client: pg.Client,
  statements: readonly string[],
  { withTrees = true }: { readonly withTrees?: boolean } = {},
): Promise<readonly (StatementDescription | { readonly error: ServerError })[]> {
  if (statements.length === 0) return []
  const waiting: DescribeStatement[] = []
  const onNotice = (notice: Notice): void => waiting[0]?.handleNotice(notice)
  const onParameters = (message: { dataTypeIDs: number[] }): void => waiting[0]?.handleParameters(message.dataTypeIDs)
  client.on('notice', onNotice)
  client.connection.on('parameterDescription', onParameters)
  try {
    const settings = client.query(
      `set client_min_messages = log; set debug_print_parse = ${withTrees ? 'on' : 'off'}; set debug_pretty_print = off`,
    )
    const answers = statements.map((sql) => {
      const statement = new DescribeStatement(sql, () => waiting.shift())
      waiting.push(statement)
      client.query(statement)
      return statement.answer
    })
    const reset = client.query('reset client_min_messages; reset debug_print_parse; reset debug_pretty_print')
    const [all] = await Promise.all([Promise.all(answers), settings, reset])
    return all
  } finally {
    client.off('notice', onNotice)
    client.connection.off('parameterDescription', onParameters)
  }
}

/** The fields of a NoticeResponse that are read here. */
interface Notice {
  readonly routine?: string | undefined
  readonly detail?: string | undefined
}

interface RowDescription {
  readonly fields: readonly {
    readonly name: string
    readonly tableID: number
    readonly columnID: number
    readonly dataTypeID: number
    readonly dataTypeModifier: number
  }[]
}

/**
 * One statement's Parse, Describe and Sync. It extends `pg.Query` because a pipelined client takes nothing else; the
 * handlers are those that the client calls. Answers come in the order of the statements, so the first one that waits is
 * the one that a notice or a parameter description belongs to, which the client does not hand on.
 */
class DescribeStatement extends pg.Query {
  readonly answer: Promise<StatementDescription | { readonly error: ServerError }>
  readonly #sql: string
  #settle!: (answer: StatementDescription | { readonly error: ServerError }) => void
  #fail!: (error: Error) => void
  #params: readonly number[] = []
  #columns: readonly DescribedColumn[] = []
  #tree: TreeNode | null = null

  constructor(sql: string, done: () => void) {
    super(sql)
    this.#sql = sql
    this.answer = new Promise((resolve, reject) => {
      this.#settle = (answer) => {
        done()
        resolve(answer)
      }
      this.#fail = (error) => {
        done()
        reject(error)
      }
    })
  }

  override submit = (connection: pg.Connection): void => {
    connection.stream.cork()
    connection.parse({ name: '', text: this.#sql, types: [] }, true)
    connection.describe({ type: 'S', name: '' }, true)
    connection.sync()
    connection.stream.uncork()
  }

  handleNotice(notice: Notice): void {
    // Other LOG messages (durations, statements) come too, if the server is set to write them.
    if (notice.routine !== 'elog_node_display' || notice.detail === undefined) return
    const tree = parseTree(unwrapTree(notice.detail))
    // Before 16 the statement itself is a mere `?`.
    if (isNode(tree, 'QUERY') && tree.utilityStmt === null) this.#tree = tree
  }

  handleParameters(typeOids: readonly number[]): void {
    this.#params = typeOids
  }

  handleRowDescription(message: RowDescription): void {
    this.#columns = message.fields.map((field) => ({
      name: field.name,
      typeOid: field.dataTypeID,
      typeModifier: field.dataTypeModifier,
      tableOid: field.tableID,
      columnNumber: field.columnID,
    }))
  }

  handleReadyForQuery(): void {
    this.#settle({ paramTypeOids: this.#params, columns: this.#columns, tree: this.#tree })
  }

  handleError(error: Error): void {
    // What the server says is an answer; anything else is the connection's end.
    if (error instanceof pg.DatabaseError) this.#settle({ error })
    else this.#fail(error)
  }
}
