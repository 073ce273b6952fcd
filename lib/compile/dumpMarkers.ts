// What pg_dump writes for psql alone. In: its SQL. Out: the same with blanks in the place of those lines.

import { lex } from './lexer.ts'

/**
 * pg_dump (since 18, 17.6, …) brackets its output by `\restrict` and `\unrestrict`, which only psql knows. They are
 * blanked, so that every position stays. Other psql commands stay too, and are PostgreSQL's syntax errors.
 */
export function withoutDumpMarkers(sql: string): string {
  if (!sql.includes('restrict')) return sql
  return lex(sql)
    .map((token) => sql.slice(token.start, token.end))
    .map((text) => (/^\\(un)?restrict\b/.test(text) ? ' '.repeat(text.length) : text))
    .join('')
}
