// pg-mem's errors as PostgreSQL would have reported them. In: whatever pg-mem threw. Out: an error with SQLSTATE, table,
// column and constraint, or null where PostgreSQL would not have failed like that, if at all.

import type { ServerFields } from '../errors.ts'
import type { MemorySchema } from './schema.ts'

/** Thrown by our own operators inside pg-mem. */
export class MemoryServerError extends Error implements ServerFields {
  readonly code: string
  readonly severity = 'ERROR'
  readonly detail?: string | undefined
  readonly table?: string | undefined
  readonly column?: string | undefined
  readonly constraint?: string | undefined

  constructor(code: string, message: string, fields: Omit<ServerFields, 'code' | 'severity'> = {}) {
    super(message)
    this.code = code
    Object.assign(this, fields)
  }
}

export function notNull(column: string, table: string): MemoryServerError {
  const message = `null value in column "${column}" of relation "${table}" violates not-null constraint`
  return new MemoryServerError('23502', message, { table, column })
}

/** @param target the table that the statement changes */
export function serverError(error: unknown, target: string, schema: MemorySchema): MemoryServerError | null {
  if (error instanceof MemoryServerError) return error
  if (!(error instanceof Error)) return null
  for (const [pattern, translate] of translations) {
    const match = pattern.exec(error.message)
    if (match) return translate(match, target, schema)
  }
  return null
}

type Translation = (match: RegExpExecArray, target: string, schema: MemorySchema) => MemoryServerError

const translations: readonly (readonly [RegExp, Translation])[] = [
  [
    /insert into "([^"]+)"[\s\S]*duplicate key value violates unique constraint[\s\S]*Key \((.*?)\)=\(([\s\S]*)\) already exists/,
    ([, table = '', columns = '', values], _target, schema) => {
      const names = columns === '' ? [] : columns.split(',')
      const constraint = schema.keyOf(table, names)?.name
      const detail = `Key (${names.join(', ')})=(${values}) already exists.`
      const message = `duplicate key value violates unique constraint "${constraint ?? '?'}"`
      return new MemoryServerError('23505', message, { table, constraint, detail })
    },
  ],
  [/null value in column "([^"]+)" violates not-null constraint/, ([, column = ''], table) => notNull(column, table)],
  [
    /check constraint "(smallint|integer) out of range: [^"]*" is violated/,
    ([, type]) => new MemoryServerError('22003', `${type} out of range`),
  ],
  [
    /check constraint "([^"]+)" is violated/,
    ([, constraint], table) =>
      new MemoryServerError('23514', `new row for relation "${table}" violates check constraint "${constraint}"`, {
        table,
        constraint,
      }),
  ],
  [
    /insert or update on table "[^"]+" violates foreign key constraint on table "([^"]+)"/,
    ([, constraint = ''], target, schema) => {
      const table = schema.tableOfForeignKey(constraint) ?? target
      const message = `insert or update on table "${table}" violates foreign key constraint "${constraint}"`
      return new MemoryServerError('23503', message, { table, constraint })
    },
  ],
  [
    /update or delete on table "([^"]+)" violates foreign key constraint on table "([^"]+)"/,
    ([, referenced, constraint = ''], _target, schema) => {
      const table = schema.tableOfForeignKey(constraint)
      const message = `update or delete on table "${referenced}" violates foreign key constraint "${constraint}" on table "${table}"`
      return new MemoryServerError('23503', message, { table, constraint })
    },
  ],
  [
    /cannot insert into column "([^"]+)"/,
    ([, column], table) =>
      new MemoryServerError('428C9', `cannot insert a non-DEFAULT value into column "${column}"`, { table, column }),
  ],
  [
    /value too long for type (character varying\(\d+\))/,
    ([, type]) => new MemoryServerError('22001', `value too long for type ${type}`),
  ],
  [/invalid input value for enum (\w+)/, ([message]) => new MemoryServerError('22P02', message)],
  [/invalid input syntax for type (\w+)/, ([message]) => new MemoryServerError('22P02', message)],
]
