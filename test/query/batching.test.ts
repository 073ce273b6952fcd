// batching: which calls become one statement, and what reaches each caller.

import pg from 'pg'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { createDatabase, type Database } from '../../lib/database/database.ts'
import { DatabaseInsideUnitError } from '../../lib/errors.ts'
import { batching } from '../../lib/query/batching.ts'
import type { Executor } from '../../lib/query/executor.ts'
import { recording } from '../../lib/testing/index.ts'
import { getPost, listPostsByAuthor, updatePost } from '../../sql/posts.sql.ts'
import { getUser } from '../../sql/users.sql.ts'
import { type AnyFunction, generated } from '../support/generated.ts'
import { type Blog, failure, openBlog } from './blog.ts'

let blog: Blog
let own: Record<string, AnyFunction>

test.before(async () => {
  blog = await openBlog()
  const sql = `
    -- name: getName :one
    select full_name from users where id = :id;
    -- name: half :value
    select 10 / :by::integer as half;
    -- name: picky :value
    select picky(:n) as n;
    -- name: even :value
    select :n::integer::even as n;
    -- name: titleOf :value
    select (select title from posts where author_id = :n) as title;
    -- name: never :value
    select nullif(:n::integer, 3) as "n!";`
  const client = new pg.Client({ connectionString: blog.real.url })
  await client.connect()
  await client.query(`
    create domain even as integer check (value % 2 = 0);
    create function picky(n integer) returns integer language plpgsql immutable as $$
    begin
      if n = 2 then raise 'not that' using errcode = 'MY001'; end if;
      return n;
    end $$`)
  await client.end()
  own = (await generated(blog.real.url, sql)).functions
})

function deferred(): { promise: Promise<void>; resolve: () => void } {
  let resolve = (): void => {}
  const promise = new Promise<void>((done) => {
    resolve = done
  })
  return { promise, resolve }
}

test.before.each(() => blog.db.clear())
test.after(() => blog.real.close())

test('the calls of one tick are one round trip, equal calls asked once', async () => {
  const scope = batching(blog.db)
  const found = await Promise.all([1, 2, 1, 9].map((id) => getUser(scope, { id })))
  assert.equal(
    found.map((user) => user?.fullName ?? null),
    ['ada', 'bob', 'ada', null],
  )
  assert.equal(blog.db.statements, [['getUser', [{ id: 1 }, { id: 2 }, { id: 9 }]]])
})

test('each query of a tick has a statement of its own', async () => {
  const scope = batching(blog.db)
  await Promise.all([getUser(scope, { id: 1 }), getPost(scope, { id: 1 }), getUser(scope, { id: 2 })])
  assert.equal(blog.db.statements, [
    ['getUser', [{ id: 1 }, { id: 2 }]],
    ['getPost', { id: 1 }],
  ])
})

test('calls behind awaits belong to the tick, as many as there are', async () => {
  const scope = batching(blog.db)
  const behind = async (awaits: number): Promise<unknown> => {
    for (let count = 0; count < awaits; count++) await null
    return getUser(scope, { id: awaits })
  }
  await Promise.all([0, 1, 2, 10, 100].map(behind))
  assert.is(blog.db.roundTrips, 1)
})

test('calls that follow from one statement are together again', async () => {
  const scope = batching(blog.db)
  const authorOf = async (id: number): Promise<unknown> => {
    const post = await getPost(scope, { id })
    return post && getUser(scope, { id: post.authorId })
  }
  await Promise.all([1, 2, 4].map(authorOf))
  assert.equal(
    blog.db.statements.map(([name]) => name),
    ['getPost', 'getUser'],
  )
})

test('calls behind a timer are of another tick, and are asked again', async () => {
  const scope = batching(blog.db)
  const later = new Promise((done) => setTimeout(done, 5)).then(() => getUser(scope, { id: 1 }))
  await Promise.all([getUser(scope, { id: 1 }), later])
  assert.is(blog.db.roundTrips, 2)
})

test('with a cache nothing is asked twice, until something is written', async () => {
  const scope = batching(blog.db, { cache: true })
  const first = await getPost(scope, { id: 4 })
  assert.is(await getPost(scope, { id: 4 }), first)
  assert.is(blog.db.roundTrips, 1)
  await updatePost(scope, { id: 4, title: 'new', content: 'c' })
  assert.is((await getPost(scope, { id: 4 }))?.title, 'new')
  assert.is(blog.db.roundTrips, 3)
})

test('with a cache no answer outlives a write, also one of a unit of work or that was under way', async () => {
  const scope = batching(blog.real, { cache: true })
  const title = async (): Promise<string | undefined> => (await getPost(scope, { id: 4 }))?.title
  const change = (title: string) => ({ id: 4, title, content: 'c' })
  await title()
  await updatePost.batch(scope, [change('of a batch'), change('of two statements')])
  assert.is(await title(), 'of two statements')
  await Promise.all([scope.unitOfWork!((uow) => updatePost(uow, change('in a unit'))), title()])
  assert.is(await title(), 'in a unit')
  await Promise.all([updatePost(scope, change('side by side')), title()])
  assert.is(await title(), 'side by side')
})

test('a write is passed on at once, and ahead of it the reads that were called before it', async () => {
  const scope = batching(blog.db)
  const all = [
    getPost(scope, { id: 1 }),
    getPost(scope, { id: 2 }),
    updatePost(scope, { id: 99, title: '', content: '' }),
  ]
  assert.equal(
    blog.db.statements.map(([name]) => name),
    ['getPost', 'updatePost'],
  )
  await Promise.all([...all, getPost(scope, { id: 3 })])
  assert.is(blog.db.roundTrips, 3)
})

test('in a unit of work it runs behind those reads, and ahead of those that were called after it', async () => {
  await blog.real.unitOfWork(async (uow) => {
    const scope = batching(uow)
    const [before, , after] = await Promise.all([
      getPost(scope, { id: 1 }),
      updatePost(scope, { id: 1, title: 'changed', content: 'c' }),
      getPost(scope, { id: 1 }),
    ])
    assert.equal([before?.title, after?.title], ['one', 'changed'])
  })
})

test('inside a unit of work it is the unit that runs the statement', async () => {
  await blog.real.unitOfWork(async (uow) => {
    const unit = recording(uow)
    const scope = batching(unit)
    await Promise.all([1, 2].map((id) => getUser(scope, { id })))
    assert.is(unit.roundTrips, 1)
  })
})

test('a call runs where it was made: in the unit around it, in none, or nowhere, whoever called first in the tick', async () => {
  const ambient = createDatabase({ url: blog.real.url, ambient: true })
  const guarded = createDatabase({ url: blog.real.url })
  try {
    const title = async (on: Executor) => (await getPost(on, { id: 1 }))?.title
    const before = await title(ambient)
    for (const insideFirst of [true, false]) {
      const scope = batching(ambient)
      let outside: Promise<unknown> | undefined
      const ask = (inside: Promise<unknown>[]) => inside.push(title(scope))
      const { promise: written, resolve: go } = deferred()
      const caller = written.then(() => {
        outside = title(scope)
      })
      await ambient
        .unitOfWork(async (uow) => {
          await updatePost(uow, { id: 1, title: 'uncommitted', content: '' })
          const inside: Promise<unknown>[] = []
          if (insideFirst) ask(inside)
          go()
          await caller
          if (!insideFirst) ask(inside)
          assert.equal(await Promise.all(inside), ['uncommitted'])
          assert.is(await outside, before)
          throw new Error('nothing of it')
        })
        .catch((error: Error) => assert.is(error.message, 'nothing of it'))

      const guardedScope = batching(guarded)
      const misused = deferred()
      const innocent = misused.promise.then(() => title(guardedScope))
      await guarded.unitOfWork(async () => {
        const first = insideFirst ? failure(title(guardedScope)) : null
        misused.resolve()
        await Promise.resolve()
        assert.instance(await (first ?? failure(title(guardedScope))), DatabaseInsideUnitError)
      })
      assert.is(await innocent, before)
    }
  } finally {
    await Promise.all([ambient.close(), guarded.close()])
  }
})

test('… also through db.with and through a recording', async () => {
  await using ambient = createDatabase({ url: blog.real.url, ambient: true })
  await using guarded = createDatabase({ url: blog.real.url })
  for (const around of [(db: Database): Executor => db.with({ timeoutMs: 60_000 }), recording]) {
    const scope = batching(around(ambient))
    const both = deferred()
    let ready = 0
    const unit = (id: number): Promise<unknown> =>
      ambient.unitOfWork(async (uow) => {
        const post = await updatePost(uow, { id, title: 'mine', content: 'c' })
        if (++ready === 2) both.resolve()
        await both.promise
        return (await getPost(scope, { id: post!.id }))?.title
      })
    assert.equal(await Promise.all([unit(3), unit(4)]), ['mine', 'mine'])

    const outer = batching(around(guarded))
    const outside = getPost(outer, { id: 1 })
    const refused = await guarded.unitOfWork((uow) => failure(getPost(outer, { id: 2 }).finally(() => uow.flush())))
    assert.instance(refused, DatabaseInsideUnitError)
    assert.is((await outside)?.id, 1)
  }
})

test('batch on a scope is what it is on its executor', async () => {
  const scope = batching(blog.db)
  const found = await listPostsByAuthor.batch(scope, [{ authorId: 1 }, { authorId: 2 }])
  assert.equal(
    found.map((list) => list.length),
    [3, 1],
  )
  assert.is(blog.db.roundTrips, 1)
})

test('a missing row of :one, or a value that does not fit, concerns one caller', async () => {
  const scope = batching(blog.db)
  const [good, missing, wrong, bad] = await Promise.allSettled([
    own.getName!(scope, { id: 1 }),
    own.getName!(scope, { id: 77 }),
    own.getName!(scope, { id: 'x' }),
    own.getName!(scope, null as never),
  ])
  assert.equal(good, { status: 'fulfilled', value: { fullName: 'ada' } })
  assert.equal(
    [missing, wrong, bad].map((outcome) => String((outcome as PromiseRejectedResult).reason)),
    [
      'NoRowsError: expected one row, got none in getName (sql/q.sql:2)',
      'ParameterError: parameter "id" must be an integer, got a string in getName (sql/q.sql:2)',
      'ParameterError: parameter "id" must come in an object, got null in getName (sql/q.sql:2)',
    ],
  )
})

test('an error that lies in the data reaches its own caller, outside of a transaction', async () => {
  const scope = batching(blog.db)
  const outcomes = await Promise.allSettled([1, 0, 5].map((by) => own.half!(scope, { by })))
  assert.equal(
    outcomes.map((outcome) => (outcome.status === 'fulfilled' ? outcome.value : outcome.reason.sqlState)),
    [10, '22012', 2],
  )
})

for (const [what, name, good, bad, error] of [
  ['a class of a function of its own', 'picky', 1, 2, 'MY001'],
  ["a domain's CHECK", 'even', 2, 3, '23514'],
  ['a subquery with two rows', 'titleOf', 2, 1, '21000'],
  ['a NULL where none may be', 'never', 1, 3, 'DecodeError'],
] as const) {
  test(`… of whatever class: ${what}`, async () => {
    const scope = batching(blog.db)
    const outcomes = await Promise.allSettled([good, bad].map((n) => own[name]!(scope, { n })))
    assert.equal(
      outcomes.map((outcome) =>
        outcome.status === 'fulfilled' ? 'fine' : (outcome.reason.sqlState ?? outcome.reason.name),
      ),
      ['fine', error],
    )
  })
}

test('in a transaction, which it ends, it reaches all of them', async () => {
  const error = await failure(
    blog.real.unitOfWork(async (uow) => {
      const scope = batching(uow)
      const outcomes = await Promise.allSettled([1, 0, 5].map((by) => own.half!(scope, { by })))
      assert.equal(
        outcomes.map((outcome) => outcome.status),
        ['rejected', 'rejected', 'rejected'],
      )
    }),
  )
  assert.is(error.name, 'CommitAbortedError')
})

test.run()
