// What a schema has and the database in memory cannot have. In: a statement that cannot be run. Out: what it leaves
// behind that must not be used, so that the rest of the schema can be.

import { isSignificant, lex } from '../compile/lexer.ts'

/** What is refused from then on: all of a relation, changes of a table, or nothing that would not be refused anyway. */
export interface Lack {
  readonly of: 'relation' | 'changes' | 'nothing' | 'drop'
  /** Of the relation, if any. */
  readonly name: string
}

const name = String.raw`(?:if (?:not )?exists )?(?:only )?((?:[^ ()]+ \. )?[^ ()]+)`

const rules: readonly (readonly [RegExp, Lack['of']])[] = [
  [new RegExp(`^create (?:or replace )?(?:unlogged )?table ${name}`, 'i'), 'relation'],
  [new RegExp(`^create (?:or replace )?(?:materialized |recursive )?view ${name}`, 'i'), 'relation'],
  [new RegExp(`^alter (?:table|view|materialized view) ${name}`, 'i'), 'relation'],
  [new RegExp(`^(?:insert into|update|delete from) ${name}`, 'i'), 'relation'],
  [new RegExp(`^create (?:or replace )?(?:constraint )?trigger .*? on ${name}`, 'i'), 'changes'],
  [new RegExp(`^create unique index .*?on ${name}`, 'i'), 'changes'],
  [new RegExp(`^drop (?:table|view|materialized view) ${name}`, 'i'), 'drop'],
  // Functions, sequences and types of a schema are refused where they are used, and so are tables outside of "public".
  [/^create (?:or replace )?(?:function|procedure|aggregate|domain|type|schema|sequence|policy)\b/i, 'nothing'],
  [/^alter (?:function|procedure|domain|policy|sequence \S+(?: \. \S+)? own(?:er|ed))\b/i, 'nothing'],
  [/^drop (?:function|procedure|domain|policy|sequence|trigger)\b/i, 'nothing'],
]

/** Null if nobody knows what else there is without it: the schema has to be refused. */
export function lackOf(sql: string): Lack | null {
  const words = [...lex(sql)].filter(isSignificant).map(({ start, end }) => sql.slice(start, end))
  const text = words.join(' ')
  for (const [rule, of] of rules) {
    const match = rule.exec(text)
    if (match) return { of, name: relationName(match[1] ?? '') }
  }
  return null
}

/** `"public" . users` → `users`, `app . users` → `app.users`. */
function relationName(written: string): string {
  const parts = written.split(' . ').map((part) => (part.startsWith('"') ? part.slice(1, -1) : part.toLowerCase()))
  return (parts[0] === 'public' ? parts.slice(1) : parts).join('.')
}
