// batch: what comes back, in how many round trips, and what an error says. That it is what the calls say one by one is
// the subject of batchBlog.test.ts and batchCorpora.test.ts.

import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { ConnectionError, ParameterError, type QueryIdentity, StatementSkippedError } from '../../lib/errors.ts'
import { runBatch } from '../../lib/query/batch.ts'
import type { Query } from '../../lib/query/executor.ts'
import { memoryDatabase, recording, testDatabase } from '../../lib/testing/index.ts'
import * as posts from '../../sql/posts.sql.ts'
import * as tags from '../../sql/tags.sql.ts'
import * as users from '../../sql/users.sql.ts'
import { type AnyFunction, generated } from '../support/generated.ts'
import { type Blog, failure, openBlog } from './blog.ts'

let blog: Blog
let own: Record<string, AnyFunction>

test.before(async () => {
  blog = await openBlog()
  await users.deactivateUser(blog.real, { id: 3 })
  const sql = `
    -- name: getName :one
    select full_name from users where id = :id;
    -- name: newest :many
    select title from posts where author_id = :authorId order by id desc limit :limit;
    -- name: half :value
    select 10 / :by::integer as half;
    -- name: byMaybe :many
    select title from posts where author_id = :authorId?;
    -- name: lookEqual :values
    select id from posts where length(title) = :a::numeric order by id;
    -- name: draw :value
    select random() < :below::float8 as drawn;
    -- name: setTitle :exec
    update posts set title = :title where id = :id;
    -- name: retitle :one
    update posts set title = :title where id = :id returning id, title;
    -- name: twice :exec
    update posts set title = (1 / :by::integer)::text where id = :id;
    -- name: addTag :exec
    insert into tags (name) values (:name);
    -- name: drawHalf :value
    select 10 / :by::integer + random() as drawn;
    -- name: rename :exec
    update posts set title = (10 / :by::integer)::text where id < :below;`
  own = (await generated(blog.real.url, sql)).functions
})

test.before.each(() => blog.db.clear())
test.after(() => blog.real.close())

test('a read of many inputs is one statement: results in input order, equal inputs asked once', async () => {
  const found = await posts.listPostsByAuthor.batch(
    blog.db,
    [2, 1, 9, 2].map((authorId) => ({ authorId })),
  )
  assert.equal(
    found.map((list) => list.map((post) => post.title)),
    [['four'], ['three', 'two', 'one'], [], ['four']],
  )
  assert.equal(blog.db.statements, [['listPostsByAuthor', [{ authorId: 2 }, { authorId: 1 }, { authorId: 9 }]]])
})

test('no inputs make no round trip', async () => {
  assert.equal(await posts.getPost.batch(blog.db, []), [])
  assert.equal(await posts.createPost.batch(blog.db, []), [])
  assert.is(await posts.deletePost.batch(blog.db, []), 0)
  assert.is(blog.db.roundTrips, 0)
})

test('one input, or inputs that are all equal, run the query as it is', async () => {
  assert.equal(await users.getUserByEmail.batch(blog.db, [{ email: 'no' }, { email: 'no' }]), [null, null])
  assert.equal(blog.db.statements, [['getUserByEmail', { email: 'no' }]])
})

test('"the 2 newest of each" is exactly that', async () => {
  const inputs = [
    { authorId: 1, limit: 2 },
    { authorId: 2, limit: 2 },
    { authorId: 1, limit: 1 },
  ]
  assert.equal(await own.newest!.batch(blog.db, inputs), [
    [{ title: 'three' }, { title: 'two' }],
    [{ title: 'four' }],
    [{ title: 'three' }],
  ])
  assert.is(blog.db.roundTrips, 1)
})

test('NULL finds nothing, and numbers that look different but are equal find the same', async () => {
  const none = await own.byMaybe!.batch(blog.db, [{ authorId: null }, { authorId: 2 }, { authorId: null }])
  assert.equal(none, [[], [{ title: 'four' }], []])
  assert.equal(await own.lookEqual!.batch(blog.db, [{ a: '3' }, { a: '3.0' }, { a: 4 }]), [[1, 2], [1, 2], [4]])
})

test('one array is not given to two callers', async () => {
  const [first, second] = await posts.listPostsByAuthor.batch(blog.db, [{ authorId: 1 }, { authorId: 1 }])
  assert.equal(first, second)
  assert.is.not(first, second)
})

test('inserted rows come back in input order, with ids in that order', async () => {
  const db = recording(await testDatabase())
  const made = await users.createUser.batch(
    db,
    Array.from({ length: 300 }, (_, at) => ({
      email: `u${at}`,
      hashedPassword: 'h',
      fullName: at % 2 ? null : `n"${at}`,
    })),
  )
  assert.equal(
    made.map(({ id, email, fullName }) => [id, email, fullName]),
    made.map((_, at) => [at + 1, `u${at}`, at % 2 ? null : `n"${at}`]),
  )
  assert.is(db.roundTrips, 1)
})

test('of two updates of one row the last one wins, as in two calls; others share a statement', async () => {
  const inputs = [
    { id: 1, title: 'a' },
    { id: 2, title: 'b' },
    { id: 1, title: 'c' },
  ]
  assert.is(await own.setTitle!.batch(blog.db, inputs), 3)
  assert.equal(blog.db.statements, [
    [
      'setTitle',
      [
        { id: 1, title: 'a' },
        { id: 2, title: 'b' },
      ],
    ],
    ['setTitle', { id: 1, title: 'c' }],
  ])
  assert.is((await posts.getPost(blog.real, { id: 1 }))?.title, 'c')
})

test('an upsert of one key twice is two statements', async () => {
  const [first, other, again] = await tags.ensureTag.batch(
    blog.db,
    ['new', 'sql', 'new'].map((name) => ({ name })),
  )
  assert.is(first?.id, again?.id)
  assert.is.not(first?.id, other?.id)
  assert.is(blog.db.roundTrips, 2)
})

test('what has no form runs one by one, volatile functions once for each input', async () => {
  const inputs = Array.from({ length: 5 }, () => ({ below: 1 }))
  assert.is(((await own.draw!.batch(blog.db, inputs)) as unknown[]).length, 5)
  assert.equal(
    blog.db.statements,
    inputs.map((input) => ['draw', input]),
  )
})

test('a missing row of :one says which input found none', async () => {
  const error = await failure(own.getName!.batch(blog.db, [{ id: 1 }, { id: 77 }]))
  assert.is(error.message, 'expected one row, got none in getName (sql/q.sql:2): input [1] of the batch')
  assert.equal(error.input, { index: 1, params: { id: 77 } })
})

test('… and nothing of the batch stays, if it was a write', async () => {
  const there = await posts.getPost(blog.real, { id: 2 })
  const inputs = [2, 77].map((id) => ({ id, title: 'half done' }))
  for (const memory of [false, true]) {
    const db = recording(memory ? await memoryDatabase() : blog.real)
    if (memory) await users.createUser(db, { email: 'a', hashedPassword: 'h', fullName: null })
    if (memory) for (const title of ['one', 'two']) await posts.createPost(db, { authorId: 1, title, content: 'c' })
    const before = await posts.getPost(db, { id: 2 })
    const error = await failure(own.retitle!.batch(db, inputs))
    assert.is(error.name, 'NoRowsError')
    assert.equal(error.input, { index: 1, params: inputs[1] })
    assert.equal(await posts.getPost(db, { id: 2 }), before)
  }
  assert.is.not(there?.title, 'half done')
})

test('what is no array of inputs is refused, and so is what is no database', async () => {
  for (const call of [posts.getPost, posts.createPost, posts.deletePost]) {
    const inputs = new Set([{ id: 1 }]) as never
    assert.match(
      (await failure(call.batch(blog.db, inputs))).message,
      / needs an array of inputs as the second argument/,
    )
    assert.match(
      (await failure(call.batch(undefined as never, []))).message,
      / needs a database or a unit of work as its/,
    )
  }
})

test('a value that does not fit says which input it is of, and nothing is sent', async () => {
  const error = await failure(posts.getPost.batch(blog.db, [{ id: 1 }, { id: 2 ** 40 }]))
  assert.match(error.message, /^parameter "id" .* in getPost \(sql\/posts\.sql:1\): input \[1\] of the batch$/)
  assert.is(blog.db.roundTrips, 0)
})

test('… however many there are, in a unit of work that goes on', async () => {
  const inputs = onlyAt(10_500, { name: 'one too many' }, { name: 'fine' }).map(({ name }, at) => ({
    name: name === 'fine' ? `fine ${at}` : (undefined as never),
  }))
  await blog.real.unitOfWork(async (uow) => {
    const error = await failure(own.addTag!.batch(uow, inputs))
    assert.instance(error, ParameterError)
    assert.is((error as ParameterError).input?.index, 10_500)
  })
  assert.is(await tags.getTagByName(blog.real, { name: 'fine 0' }), null)
})

test('a unique violation says which input it is of, and nothing of the batch stays', async () => {
  const error = await failure(own.addTag!.batch(blog.db, [{ name: 'fresh' }, { name: 'js' }]))
  assert.is(error.name, 'UniqueViolationError')
  assert.match(error.message, /: input \[1\] of the batch$/)
  assert.is(await tags.getTagByName(blog.real, { name: 'fresh' }), null)
})

const named: readonly (readonly [what: string, name: string, inputs: Record<string, unknown>[], place: number])[] = [
  ['one input', 'half', [{ by: 0 }], 0],
  ['one input, that is there several times', 'half', [{ by: 0 }, { by: 0 }], 0],
  ['one input in a statement of its own', 'twice', [2, 1, 0].map((by) => ({ id: 1, by })), 2],
  ['a read without a form: the first that fails', 'drawHalf', [5, 1, 0, 2, 0].map((by) => ({ by })), 2],
  ['a write without a form: the first that fails', 'rename', [5, 1, 0, 2, 0].map((by) => ({ by, below: 9 })), 2],
  ['the first of all', 'rename', [0, 1, 2].map((by) => ({ by, below: 9 })), 0],
  [
    'the first of all, in the next thousands',
    'rename',
    onlyAt(10_500, { by: 0, below: 2 }, { by: 1, below: 0 }),
    10_500,
  ],
]

for (const [what, name, inputs, place] of named) {
  test(`the error of an input's own statement says which input it is of: ${what}`, async () => {
    const call = own[name]!
    for (const inUnit of [false, true]) {
      const error = await failure(
        inUnit ? blog.real.unitOfWork((uow) => call.batch(uow, inputs)) : call.batch(blog.db, inputs),
      )
      assert.match(error.message, /^division by zero \[22012\] in .*: input \[\d+\] of the batch$/)
      assert.equal(error.input, { index: place, params: inputs[place] })
    }
  })
}

test('a lost connection, or an error from before the batch, is of no input', async () => {
  const inputs = [1, 2].map((by) => ({ by, below: 9 }))
  const skipped: (Error & { input?: unknown })[] = []
  await failure(
    blog.real.unitOfWork(async (uow) => {
      await failure(own.half!(uow, { by: 0 }))
      skipped.push(await failure(own.rename!.batch(uow, inputs)), await failure(own.half!.batch(uow, [{ by: 1 }])))
    }),
  )
  assert.equal(
    skipped.map((error) => [error.constructor, error.input]),
    [1, 2].map(() => [StatementSkippedError, null]),
  )
  const broken = {
    execute: (query: QueryIdentity) => Promise.reject(new ConnectionError(query, new Error('gone'))),
  }
  assert.is((await failure(own.rename!.batch(broken, inputs))).input, null)
})

test('writes of several statements are one transaction', async () => {
  // Two statements, for "half" is there twice; the first one fails: an index entry must not be that large (54000).
  const inputs = ['half', 'half', incompressible(9000)].map((name) => ({ name }))
  assert.is((await failure(tags.ensureTag.batch(blog.db, inputs))).name, 'QueryError')
  assert.is(await tags.getTagByName(blog.real, { name: 'half' }), null)
  assert.is(
    (
      await failure(
        own.twice!.batch(blog.db, [
          { id: 1, by: 1 },
          { id: 1, by: 0 },
        ]),
      )
    ).name,
    'QueryError',
  )
  assert.is((await posts.getPost(blog.real, { id: 1 }))?.title, 'c')
})

test('5,000 inputs of a read are three statements', async () => {
  const inputs = Array.from({ length: 5_000 }, (_, at) => ({ id: at - 10 }))
  const found = await posts.getPost.batch(blog.db, inputs)
  assert.is(found.length, inputs.length)
  assert.equal(
    found.flatMap((post, at) => (post === null ? [] : [[inputs[at]?.id, post.id]])),
    [
      [1, 1],
      [2, 2],
      [3, 3],
      [4, 4],
    ],
  )
  assert.is(blog.db.roundTrips, 3)
})

test('of many chunks, four are asked at a time, and none any more after an error', async () => {
  const running = new Set<() => void>()
  let asked = 0
  const executor = {
    execute: (_query: unknown, inputs: unknown): Promise<never> =>
      new Promise((resolve, reject) => {
        const groups = (inputs as unknown[]).map(() => [])
        const end = (): void => {
          running.delete(end)
          if (++asked === 6) reject(new Error('the sixth'))
          else resolve({ groups, affected: 0 } as never)
        }
        running.add(end)
      }),
  }
  const inputs = Array.from({ length: 19_000 }, (_, id) => ({ id }))
  const failed = failure(posts.getPost.batch(executor, inputs))
  const counts: number[] = []
  for (let turn = 0; turn < 12 && (turn === 0 || running.size > 0); turn++) {
    counts.push(running.size)
    running.values().next().value?.()
    await new Promise(setImmediate)
  }
  assert.is((await failed).message, 'the sixth')
  assert.equal(counts, [4, 4, 4, 4, 4, 4, 3, 2, 1])
})

test('a read without a form, of more inputs than may wait for a connection', async () => {
  const asked: unknown[] = []
  await posts.getPost({ execute: async (query) => asked.push(query) as never }, { id: 1 })
  const { batch: _, ...single } = asked[0] as Query<{ id: number }, unknown, unknown>
  const inputs = Array.from({ length: 12_000 }, (_, at) => ({ id: at - 10 }))
  const found = await runBatch<{ id: number }, unknown, unknown>(blog.real, single, inputs)
  assert.equal(
    found.flatMap((post, at) => (post === null ? [] : [inputs[at]?.id])),
    [1, 2, 3, 4],
  )
})

/** As many of the one input as it takes for the other to stand at `place`. */
function onlyAt<T>(place: number, there: T, before: T): T[] {
  return [...Array.from({ length: place }, () => before), there]
}

/** Text that PostgreSQL cannot make shorter. */
function incompressible(length: number): string {
  let state = 1
  return Array.from({ length }, () => {
    state = (state * 48_271) % 2_147_483_647
    return String.fromCharCode(33 + (state % 94))
  }).join('')
}

test.run()
