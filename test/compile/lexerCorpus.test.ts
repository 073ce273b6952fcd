// needs: ../shared/corpora
// The lexer on valid SQL of every kind: the 21,146 statements of PostgreSQL's own regression suite.

import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { lex } from '../../lib/compile/lexer.ts'

test("PostgreSQL's own regression suite: no parameter but the two [1:NULL] slices, and not a byte changed", () => {
  const corpus = resolve(import.meta.dirname, '../../../shared/corpora/lexer/pg_regress.jsonl')
  const statements = readFileSync(corpus, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line): { file: string; line: number; sql: string } => JSON.parse(line))
  const found: string[] = []
  for (const { file, line, sql } of statements) {
    const tokens = lex(sql)
    if (tokens.map((token) => sql.slice(token.start, token.end)).join('') !== sql)
      assert.unreachable(`${file}:${line} came back changed`)
    for (const token of tokens) {
      const isSql = token.closed && token.kind !== 'unknown' && token.kind !== 'meta-command' && token.kind !== 'param'
      if (!isSql) found.push(`${file}:${line} ${token.kind} ${sql.slice(token.start, token.end)}`)
    }
  }
  assert.is(statements.length, 21_146)
  assert.equal(found, ['arrays.sql:136 param :NULL', 'arrays.sql:144 param :NULL'])
})

test.run()
