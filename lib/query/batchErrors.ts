// Which input of a batch an error of PostgreSQL is about, where PostgreSQL tells: by the values that it quotes.

import type { QueryError } from '../errors.ts'
import { type Cell, cellText } from './cells.ts'

/**
 * The only input that holds all the values that the error quotes: a key's (`Key (a, b)=(1, 2) already exists.`), or the
 * one that is no number (`invalid input syntax for type integer: "x"`). Null if it quotes none, or several inputs do.
 */
export function locateInput<Input extends { readonly cells: readonly Cell[] }>(
  error: QueryError,
  inputs: readonly Input[],
): Input | null {
  const values = quotedValues(error)
  if (values === null) return null
  const found = inputs.filter(({ cells }) => {
    const texts = cells.map(cellText)
    return values.every((value) => texts.includes(value))
  })
  return found.length === 1 ? (found[0] ?? null) : null
}

function quotedValues(error: QueryError): string[] | null {
  const key = /^Key \((.*)\)=\(([\s\S]*)\) /.exec(error.detail ?? '')
  if (key) {
    const [columns = '', values = ''] = key.slice(1)
    // With a comma in a value nobody can say where the next one starts; and lower(email) is not the input's value.
    const parts = columns.includes(', ') ? values.split(', ') : [values]
    return parts.length === columns.split(', ').length && !columns.includes('(') ? parts : null
  }
  const value = /: "([\s\S]*)"$/.exec(error.sqlState.startsWith('22') ? error.serverError.message : '')
  return value ? [value[1] ?? ''] : null
}
