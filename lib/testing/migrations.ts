// The schema of a database in memory: Up sections and schema files, one statement at a time.

import { isSignificant, lex } from '../compile/lexer.ts'
import { linesOf } from '../compile/sourceText.ts'
import { queryError } from '../database/failures.ts'
import type { QueryIdentity } from '../errors.ts'
import { type Memory, parseOne, unsupported } from './connection.ts'
import { definition } from './definitions.ts'
import type { Engine } from './engine.ts'
import { serverError } from './failures.ts'
import { withTargets } from './foreignKeys.ts'
import { type Lack, lackOf } from './lacks.ts'
import type { MemorySchema } from './schema.ts'
import type { SchemaSource } from './schemaSources.ts'
import { statement, targetOf } from './statements.ts'
import { UnsupportedInMemoryError } from './unsupported.ts'

/**
 * Runs the statements of a source on pg-mem. Relations that it cannot have are refused where they are used.
 * @throws UnsupportedInMemoryError, for a statement of which it is not known what else there is without it; QueryError
 */
export function defineIn(memory: Omit<Memory, 'store'>, source: SchemaSource): void {
  for (const { sql, at } of statementsOf(source)) {
    if (withoutEffect.test(sql)) continue
    const identity = { name: source.name, source: `${source.path}:${linesOf(source.text).placeAt(at).line}` }
    const lack = lackOf(sql)
    if (lack && memory.schema.lacks.get(lack.name)?.of === 'relation') {
      skip(memory.schema, sql, lack)
      continue
    }
    try {
      runStatement(memory, sql, identity)
    } catch (error) {
      if (!(error instanceof UnsupportedInMemoryError) || lack === null || lack.of === 'drop') throw error
      if (lack.of === 'nothing' || (changesRows.test(sql) && isEmpty(memory.engine, lack.name))) continue
      lose(memory.schema, lack.name, lack.of, `${error.feature} (${identity.source})`)
    }
  }
}

const changesRows = /^(?:update|delete)\b/i

function isEmpty(engine: Engine, table: string): boolean {
  const one = { expr: { type: 'integer', value: 1 } }
  const tree = { type: 'select', columns: [one], from: [{ type: 'table', name: { name: table } }] }
  return engine.run(tree, engine.state(), new Date()).answer.rows.length === 0
}

/** Passes over a statement about a relation that is not there. */
function skip(schema: MemorySchema, sql: string, { of, name }: Lack): void {
  const lack = schema.lacks.get(name)
  const [, to] = /^alter\b[^;]*\brename\s+to\s+"?([^"\s]+)"?$/i.exec(sql) ?? []
  if (of === 'drop' || to) schema.lacks.delete(name)
  if (to && lack) schema.lacks.set(to, lack)
  if (/^insert\b/i.test(sql)) schema.hasHiddenRows = true
}

function lose(schema: MemorySchema, name: string, of: 'relation' | 'changes', why: string): void {
  if (of === 'relation') schema.dropTable(name)
  schema.lacks.set(name, { of, why })
}

/**
 * What changes no result here; PostgreSQL's indexes only make it faster, pg-mem's make `= ANY` wrong. What an extension
 * brings, its types and functions, is refused where it is used.
 */
const withoutEffect =
  /^(?:(?:create\s+index|create\s+extension|drop\s+extension|comment|grant|revoke|analyze|vacuum|cluster|reindex|alter\s+default|begin|commit|start\s+transaction)\b|set\s+(?!role\b|session\b|search_path\b)\w+\s*(?:=|to\b)|select\s+pg_catalog\.set_config\('search_path')/i

function runStatement({ engine, schema }: Omit<Memory, 'store'>, sql: string, identity: QueryIdentity): void {
  const refuse = (feature: string): never => {
    throw new UnsupportedInMemoryError(identity, feature)
  }
  const scope = { params: [], schema, refuse }
  const parsed = parseOne(engine, withTargets(sql, schema), refuse)
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
