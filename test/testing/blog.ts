// What a repository layer does with the blog's functions, as scenarios: each gets an empty blog and answers everything
// it saw. `agreement.test.ts` runs them on both kinds of test database.

import type { Database } from 'plainsql'
import {
  countComments,
  countCommentsByPost,
  createComment,
  deleteComment,
  getComment,
  listComments,
  listCommentsByPost,
  listCommentsByPosts,
  listPostsWithCommentCount,
  updateComment,
} from '../../sql/comments.sql.ts'
import {
  countPosts,
  countPostsByAuthor,
  createPost,
  deletePost,
  getPost,
  getPostWithAuthor,
  listPosts,
  listPostsByAuthor,
  listPostsByAuthors,
  listPostsByTag,
  updatePost,
} from '../../sql/posts.sql.ts'
import {
  countTags,
  deleteTag,
  ensureTag,
  getTag,
  getTagByName,
  listTagNamesByPost,
  listTags,
  renameTag,
  tagPost,
  untagPost,
} from '../../sql/tags.sql.ts'
import {
  countUsers,
  createUser,
  deactivateUser,
  deleteUser,
  getUser,
  getUserByEmail,
  getUserCredentials,
  listActiveUsers,
  listUsers,
  updateUser,
} from '../../sql/users.sql.ts'

export type Scenario = (db: Database) => Promise<unknown>

const ada = { email: 'ada@example.com', hashedPassword: 'h1', fullName: 'Ada' }
const bob = { email: 'bob@example.com', hashedPassword: 'h2', fullName: 'Bob' }
const eve = { email: 'eve@example.com', hashedPassword: 'h3', fullName: 'Eve' }

/** Ada, Bob and Eve are 1, 2 and 3; posts 1 and 2 are Ada's, 3 is Bob's; three comments, two tags. */
async function fill(db: Database): Promise<void> {
  for (const user of [ada, bob, eve]) await createUser(db, user)
  for (const authorId of [1, 1, 2]) await createPost(db, { authorId, title: `t${authorId}`, content: 'c' })
  await createComment(db, { postId: 1, authorId: 2, body: 'first' })
  await createComment(db, { postId: 1, authorId: 3, body: 'second' })
  await createComment(db, { postId: 3, authorId: 1, body: 'third' })
  for (const name of ['sql', 'ts']) await ensureTag(db, { name })
  await tagPost(db, { postId: 1, tagId: 1 })
  await tagPost(db, { postId: 1, tagId: 2 })
  await tagPost(db, { postId: 3, tagId: 1 })
}

const filled =
  (scenario: Scenario): Scenario =>
  async (db) => {
    await fill(db)
    return scenario(db)
  }

/** What a promise came to: its value, or all that an error says of itself. */
export function settled(promise: Promise<unknown>): Promise<unknown> {
  return promise.catch((error: unknown) => {
    if (!(error instanceof Error)) throw error
    const { sqlState, constraint, table, column, query, source } = error as Error & Record<string, unknown>
    return { error: error.name, message: error.message, sqlState, constraint, table, column, query, source }
  })
}

export const scenarios: Readonly<Record<string, Scenario>> = {
  'an empty blog': async (db) => [
    await countUsers(db),
    await listUsers(db, { afterId: 0, limit: 10 }),
    await getUser(db, { id: 1 }),
    await getPost(db, { id: 1 }),
    await listTags(db),
    await getTag(db, { id: 1 }),
    await listComments(db, { afterId: 0, limit: 10 }),
    [await countPosts(db), await countComments(db), await countTags(db)],
    await listPostsByAuthors(db, { authorIds: [1, 2] }),
    await deleteUser(db, { id: 1 }),
    await updatePost(db, { id: 1, title: 't', content: 'c' }),
  ],
  'users are created and found': async (db) => [
    await createUser(db, ada),
    await createUser(db, bob),
    await getUser(db, { id: 2 }),
    await getUserByEmail(db, { email: ada.email }),
    await getUserByEmail(db, { email: 'ADA@example.com' }),
    await getUserCredentials(db, { email: bob.email }),
  ],
  'pages of users': filled(async (db) => [
    await listUsers(db, { afterId: 0, limit: 2 }),
    await listUsers(db, { afterId: 2, limit: 2 }),
    await listUsers(db, { afterId: 0, limit: 0 }),
    await settled(listUsers(db, { afterId: 0, limit: -1 })),
    await countUsers(db),
  ]),
  'deactivated users cannot sign in': filled(async (db) => [
    await deactivateUser(db, { id: 2 }),
    await deactivateUser(db, { id: 2 }),
    await listActiveUsers(db, { afterId: 0, limit: 10 }),
    await getUserCredentials(db, { email: bob.email }),
    await getUser(db, { id: 2 }),
  ]),
  'users are updated': filled(async (db) => [
    await updateUser(db, { id: 1, email: 'a@example.com', fullName: 'Bob', isActive: false }),
    await updateUser(db, { id: 99, email: 'x@example.com', fullName: 'Bob', isActive: false }),
    await getUser(db, { id: 1 }),
    await settled(updateUser(db, { id: 1, email: bob.email, fullName: 'Bob', isActive: true })),
    await getUser(db, { id: 1 }),
  ]),
  'an e-mail address is taken': filled(async (db) => [
    await settled(createUser(db, { ...ada, fullName: 'Another' })),
    await countUsers(db),
  ]),
  'texts of every kind': async (db) => {
    const names = [
      '',
      ' ',
      "it's",
      'a\\b',
      '\\',
      '%_',
      '$1',
      '"quoted"',
      'new\nline\ttab',
      'ÄßŒ😀',
      '--',
      '/*',
      "'; --",
    ]
    const created = []
    for (const [index, fullName] of names.entries()) {
      created.push(await createUser(db, { email: `${fullName}@${index}`, hashedPassword: fullName, fullName }))
    }
    const found = []
    for (const [index, name] of names.entries()) found.push(await getUserByEmail(db, { email: `${name}@${index}` }))
    return { created, found }
  },
  'values that no parameter can take': async (db) => [
    await settled(getUser(db, { id: 1.5 })),
    await settled(getUser(db, { id: 2 ** 31 })),
    await settled(getUser(db, { id: null as unknown as number })),
    await settled(createUser(db, { ...ada, email: undefined as unknown as string })),
    await settled(createUser(db, { ...ada, email: 'nul\0' })),
  ],
  'posts and their authors': filled(async (db) => [
    await getPost(db, { id: 3 }),
    await getPostWithAuthor(db, { id: 3 }),
    await getPostWithAuthor(db, { id: 99 }),
    await listPosts(db, { limit: 2, offset: 0 }),
    await listPosts(db, { limit: 2, offset: 2 }),
    await listPostsByAuthor(db, { authorId: 1 }),
    await countPosts(db),
    await countPostsByAuthor(db, { authorId: 1 }),
    await countPostsByAuthor(db, { authorId: 3 }),
    await updatePost(db, { id: 1, title: 'new', content: 'text' }),
    await deletePost(db, { id: 1 }),
    await deletePost(db, { id: 1 }),
    await countPosts(db),
  ]),
  'many in one round trip': filled(async (db) => [
    await listPostsByAuthors(db, { authorIds: [] }),
    await listPostsByAuthors(db, { authorIds: [1] }),
    await listPostsByAuthors(db, { authorIds: [2, 1, 2, 99] }),
    await listCommentsByPosts(db, { postIds: [3, 1] }),
    await listCommentsByPosts(db, { postIds: Array.from({ length: 1000 }, (_, index) => index) }),
  ]),
  'a post needs an author': filled(async (db) => [
    await settled(createPost(db, { authorId: 99, title: 't', content: 'c' })),
    await settled(createComment(db, { postId: 99, authorId: 1, body: 'b' })),
    await settled(createComment(db, { postId: 1, authorId: 99, body: 'b' })),
    await settled(tagPost(db, { postId: 1, tagId: 99 })),
    await listPosts(db, { limit: 10, offset: 0 }),
  ]),
  'what belongs to a user goes with the user': filled(async (db) => [
    await deleteUser(db, { id: 1 }),
    await listPosts(db, { limit: 10, offset: 0 }),
    await listCommentsByPosts(db, { postIds: [1, 2, 3] }),
    await listTagNamesByPost(db, { postId: 1 }),
    await countTags(db),
    await deleteUser(db, { id: 1 }),
  ]),
  comments: filled(async (db) => [
    await getComment(db, { id: 1 }),
    await listComments(db, { afterId: 0, limit: 2 }),
    await listComments(db, { afterId: 2, limit: 2 }),
    await countComments(db),
    await listCommentsByPost(db, { postId: 1 }),
    await listPostsWithCommentCount(db, { authorId: 1 }),
    await listPostsWithCommentCount(db, { authorId: 3 }),
    await countCommentsByPost(db, { postId: 1 }),
    await updateComment(db, { id: 1, body: 'changed' }),
    await updateComment(db, { id: 99, body: 'changed' }),
    await deleteComment(db, { id: 1 }),
    await deleteComment(db, { id: 1 }),
    await countCommentsByPost(db, { postId: 1 }),
    await countComments(db),
  ]),
  tags: filled(async (db) => [
    await listTags(db),
    await getTag(db, { id: 2 }),
    await getTag(db, { id: 99 }),
    await getTagByName(db, { name: 'ts' }),
    await tagPost(db, { postId: 1, tagId: 1 }),
    await tagPost(db, { postId: 2, tagId: 1 }),
    await untagPost(db, { postId: 1, tagId: 2 }),
    await untagPost(db, { postId: 1, tagId: 2 }),
    await listTagNamesByPost(db, { postId: 1 }),
    await listPostsByTag(db, { tag: 'sql' }),
    await renameTag(db, { id: 2, name: 'typescript' }),
    await settled(renameTag(db, { id: 2, name: 'sql' })),
    await renameTag(db, { id: 99, name: 'other' }),
    await ensureTag(db, { name: 'sql' }),
    await deleteTag(db, { id: 1 }),
    await deleteTag(db, { id: 1 }),
    await countTags(db),
    await listPostsByTag(db, { tag: 'sql' }),
  ]),
  'a unit of work commits': filled(async (db) => [
    await db.unitOfWork(async (uow) => {
      const user = await createUser(uow, { email: 'new@example.com', hashedPassword: 'h', fullName: 'Bob' })
      const post = await createPost(uow, { authorId: user.id, title: 't', content: 'c' })
      // now() is the start of the transaction for both.
      return { user, post, sameMoment: user.createdAt.getTime() === post.createdAt.getTime() }
    }),
    await countUsers(db),
  ]),
  'a unit of work rolls back': filled(async (db) => [
    await settled(
      db.unitOfWork(async (uow) => {
        await deleteUser(uow, { id: 1 })
        await createUser(uow, { email: 'new@example.com', hashedPassword: 'h', fullName: 'Bob' })
        throw new RangeError(`${await countUsers(uow)} users in the unit`)
      }),
    ),
    await countUsers(db),
    await listPosts(db, { limit: 10, offset: 0 }),
  ]),
  'a failed statement rolls its unit of work back': filled(async (db) => [
    await settled(
      db.unitOfWork(async (uow) => {
        await deleteUser(uow, { id: 3 })
        const first = await settled(createUser(uow, ada))
        const second = await settled(countUsers(uow))
        return [first, second]
      }),
    ),
    await countUsers(db),
  ]),
  'other connections do not see what is not committed': filled(async (db) => {
    const [deleted, seen] = [gate(), gate()]
    const unit = db.unitOfWork(async (uow) => {
      await deleteUser(uow, { id: 3 })
      deleted.open()
      await seen.opened
      return countUsers(uow)
    })
    await deleted.opened
    const outside = await countUsers(db)
    seen.open()
    return [outside, await unit, await countUsers(db)]
  }),
  'savepoints undo a part of a unit of work': filled(async (db) => [
    await db.unitOfWork(async (uow) => {
      await deleteUser(uow, { id: 3 })
      const failed = await settled(uow.savepoint((inner) => createUser(inner, ada)))
      await uow.savepoint((inner) => deactivateUser(inner, { id: 2 }))
      return [failed, await countUsers(uow)]
    }),
    await listActiveUsers(db, { afterId: 0, limit: 10 }),
  ]),
  'a unit of work with options': filled(async (db) => [
    await settled(db.unitOfWork((uow) => deleteUser(uow, { id: 1 }), { readOnly: true, isolation: 'serializable' })),
    await db.unitOfWork((uow) => deleteUser(uow, { id: 1 }), {
      isolation: 'repeatable read',
      statementTimeoutMs: 5000,
      settings: { 'app.tenant_id': "o'clock" },
    }),
    await settled(db.unitOfWork((uow) => Promise.all([deleteUser(uow, { id: 2 }), countUsers(db)]))),
    await countUsers(db),
    // What is meant to run outside does so, and sees what is committed.
    await db.unitOfWork(async (uow) => {
      await deleteUser(uow, { id: 3 })
      return countUsers(db.with({ outsideUnit: true }))
    }),
  ]),
  'many inputs at once': filled(async (db) => [
    await getUser.batch(db, [{ id: 2 }, { id: 99 }, { id: 1 }, { id: 2 }]),
    await listPostsByAuthor.batch(db, [{ authorId: 2 }, { authorId: 1 }, { authorId: 3 }]),
  ]),
  'writers wait for each other': filled(async (db) => {
    const deactivate = (id: number) =>
      db.unitOfWork(async (uow) => {
        const changed = await deactivateUser(uow, { id })
        await new Promise((resolve) => setImmediate(resolve))
        return changed
      })
    return [
      await Promise.all([deactivate(1), deactivate(2), deactivateUser(db, { id: 3 })]),
      await listActiveUsers(db, { afterId: 0, limit: 9 }),
    ]
  }),
}

interface Gate {
  readonly opened: Promise<void>
  open(): void
}

function gate(): Gate {
  let open = (): void => {}
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return { opened, open }
}
