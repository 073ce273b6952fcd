// The schema of a database in memory: Up sections and schema files, one statement at a time.

import { isSignificant, lex } from '../compile/lexer.ts'
import { linesOf } from '../compile/sourceText.ts'
import { queryError } from '../database/failures.ts'
import type { QueryIdentity } from '../errors.ts'
import { type Memory, parseOne, unsupported } from './connection.ts'
import { definition } from './definitions.ts'
import { serverError } from './failures.ts'
import type { SchemaSource } from './schemaSources.ts'
import { statement, targetOf } from './statements.ts'
import { UnsupportedInMemoryError } from './unsupported.ts'

/** Runs the statements of a source on pg-mem. @throws UnsupportedInMemoryError, QueryError */
export function defineIn(memory: Omit<Memory, 'store'>, source: SchemaSource): void {
  for (const { sql, at } of statementsOf(source)) {
    const identity = { name: source.name, source: `${source.path}:${linesOf(source.text).placeAt(at).line}` }
    if (!withoutEffect.test(sql)) runStatement(memory, sql, identity)
  }
}

/**
 * What changes no result here; PostgreSQL's indexes only make it faster, pg-mem's make `= ANY` wrong. What an extension
 * brings, its types and functions, is refused where it is used.
 */
const withoutEffect =
  /^(?:create\s+index|create\s+extension|drop\s+extension|comment|grant|revoke|analyze|vacuum|cluster|reindex|alter\s+default|begin|commit|start\s+transaction)\b/i

function runStatement({ engine, schema }: Omit<Memory, 'store'>, sql: string, identity: QueryIdentity): void {
  const refuse = (feature: string): never => {
    throw new UnsupportedInMemoryError(identity, feature)
  }
  const scope = { params: [], schema, refuse }
  const parsed = parseOne(engine, sql, refuse)
  try {
    if (['insert', 'update', 'delete', 'select', 'with'].includes(String(parsed.type))) {
      engine.run(statement(parsed, scope), engine.state(), new Date())
    } else {
      const tree = definition(parsed, scope)
      if (tree) engine.define(tree)
    }
  } catch (error) {
    if (error instanceof UnsupportedInMemoryError && error.query !== null) throw error
    const server = serverError(error, targetOf(parsed), schema)
    throw server ? queryError(identity, server) : unsupported(error, identity)
  }
}

function statementsOf({ text, start, end }: SchemaSource): { sql: string; at: number }[] {
  const statements: { sql: string; at: number }[] = []
  let at: number | null = null
  let last = 0
  const close = () => {
    if (at !== null) statements.push({ sql: text.slice(at, last), at })
    at = null
  }
  for (const token of lex(text.slice(0, end), start)) {
    if (token.kind === 'semicolon') close()
    else if (isSignificant(token)) {
      at ??= token.start
      last = token.end
    }
  }
  close()
  return statements
}
