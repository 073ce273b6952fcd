// Names of prepared statements. A name is tied to one text per connection, so it carries a hash of the text.

import { createHash } from 'node:crypto'

/** PostgreSQL cuts identifiers at NAMEDATALEN − 1 bytes; two statements cut to the same name would be one. */
const maxBytes = 63

/** `getUser_1f2e3d4c`: readable in pg_prepared_statements, and unique for the text. */
export function statementName(query: string, sql: string): string {
  const hash = createHash('sha256').update(sql).digest('hex').slice(0, 12)
  return `${query.replace(/[^\x21-\x7e]/g, '').slice(0, maxBytes - hash.length - 1)}_${hash}`
}
