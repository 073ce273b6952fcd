// include: the rows, their types, and 1 + one round trip per relationship, at any depth.

import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { include, relation } from '../../lib/query/include.ts'
import type { One, Values } from '../../lib/query/kinds.ts'
import { memoryDatabase, recording } from '../../lib/testing/index.ts'
import { listCommentsByPost } from '../../sql/comments.sql.ts'
import { countPostsByAuthor, getPost, listPostsByAuthor, listPostsByTag } from '../../sql/posts.sql.ts'
import { listTagNamesByPost } from '../../sql/tags.sql.ts'
import { createUser, getUser, listUsers } from '../../sql/users.sql.ts'
import { generated } from '../support/generated.ts'
import { type Blog, failure, openBlog } from './blog.ts'

let blog: Blog

test.before(async () => {
  blog = await openBlog()
})

test.before.each(() => blog.db.clear())
test.after(() => blog.real.close())

test('depth and width: 1 + one round trip per relationship', async () => {
  const page = await include(blog.db, await listUsers(blog.db, { afterId: 0, limit: 20 }), {
    posts: relation(listPostsByAuthor, (user) => ({ authorId: user.id }), {
      comments: relation(listCommentsByPost, (post) => ({ postId: post.id }), {
        author: relation(getUser, (comment) => ({ id: comment.authorId })),
      }),
      tags: relation(listTagNamesByPost, (post) => ({ postId: post.id })),
    }),
    postCount: relation(countPostsByAuthor, (user) => ({ authorId: user.id })),
  })
  assert.is(blog.db.roundTrips, 1 + 5)
  const shown = page.map((user) => ({
    name: user.fullName,
    count: user.postCount,
    posts: user.posts.map((post) => [post.title, post.tags, post.comments.map((comment) => comment.author?.fullName)]),
  }))
  assert.equal(shown, [
    {
      name: 'ada',
      count: 3,
      posts: [
        ['three', [], []],
        ['two', ['sql'], []],
        ['one', ['js', 'sql'], ['ada', 'bob']],
      ],
    },
    { name: 'bob', count: 1, posts: [['four', [], ['eve']]] },
    { name: 'eve', count: 0, posts: [] },
  ])
})

test('what the caller declares is checked against what comes, and does not change it', async () => {
  const titles = async (): Promise<readonly { id: number; posts: readonly { title: string }[] }[]> =>
    include(blog.db, await listUsers(blog.db, { afterId: 0, limit: 1 }), {
      posts: relation(listPostsByAuthor, (user) => ({ authorId: user.id })),
    })
  assert.equal(
    (await titles())[0]?.posts.map((post) => post.title),
    ['three', 'two', 'one'],
  )
})

test('relationships side by side are asked in the same tick', async () => {
  const asked: string[] = []
  const db = {
    execute: (query: { name: string }) => {
      asked.push(query.name)
      return new Promise<never>(() => {})
    },
  }
  const users = await listUsers(blog.real, { afterId: 0, limit: 20 })
  void include(db, users, {
    posts: relation(listPostsByAuthor, (user) => ({ authorId: user.id })),
    count: relation(countPostsByAuthor, (user) => ({ authorId: user.id })),
  })
  await Promise.resolve()
  assert.equal(asked, ['listPostsByAuthor', 'countPostsByAuthor'])
})

test('no rows make no round trips, at any depth', async () => {
  const none = await include(blog.db, [] as { id: number }[], {
    posts: relation(listPostsByAuthor, (user) => ({ authorId: user.id }), {
      tags: relation(listTagNamesByPost, (post) => ({ postId: post.id })),
    }),
  })
  assert.equal(none, [])
  assert.is(blog.db.roundTrips, 0)
})

test('from many to many, and back to the same rows: what is shared is asked once', async () => {
  const tagged = await include(blog.db, [{ tag: 'sql' }, { tag: 'js' }, { tag: 'none' }], {
    posts: relation(listPostsByTag, ({ tag }) => ({ tag }), {
      author: relation(getUser, (post) => ({ id: post.authorId })),
    }),
  })
  assert.equal(
    tagged.map(({ posts }) => posts.map((post) => [post.title, post.author?.fullName])),
    [
      [
        ['two', 'ada'],
        ['one', 'ada'],
      ],
      [['one', 'ada']],
      [],
    ],
  )
  assert.equal(blog.db.statements.at(-1), ['getUser', { id: 1 }])
})

test(':opt gives null, nested relationships too; the given rows stay as they are', async () => {
  const rows = [{ postId: 4 }, { postId: 99 }]
  const found = await include(blog.db, rows, {
    post: relation(getPost, ({ postId }) => ({ id: postId }), {
      author: relation(getUser, (post) => ({ id: post.authorId })),
    }),
  })
  const title: string | undefined = found[0]?.post?.title
  assert.is(title, 'four')
  assert.is(found[0]?.post?.author?.fullName, 'bob')
  assert.is(found[1]?.post, null)
  assert.equal(rows, [{ postId: 4 }, { postId: 99 }])
})

test('a missing row of :one says which key found none', async () => {
  const sql = '-- name: getName :one\nselect full_name from users where id = :id;'
  const { getName } = (await generated<{ getName: One<{ id: number }, unknown> }>(blog.real.url, sql)).functions
  const error = await failure(
    include(blog.db, [{ id: 1 }, { id: 42 }], { name: relation(getName, (row) => ({ id: row.id })) }),
  )
  assert.is(error.message, 'expected one row, got none in getName (sql/q.sql:1): input [1] of the batch')
  assert.equal(error.input, { index: 1, params: { id: 42 } })
})

test('a NULL among values stays null, with nested relationships too', async () => {
  const sql = `-- name: listCards :values
    select case when id <> 2 then jsonb_build_object('postId', id) end as card
    from posts where author_id = :authorId order by id;`
  const { listCards } = (
    await generated<{ listCards: Values<{ authorId: number }, { postId: number } | null> }>(blog.real.url, sql)
  ).functions
  const [row] = await include(blog.db, [{ id: 1 }], {
    cards: relation(listCards, ({ id }) => ({ authorId: id }), {
      tags: relation(listTagNamesByPost, (card) => ({ postId: card.postId })),
    }),
  })
  assert.equal(row?.cards, [{ postId: 1, tags: ['js', 'sql'] }, null, { postId: 3, tags: [] }])
})

test('a relationship called like a column takes its place', async () => {
  const [row] = await include(blog.db, [{ id: 1, posts: 'none' }], {
    posts: relation(countPostsByAuthor, ({ id }) => ({ authorId: id })),
  })
  const posts: number | undefined = row?.posts
  assert.is(posts, 3)
})

test('in memory it answers the same, in as many round trips', async () => {
  const db = recording(await memoryDatabase())
  await createUser.batch(
    db,
    ['a', 'b'].map((email) => ({ email, hashedPassword: 'h', fullName: null })),
  )
  db.clear()
  const users = await include(db, await listUsers(db, { afterId: 0, limit: 9 }), {
    posts: relation(listPostsByAuthor, (user) => ({ authorId: user.id })),
  })
  assert.equal(
    users.map((user) => [user.email, user.posts]),
    [
      ['a', []],
      ['b', []],
    ],
  )
  assert.is(db.roundTrips, 2)
})

test.run()
