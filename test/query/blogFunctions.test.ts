// What a repository layer needs of every table of the blog, and the function that does it: that each is there and does
// that. What the functions answer is in ../testing/blog.ts, on PostgreSQL and in memory.
// wire only: no call of it goes over a connection

import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import * as comments from '../../sql/comments.sql.ts'
import * as posts from '../../sql/posts.sql.ts'
import * as tags from '../../sql/tags.sql.ts'
import * as users from '../../sql/users.sql.ts'
import type { AnyFunction } from '../support/generated.ts'

/** How to tell that a function does it: its kind, and what stands in its statement, where T is the table. */
const needs = {
  'get by id': ['opt', /from T\s+where id = \$1$/],
  'get by unique key': ['opt', /from T\s+where \w+ = \$1$/],
  'all, in pages': ['many', /from T\s+(where id > \$1\s+)?order by id( desc)?\s+limit \$\d/],
  'active ones': ['many', /from T\s+where is_active\s+and id > \$1\s+order by id\s+limit \$2$/],
  create: ['one', /^insert into T .*\sreturning id/s],
  update: ['opt', /^update T\s+set .*\swhere id = \$\d\s+returning id/s],
  'delete, and say whether it was there': ['exec', /^delete from T\s+where id = \$1$/],
  count: ['value', /^select count\(\*\) from T$/],
} as const

/** Null where there is nothing of the kind: no unique key but the id, nobody who could be inactive. */
const tables: Readonly<Record<string, Readonly<Record<keyof typeof needs, unknown>>>> = {
  users: {
    'get by id': users.getUser,
    'get by unique key': users.getUserByEmail,
    'all, in pages': users.listUsers,
    'active ones': users.listActiveUsers,
    create: users.createUser,
    update: users.updateUser,
    'delete, and say whether it was there': users.deleteUser,
    count: users.countUsers,
  },
  posts: {
    'get by id': posts.getPost,
    'get by unique key': null,
    'all, in pages': posts.listPosts,
    'active ones': null,
    create: posts.createPost,
    update: posts.updatePost,
    'delete, and say whether it was there': posts.deletePost,
    count: posts.countPosts,
  },
  comments: {
    'get by id': comments.getComment,
    'get by unique key': null,
    'all, in pages': comments.listComments,
    'active ones': null,
    create: comments.createComment,
    update: comments.updateComment,
    'delete, and say whether it was there': comments.deleteComment,
    count: comments.countComments,
  },
  tags: {
    'get by id': tags.getTag,
    'get by unique key': tags.getTagByName,
    // There are few: all of them.
    'all, in pages': null,
    'active ones': null,
    create: tags.ensureTag,
    update: tags.renameTag,
    'delete, and say whether it was there': tags.deleteTag,
    count: tags.countTags,
  },
}

for (const [table, functions] of Object.entries(tables)) {
  test(`what ${table} need`, () => {
    for (const [need, run] of Object.entries(functions)) {
      if (run === null) continue
      const { kind, sql, name } = (run as AnyFunction).query
      const [expected, pattern] = needs[need as keyof typeof needs]
      assert.is(kind, expected, name)
      assert.match(sql.trim(), new RegExp(pattern.source.replace('T', `\\b${table}\\b`), pattern.flags), name)
    }
  })
}

test('every table of the migrations with an id is there, and what has a unique key or can be inactive says so', () => {
  const sql = readdirSync('migrations').map((file) => readFileSync(`migrations/${file}`, 'utf8'))
  const created = [...sql.join('\n').matchAll(/create table (\w+) \((.*?)\n\);/gs)]
  const withId = created.filter(([, , columns = '']) => /^\s+id integer/m.test(columns))
  assert.equal(withId.map(([, table]) => table).sort(), Object.keys(tables).sort())
  for (const [, table = '', columns = ''] of withId) {
    assert.is(/ unique/.test(columns), tables[table]?.['get by unique key'] !== null, `${table}: unique`)
    assert.is(/is_active/.test(columns), tables[table]?.['active ones'] !== null, `${table}: active`)
  }
})

test.run()
