// The form for many inputs as the generated file shows it: which one, why, its SQL, and how rows find their inputs.

import { oneLine, propertyKey, stringLiteral, templateText } from '../naming.ts'
import { statementName } from '../statementName.ts'
import type { FormedQuery } from './candidate.ts'
import type { WrittenRow } from './row.ts'

/** Lines of the object literal that a query is. @param star whether the form's columns depend on the schema */
export function emitForm({ name, form, formReason, readOnly }: FormedQuery, star: boolean): string {
  const marked = readOnly ? '  readOnly: true,\n' : ''
  if (form === null)
    return formReason === '' ? marked : `${marked}  // For many: one statement each, because ${oneLine(formReason)}.\n`
  return `${marked}  // For many: ${oneLine(form.why)}.
  batch: {
    statement: ${stringLiteral(statementName(`${name}_batch`, form.sql))},
    sql: \`
${templateText(form.sql)}\`,
${star && form.added > 0 ? `  ${emitColumns(form.columns)}` : ''}${emitMatch(form)}${form.apart ? `    apart: [${form.apart.join(', ')}],\n` : ''}${form.row ? emitRow(form.row) : ''}  },
`
}

/** What the columns of a `*` were called. */
export function emitColumns(names: readonly string[]): string {
  return `  columns: [${names.map(stringLiteral).join(', ')}],\n`
}

function emitMatch({ match, columns }: NonNullable<FormedQuery['form']>): string {
  if (match.by === 'key') return `    key: (r) => r.${match.read}(${match.column}),\n`
  return match.by === 'ordinal' ? `    ordinal: (r) => r.int8(${columns.length - 1}),\n` : ''
}

function emitRow({ table, columns }: WrittenRow): string {
  const params = [...columns].map(([name, param]) => `${propertyKey(name)}: ${param}`).join(', ')
  return `    row: { table: ${stringLiteral(table)}, columns: { ${params} } },\n`
}
