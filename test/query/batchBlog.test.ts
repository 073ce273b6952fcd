// timeout: 120
// batch(inputs)[i] equals the call on inputs[i]: every query of the blog, random data, on PostgreSQL and in memory.

import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Database } from '../../lib/database/database.ts'
import type { Executor } from '../../lib/query/executor.ts'
import { memoryDatabase, testDatabase } from '../../lib/testing/index.ts'
import * as comments from '../../sql/comments.sql.ts'
import * as posts from '../../sql/posts.sql.ts'
import * as tags from '../../sql/tags.sql.ts'
import * as users from '../../sql/users.sql.ts'
import type { AnyFunction } from '../support/generated.ts'

const id = fc.integer({ min: 1, max: 9 })
const text = fc.constantFrom('a', 'b', 'A', "it's", '{"x"}', 'back\\slash', 'NULL', '')
const page = fc.integer({ min: 0, max: 4 })
const email = fc.integer({ min: 1, max: 9 }).map((number) => `u${number}@x.org`)

/** Functions without parameters have no batch to speak of, and are called with none. */
const inputs: Record<string, Record<string, fc.Arbitrary<unknown>>> = {
  getComment: { id },
  listComments: { afterId: page, limit: page },
  listCommentsByPost: { postId: id },
  listCommentsByPosts: { postIds: fc.array(id, { maxLength: 3 }) },
  listPostsWithCommentCount: { authorId: id },
  countComments: {},
  countCommentsByPost: { postId: id },
  createComment: { postId: id, authorId: id, body: text },
  updateComment: { id, body: text },
  deleteComment: { id },
  getPost: { id },
  getPostWithAuthor: { id },
  listPosts: { limit: page, offset: page },
  listPostsByAuthor: { authorId: id },
  listPostsByAuthors: { authorIds: fc.array(id, { maxLength: 3 }) },
  listPostsByTag: { tag: text },
  countPosts: {},
  countPostsByAuthor: { authorId: id },
  createPost: { authorId: id, title: text, content: text },
  updatePost: { id, title: text, content: text },
  deletePost: { id },
  getTag: { id },
  getTagByName: { name: text },
  listTags: {},
  listTagNamesByPost: { postId: id },
  countTags: {},
  ensureTag: { name: text },
  tagPost: { postId: id, tagId: id },
  untagPost: { postId: id, tagId: id },
  renameTag: { id, name: text },
  deleteTag: { id },
  getUser: { id },
  getUserByEmail: { email },
  getUserCredentials: { email },
  listUsers: { afterId: page, limit: page },
  listActiveUsers: { afterId: page, limit: page },
  countUsers: {},
  createUser: { email, hashedPassword: text, fullName: fc.option(text) },
  updateUser: { id, email, fullName: fc.option(text), isActive: fc.boolean() },
  deactivateUser: { id },
  deleteUser: { id },
}

const functions = { ...comments, ...posts, ...tags, ...users } as unknown as Record<string, AnyFunction>

async function fill(db: Executor): Promise<void> {
  for (let number = 1; number <= 6; number++) {
    await users.createUser(db, { email: `u${number}@x.org`, hashedPassword: 'h', fullName: null })
  }
  for (let number = 1; number <= 8; number++) {
    await posts.createPost(db, { authorId: (number % 3) + 1, title: `t${number}`, content: 'c' })
  }
  for (let number = 1; number <= 8; number++) {
    await comments.createComment(db, { postId: (number % 4) + 1, authorId: (number % 5) + 1, body: `b${number}` })
  }
  for (const name of ['a', 'b', 'A']) await tags.ensureTag(db, { name })
  for (const [postId, tagId] of [
    [1, 1],
    [1, 2],
    [2, 1],
    [5, 3],
  ] as const)
    await tags.tagPost(db, { postId, tagId })
  await users.deactivateUser(db, { id: 4 })
}

const rollback = new Error('rolled back')

/** What came of it and, of a write, what was there afterwards; or the class of the error. Nothing stays. */
async function trial(db: Database, readOnly: boolean, work: (on: Executor) => Promise<unknown>): Promise<unknown> {
  let seen: unknown
  if (readOnly) return work(db)
  await db
    .unitOfWork(async (uow) => {
      const result = await work(uow)
      const everything = [
        await users.listUsers(uow, { afterId: 0, limit: 100 }),
        await posts.listPosts(uow, { limit: 100, offset: 0 }),
        await comments.listCommentsByPosts(uow, { postIds: [1, 2, 3, 4, 5, 6, 7, 8, 9] }),
        await tags.listTags(uow),
        await tags.listTagNamesByPost.batch(
          uow,
          [1, 2, 3, 4, 5, 6, 7, 8, 9].map((postId) => ({ postId })),
        ),
      ]
      seen = { result, everything: everything.map(comparable) }
      throw rollback
    })
    .catch((error: unknown) => {
      if (error !== rollback) seen = { error: (error as Error).name }
    })
  return seen
}

/** Sequences go on after a rollback and clocks do not stand still: new ids and moments are left out. */
function comparable(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(comparable)
  if (value === null || typeof value !== 'object') return value
  const isTag = 'name' in value
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => {
      const isNew = key === 'id' && Number(item) > (isTag ? 3 : 8)
      return [key, item instanceof Date || isNew ? 'new' : item]
    }),
  )
}

const places = [
  ['PostgreSQL', testDatabase],
  // Where there are no connections, it does not matter how they talk.
  ...(process.env.PLAINSQL_PLAIN === '1' ? [] : [['memory', memoryDatabase] as const]),
] as const
for (const [place, open] of places) {
  test(`batch answers what the calls answer one by one, in ${place}`, async () => {
    const db = await open()
    try {
      await fill(db)
      for (const [name, fields] of Object.entries(inputs)) {
        const call = functions[name]!
        const { kind, readOnly = false } = call.query
        const input = fc.record(fields)
        const property = fc.asyncProperty(fc.array(input, { maxLength: 6 }), async (list) => {
          const one = await trial(db, readOnly, async (on) => {
            const results: unknown[] = []
            for (const params of list) results.push(await call(on, params))
            return kind === 'exec'
              ? results.reduce((sum: number, count) => sum + Number(count), 0)
              : comparable(results)
          })
          const many = await trial(db, readOnly, async (on) => comparable(await call.batch(on, list)))
          // One statement checks unique keys while it goes: what another of its inputs would free is not free yet.
          if (name === 'updateUser' && isDeepStrictEqual(many, { error: 'UniqueViolationError' })) return
          assert.equal(many, one, name)
        })
        await fc.assert(property, { numRuns: 15, seed: 5 })
      }
      assert.equal(Object.keys(inputs).sort(), Object.keys(functions).sort())
    } finally {
      await db.close()
    }
  })
}

test.run()
