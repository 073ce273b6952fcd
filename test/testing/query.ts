// Queries written down in tests: what the generator would make of them, from a line of words.

import { createHash } from 'node:crypto'
import { type Many, many, type ParamWriter, type RowReader } from 'plainsql'
import { array, int4, nullable, oneOf, text } from '../../lib/query/codecs.ts'

/** A parameter with the way it is written: `['int4', 1]`, `['text[]', ['a']]`; `['int4?', null]`. */
export type Param = readonly [type: string, value: unknown]

/**
 * A `:many` query.
 * @param columns the reader of each column: `int4 text? json`
 */
export function rowsOf(sql: string, columns: string, params: readonly Param[] = []): Many<object, unknown[]> {
  const readers = columns.split(' ').filter((column) => column !== '')
  return many<object, unknown[]>({
    name: 'tested',
    source: 'test.sql:1',
    // Statements are prepared under a name, which must belong to one text.
    statement: createHash('sha256').update(sql).digest('hex').slice(0, 40),
    sql,
    params: params.map((_, index) => `p${index + 1}`),
    write: (w) => {
      for (const [type, value] of params) write(w, type, value)
    },
    ...(readers.length > 0 ? { read: (r: RowReader) => readers.map((column, index) => read(r, column, index)) } : {}),
  })
}

const codecs = {
  mood: oneOf('mood', 'sad', 'ok', 'great'),
  'int4[]': array(nullable(int4)),
  'text[]': array(nullable(text)),
}

type Methods = Record<string, (...args: unknown[]) => unknown>

function write(w: ParamWriter, type: string, value: unknown): void {
  const name = type.replace('?', '')
  const writer = (type.endsWith('?') ? w.nullable : w) as unknown as Methods
  if (name in codecs) writer.value!(value, codecs[name as keyof typeof codecs])
  else writer[name]!(value)
}

function read(r: RowReader, type: string, index: number): unknown {
  const name = type.replace('?', '')
  const reader = (type.endsWith('?') ? r.nullable : r) as unknown as Methods
  return name in codecs ? reader.value!(index, codecs[name as keyof typeof codecs]) : reader[name]!(index)
}
