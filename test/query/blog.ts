// A small blog on PostgreSQL, and what a test sees of the statements that run on it.

import { type Recording, recording, type TestDatabase, testDatabase } from '../../lib/testing/index.ts'
import { createComment } from '../../sql/comments.sql.ts'
import { createPost } from '../../sql/posts.sql.ts'
import { ensureTag, tagPost } from '../../sql/tags.sql.ts'
import { createUser } from '../../sql/users.sql.ts'

export interface Blog {
  readonly real: TestDatabase
  readonly db: Recording
}

/** Ada, Bob and Eve are 1, 2 and 3; posts 1 to 3 are Ada's, 4 is Bob's; two comments on post 1, one on post 4. */
export async function openBlog(): Promise<Blog> {
  const real = await testDatabase()
  const people = ['ada', 'bob', 'eve'].map((name) => ({ email: `${name}@x.org`, hashedPassword: 'h', fullName: name }))
  await createUser.batch(real, people)
  const titles = ['one', 'two', 'three', 'four']
  await createPost.batch(
    real,
    titles.map((title, at) => ({ authorId: at < 3 ? 1 : 2, title, content: 'c' })),
  )
  await createComment.batch(
    real,
    [1, 1, 4].map((postId, at) => ({ postId, authorId: at + 1, body: `c${at}` })),
  )
  const [sql, js] = await ensureTag.batch(real, [{ name: 'sql' }, { name: 'js' }])
  const tagged = [
    [1, sql],
    [1, js],
    [2, sql],
  ] as const
  await tagPost.batch(
    real,
    tagged.map(([postId, tag]) => ({ postId, tagId: tag!.id })),
  )
  return { real, db: recording(real) }
}

/** What a promise rejects with. */
export async function failure(promise: Promise<unknown>): Promise<Error & { input?: unknown }> {
  return promise.then(
    () => {
      throw new Error('expected an error, got none')
    },
    (error: Error) => error,
  )
}
