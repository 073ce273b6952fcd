// Mixed load on the blog: what a service does, and what goes wrong in one, by many callers at once.
// In: a database that `fill` has filled. Out: kinds of callers; every answer is checked against what was asked, and a wrong
// one throws an Assertion. What the load writes it deletes again, so that the database stays as large as it was.

import { Client } from 'pg'
import * as assert from 'uvu/assert'
import {
  batching,
  CancelledError,
  CommitUnknownError,
  ConnectionError,
  type Database,
  ForeignKeyViolationError,
  NotCommittedError,
  ParameterError,
  type PlainsqlError,
  QueryError,
  StatementSkippedError,
  TimeoutError,
  UniqueViolationError,
} from '../../lib/index.ts'
import { countCommentsByPost, createComment } from '../../sql/comments.sql.ts'
import { createPost, deletePost, listPostsByAuthor, listPostsByAuthors, updatePost } from '../../sql/posts.sql.ts'
import { createUser, deleteUser, type GetUserRow, getUser, getUserByEmail, listUsers } from '../../sql/users.sql.ts'
import { type Arrays, divide, echoArrays, pause, uneven } from './soakQueries.ts'

export interface Work {
  readonly name: string
  /** How many do it at a time. */
  readonly callers: number
  /** Does it once. @param n another number each time */
  run(db: Database, n: number): Promise<void>
}

export const load: readonly Work[] = [
  { name: 'lookup', callers: 24, run: lookUp },
  { name: 'list', callers: 2, run: listPage },
  { name: 'batch', callers: 2, run: readBatch },
  { name: 'arrays', callers: 2, run: sendArrays },
  { name: 'bulk', callers: 2, run: writeBulk },
  { name: 'unit', callers: 4, run: commitUnit },
  { name: 'undone', callers: 1, run: undoUnit },
  { name: 'cancelled', callers: 2, run: cancelCall },
  { name: 'timed out', callers: 1, run: timeOut },
  { name: 'refused', callers: 2, run: beRefused },
  { name: 'uneven', callers: 2, run: runUneven },
  { name: 'slow', callers: 1, run: runSlow },
]

const userCount = 2_000
const postsPerUser = 3
const pageSize = 500
const hashedPassword = 'hash'

/** Users 1 to 2,000 with three posts each, which nobody changes. */
export async function fill(url: string): Promise<void> {
  const client = new Client(url)
  await client.connect()
  await client.query(`
    insert into users (email, hashed_password, full_name, created_at)
    select 'user' || n || '@example.com', 'hash', case when n % 3 > 0 then 'Üser ' || n end,
      timestamptz '2026-01-01Z' + n * interval '1 minute'
    from generate_series(1, ${userCount}) n order by n;
    insert into posts (author_id, title, content)
    select author, 'Post ' || at || ' of ' || author, repeat('word ', at)
    from generate_series(1, ${userCount}) author, generate_series(1, ${postsPerUser}) at order by author, at;
    analyze`)
  await client.end()
}

/** Whether it is the error of a server that went away, or of a statement behind one that got such an error. */
export function isLoss(error: unknown): error is PlainsqlError {
  if (error instanceof StatementSkippedError) return isLoss(error.cause)
  return [ConnectionError, CommitUnknownError, NotCommittedError].some((Loss) => error instanceof Loss)
}

async function lookUp(db: Database, n: number): Promise<void> {
  const id = someUser(n)
  if (n % 11 === 0) assert.is(await getUser(db, { id: -id }), null)
  else if (n % 5 === 0) assert.equal(await getUserByEmail(db, { email: userOf(id).email }), userOf(id))
  else if (n % 29 === 0) assert.equal(await getUser(db.with({ timeoutMs: 60_000 }), { id }), userOf(id))
  else assert.equal(await getUser(db, { id }), userOf(id))
}

async function listPage(db: Database, n: number): Promise<void> {
  const afterId = someUser(n) % (userCount - pageSize)
  const expected = Array.from({ length: pageSize }, (_, at) => userOf(afterId + 1 + at))
  assert.equal(await listUsers(db, { afterId, limit: pageSize }), expected)
}

async function readBatch(db: Database, n: number): Promise<void> {
  // Some twice, and some that are not there.
  const inputs = Array.from({ length: 120 }, (_, at) => ({ id: at % 9 === 0 ? -at : someUser(n + (at % 100)) }))
  const expected = inputs.map(({ id }) => (id > 0 ? userOf(id) : null))
  assert.equal(await getUser.batch(db, inputs), expected)
  const scope = batching(db)
  assert.equal(await Promise.all(inputs.map((input) => getUser(scope, input))), expected)

  const authorIds = [...new Set(inputs.map(({ id }) => id))].sort((a, b) => a - b)
  const titles = authorIds.map(titlesOf)
  const posts = await listPostsByAuthors(db, { authorIds })
  assert.equal(titlesIn(posts), titles.flat())
  const authors = authorIds.map((authorId) => ({ authorId }))
  const groups = await listPostsByAuthor.batch(db, authors)
  assert.equal(groups.map(titlesIn), titles)
}

async function sendArrays(db: Database, n: number): Promise<void> {
  const length = n % 50
  const some = <T>(make: (at: number) => T): T[] => Array.from({ length }, (_, at) => make(at))
  const arrays: Arrays = {
    ints: some((at) => (at % 7 === 3 ? null : (at - 20) * 71_582_788)),
    bigints: some((at) => (at % 2 ? 1 : -1) * (Number.MAX_SAFE_INTEGER - n - at)),
    floats: some((at) => [0.1 * n, -1 / 3, Number.NaN, Number.POSITIVE_INFINITY, 5e-324, 1e308][at % 6] as number),
    texts: some((at) => (at % 9 === 5 ? null : texts[(n + at) % texts.length]) ?? null),
    flags: some((at) => at % 3 === 0),
    moments: some((at) => new Date(Date.UTC(1969 + at, n % 12, 29, 23, 59, 59, n % 1000))),
  }
  assert.equal(await echoArrays(db, arrays), arrays)
}

/** What PostgreSQL's text of an array has to quote, and what needs more bytes than characters. */
const texts = [
  '',
  'NULL',
  'null',
  '{}',
  '"',
  '\\',
  'a,b',
  ' padded ',
  "it's",
  'line\nbreak',
  'é',
  '漢字',
  '🐘',
  'x'.repeat(300),
]

async function writeBulk(db: Database, n: number): Promise<void> {
  const author = await createUser(db, { email: `bulk${n}@example.com`, hashedPassword, fullName: null })
  const inputs = Array.from({ length: 10 + (n % 200) }, (_, at) => ({
    authorId: author.id,
    title: `${at} ${texts[at % texts.length]}`,
    content: texts[(n + at) % texts.length] as string,
  }))
  const posts = await createPost.batch(db, inputs)
  assert.equal(
    posts.map(({ authorId, title, content }) => ({ authorId, title, content })),
    inputs,
  )
  const changes = posts.map(({ id, title, content }) => ({ id, title: content, content: title }))
  // A row that is not there, and one that is meant twice: the last one wins.
  const first = changes[0] as (typeof changes)[number]
  const changed = await updatePost.batch(db, [{ ...first, title: 'first' }, ...changes, { ...first, id: -1 }])
  assert.equal(
    titlesIn(changed.slice(1, -1)),
    changes.map(({ title }) => title),
  )
  assert.is(changed.at(-1), null)
  const byId = (await listPostsByAuthor(db, { authorId: author.id })).reverse()
  assert.equal(byId, changed.slice(1, -1))
  assert.is(
    await deletePost.batch(
      db,
      posts.map(({ id }) => ({ id })),
    ),
    posts.length,
  )
  assert.is(await deleteUser(db, { id: author.id }), 1)
}

async function commitUnit(db: Database, n: number): Promise<void> {
  const email = `unit${n}@example.com`
  const safe = { verifyCommit: true, retry: { connectionLoss: true } }
  const { user, post } = await db.unitOfWork(
    async (uow) => {
      const user = await createUser(uow, { email, hashedPassword, fullName: texts[n % texts.length] as string })
      const post = await uow.savepoint((inner) =>
        createPost(inner, { authorId: user.id, title: email, content: 'kept' }),
      )
      const taken = uow.savepoint(async (inner) => {
        await createPost(inner, { authorId: user.id, title: email, content: 'undone' })
        await createUser(inner, { email: userOf(1).email, hashedPassword, fullName: null })
      })
      await expectError(taken, UniqueViolationError, '23505')
      for (const body of texts) uow.add(createComment, { postId: post.id, authorId: user.id, body })
      assert.equal(await listPostsByAuthor(uow, { authorId: user.id }), [post])
      return { user, post }
    },
    n % 4 === 0 ? safe : {},
  )
  assert.equal(await getUserByEmail(db, { email }), user)
  assert.is(await countCommentsByPost(db, { postId: post.id }), texts.length)
  assert.is(await deleteUser(db, { id: user.id }), 1)
}

async function undoUnit(db: Database, n: number): Promise<void> {
  const email = `undone${n}@example.com`
  const reason = new Error('undo it')
  const unit = db.unitOfWork(async (uow) => {
    assert.is((await createUser(uow, { email, hashedPassword, fullName: null })).email, email)
    throw reason
  })
  assert.is(await unit.catch(unlessLost), reason)
  assert.is(await getUserByEmail(db, { email }), null)
}

async function cancelCall(db: Database, n: number): Promise<void> {
  if (n % 2 === 0) {
    return expectError(pause(db.with({ timeoutMs: 1 + (n % 40) }), { seconds: 60, answer: n }), TimeoutError)
  }
  const reason = new Error('not needed any more')
  const controller = new AbortController()
  const timer = setTimeout(() => controller.abort(reason), n % 40)
  const call = pause(db.with({ signal: controller.signal }), { seconds: 60, answer: n })
  await expectError(call, CancelledError).finally(() => clearTimeout(timer))
}

/** Either all of it is there or nothing is. */
async function timeOut(db: Database, n: number): Promise<void> {
  const email = `late${n}@example.com`
  const unit = db.unitOfWork(
    async (uow) => {
      await createUser(uow, { email, hashedPassword, fullName: null })
      await pause(uow, { seconds: n % 2 ? 0 : 60, answer: n })
    },
    { timeoutMs: 5 + (n % 60) },
  )
  const error = await unit.then(() => null, unlessLost)
  if (error !== null) assert.instance(error, TimeoutError)
  const user = await getUserByEmail(db, { email })
  assert.is(user?.email, error === null ? email : undefined)
  if (user !== null) assert.is(await deleteUser(db, { id: user.id }), 1)
}

async function beRefused(db: Database, n: number): Promise<void> {
  const nobody = { authorId: -1, title: 'x', content: 'y' }
  const somebody = { email: userOf(someUser(n)).email, hashedPassword, fullName: null }
  await expectError(divide(db, { by: 0 }), QueryError, '22012')
  assert.is(await divide(db, { by: n % 2 ? 1 : -1 }), n % 2 ? 1 : -1)
  await expectError(createPost(db, nobody), ForeignKeyViolationError, '23503')
  await expectError(createUser(db, somebody), UniqueViolationError, '23505')
  await expectError(createUser.batch(db, [{ ...somebody, email: `x${n}` }, somebody]), UniqueViolationError, '23505')
  await expectError(getUser(db, { id: 2 ** 31 }), ParameterError)
  const aborted = db.unitOfWork(async (uow) => {
    await Promise.all([divide(uow, { by: 1 }), divide(uow, { by: 0 }), divide(uow, { by: 2 })])
  })
  await expectError(aborted, QueryError, '22012')
}

async function runUneven(db: Database, n: number): Promise<void> {
  assert.is(await uneven(db, { seconds: n % 200 === 0 ? 0.1 : 0, answer: n }), n)
}

async function runSlow(db: Database, n: number): Promise<void> {
  assert.is(await pause(db, { seconds: 0.3, answer: n }), n)
}

function someUser(n: number): number {
  return 1 + ((n * 7919 + 13) % userCount)
}

function userOf(id: number): GetUserRow {
  return {
    id,
    email: `user${id}@example.com`,
    fullName: id % 3 > 0 ? `Üser ${id}` : null,
    isActive: true,
    createdAt: new Date(Date.UTC(2026, 0, 1, 0, id)),
    updatedAt: null,
  }
}

/** Newest first. */
function titlesOf(author: number): string[] {
  return author < 1 ? [] : Array.from({ length: postsPerUser }, (_, at) => `Post ${postsPerUser - at} of ${author}`)
}

function titlesIn(posts: readonly ({ title: string } | null)[]): (string | undefined)[] {
  return posts.map((post) => post?.title)
}

/** For errors that are the answer: one of a lost connection is none. */
function unlessLost(error: unknown): unknown {
  if (isLoss(error)) throw error
  return error
}

async function expectError(
  promise: Promise<unknown>,
  ErrorClass: new (...args: never[]) => PlainsqlError,
  sqlState?: string,
): Promise<void> {
  const error = await promise.then(() => null, unlessLost)
  assert.instance(error, ErrorClass)
  assert.is((error as Partial<QueryError>).sqlState, sqlState)
}
