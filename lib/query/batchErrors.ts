// Which input of a batch an error of PostgreSQL is about, where that is certain: by the values that PostgreSQL quotes.
// Only what must be in the quotation if it is of an input's row counts (`BatchSource.row`). So if that is there for one
// input only, it is the one.
// Source: ExecBuildSlotValueDescription in execMain.c, BuildIndexValueDescription in genam.c, ri_ReportViolation in
// ri_triggers.c. If the server does not speak English (lc_messages), nothing is found.

import type { QueryError } from '../errors.ts'
import { type Cell, cellText } from './cells.ts'
import type { BatchSource } from './executor.ts'

type Form = Pick<BatchSource, 'sql' | 'row' | 'apart'>

/** Whether an error may be about an input with these values. */
type Test = (cells: readonly Cell[]) => boolean

/**
 * The only input that the error can be about: by the key that it quotes (`Key (a, b)=(1, 2) already exists.`), by the row
 * (`Failing row contains (1, null, x).`), or by the text that is not of its type (`invalid input syntax for type uuid: "x"`).
 * Null if it quotes nothing that is certain, or several inputs have it.
 */
export function locateInput<Input extends { readonly cells: readonly Cell[] }>(
  error: QueryError,
  form: Form,
  inputs: readonly Input[],
): Input | null {
  const test = error.sqlState.startsWith('22') ? textTest(error, form) : (keyTest(error, form) ?? rowTest(error, form))
  const found = test === null ? [] : inputs.filter(({ cells }) => test(cells))
  return found.length === 1 ? (found[0] ?? null) : null
}

const textPattern =
  /^(?:invalid input (?:syntax for type|value for enum) (.*?)|date\/time field value out of range): "([\s\S]*)"$/

/**
 * What is no uuid cannot have got further than into the array of uuids. Of a parameter of another type it is not certain:
 * a statement may turn what is in the table into uuids.
 */
function textTest(error: QueryError, { sql }: Form): Test | null {
  const [, type = 'date', value] = textPattern.exec(error.serverError.message) ?? []
  if (value === undefined) return null
  return (cells) => cells.some((cell, at) => cellText(cell) === value && sql.includes(`$${at + 1}::${type}[]`))
}

const keyPattern = /^Key \((.*?)\)=\(([\s\S]*)\) (already exists|conflicts with|is not present|is referenced|is still)/

function keyTest(error: QueryError, { row, apart }: Form): Test | null {
  const [, names = '', values = '', what = ''] = keyPattern.exec(error.detail ?? '') ?? []
  // lower(email) is not the input's value.
  if (row === undefined || names === '' || names.includes('(')) return null
  const columns = names.split(', ')
  // With a comma in a value nobody can say where the next one starts.
  const parts = columns.length === 1 ? [values] : values.split(', ')
  if (parts.length !== columns.length) return null
  // Of a row that is still referenced the key is quoted that it had, which only the conditions tell; and the error is of
  // the other table. A cascade may have deleted rows of tables in between.
  const isOld = what.startsWith('is ') && what !== 'is not present'
  const isOurs = isOld
    ? error.serverError.message.startsWith(`update or delete on table "${row.table}" violates `)
    : error.table === row.table
  const known = columns.flatMap((name, at): [number, string][] => {
    const param = paramOf(row, name)
    return param === undefined || (isOld && apart?.includes(param) === false) ? [] : [[param, parts[at] ?? '']]
  })
  return isOurs && known.length > 0
    ? (cells) => known.every(([param, value]) => isPrintedAs(cells[param] ?? null, value))
    : null
}

/** By a column's name as a message has it: in quotes where SQL needs them. */
function paramOf({ columns }: NonNullable<Form['row']>, name: string): number | undefined {
  const plain = /^".*"$/.test(name) ? name.slice(1, -1).replaceAll('""', '"') : name
  return Object.hasOwn(columns, plain) ? columns[plain] : undefined
}

function isPrintedAs(cell: Cell, value: string): boolean {
  const text = cellText(cell) ?? 'null'
  return text === value || text.trimEnd() === value.trimEnd() || (uuidOf(text) ?? '') === uuidOf(value)
}

function rowTest(error: QueryError, { row }: Form): Test | null {
  const contents = /^Failing row contains \(([\s\S]*)\)\.$/.exec(error.detail ?? '')?.[1]
  if (row === undefined || contents === undefined || error.table !== row.table) return null
  // To who may not read all columns, it is `(a, b) = (1, 2)`.
  const line = `, ${contents}, ${contents.replace(/^.*?\) = \(/, '')}, `
  const withoutUuids = line.replace(/[-{}]/g, '').toLowerCase()
  const params = Object.values(row.columns)
  const nothing = error.sqlState === '23502' && error.column !== null ? paramOf(row, error.column) : undefined
  return (cells) => {
    if (nothing !== undefined && (cells[nothing] ?? null) !== null) return false
    return params.every((param) => {
      const text = cellText(cells[param] ?? null) ?? 'null'
      const uuid = uuidOf(text)
      return uuid === null ? line.includes(fieldOf(text)) : withoutUuids.includes(`, ${uuid}, `)
    })
  }
}

/**
 * How a value stands in a row, or how it starts: values come as they are, and end after 64 bytes. How many bytes a
 * character has there, up to four, is the server's business; and varchar(n) takes off some of the spaces at the end.
 */
function fieldOf(text: string): string {
  const trimmed = text.trimEnd()
  if (!/^[\0-\x7f]*$/.test(text)) return `, ${[...trimmed].slice(0, 16).join('')}`
  if (trimmed !== text) return `, ${trimmed.slice(0, 64)}`
  return text.length > 64 ? `, ${text.slice(0, 64)}..., ` : `, ${text}, `
}

/** Its digits alone: a uuid has many spellings. */
function uuidOf(text: string): string | null {
  const digits = text.replace(/[-{}]/g, '').toLowerCase()
  return /^[0-9a-f]{32}$/.test(digits) ? digits : null
}
