// What `pool.pgBouncer` changes in what is sent, message by message; and, where this machine has one (`apt-get install
// pgbouncer`), a real PgBouncer in transaction mode.

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { createDatabase } from '../../lib/database/database.ts'
import { type PoolOptions, poolSettings } from '../../lib/database/pool/options.ts'
import { ConnectionError, NotCommittedError, TimeoutError } from '../../lib/errors.ts'
import { value } from '../../lib/query/kinds.ts'
import { freshDatabase, type TestDatabase } from '../support/server.ts'
import { type Bouncer, installed, prepares, startBouncer } from './bouncer.ts'
import { type Listener, listenIn } from './listener.ts'
import { command, failure, number, rows, sleep, until } from './support.ts'

const test = suite('pgbouncer')
const version = installed()
const preparing = prepares(version)
/** Over `client.query`, which is told to prepare by every query's name. */
const plain = process.env.PLAINSQL_PLAIN === '1'

test('the option turns off what a PgBouncer cannot do, and leaves the rest', () => {
  assert.is(poolSettings({ pgBouncer: true }).preparedStatements, 0)
  assert.is(poolSettings({ pgBouncer: true, preparedStatements: 100 }).preparedStatements, 100)
  assert.is(poolSettings({}).preparedStatements, 256)
})

const echo = value<{ n: number }, number>({
  ...rows<{ n: number }, number>(
    'select $1::int4',
    (r) => r.int4(0),
    (w, p) => w.int4(p.n),
  ).query,
  readOnly: true,
})
const timeout = value<void, string>({ ...number('show statement_timeout').query, read: (r) => r.text(0) })

/** Calls of all kinds, twice, so that prepared statements would be used again. */
async function useAll(url: string, pool: PoolOptions): Promise<void> {
  await using db = createDatabase({ url, pool: { max: 2, ...pool } })
  for (let n = 0; n < 2; n++) {
    await Promise.all([echo(db, { n }), echo(db, { n }), failure(number('select 1/0')(db))])
    await db.unitOfWork(
      async (uow) => {
        await echo(uow, { n })
        await uow.savepoint((savepoint) => echo(savepoint, { n }))
      },
      { isolation: 'serializable', statementTimeoutMs: 10_000, settings: { 'app.tenant_id': 'a' } },
    )
    await echo(db.with({ timeoutMs: 10_000 }), { n })
  }
}

/** The names of statements in Parse, Bind, Describe and Close; and all SQL. */
function said({ messages }: Listener): { names: string[]; sql: string[] } {
  const text = (body: Buffer, at: number): string => body.toString('utf8', at, body.indexOf(0, at))
  const parsed = messages.filter(({ code }) => code === 'P').map(({ body }) => text(body, 0))
  const bound = messages.filter(({ code }) => code === 'B').map(({ body }) => text(body, body.indexOf(0) + 1))
  const other = messages.filter(({ code }) => code === 'D' || code === 'C')
  const described = other.filter(({ body }) => body[0] === 83 /* S: a statement */).map(({ body }) => text(body, 1))
  return {
    names: [...new Set([...parsed, ...bound, ...described])].filter((name) => name !== '').sort(),
    sql: messages.flatMap(({ code, body }) =>
      code === 'Q' ? [text(body, 0)] : code === 'P' ? [text(body, body.indexOf(0) + 1)] : [],
    ),
  }
}

test('nothing is named or set that would outlive a transaction', async () => {
  const fresh = await freshDatabase()
  const listener = await listenIn(fresh.url)
  try {
    await useAll(listener.url, { pgBouncer: true })
    assert.equal(said(listener).names, [])
    assert.ok(listener.messages.filter(({ code }) => code === 'B').length >= 10)
    const settings = said(listener).sql.filter((sql) => /^(set|prepare|listen|discard|reset)/i.test(sql))
    assert.equal([...new Set(settings)], ['SET LOCAL statement_timeout = 10000', `SET LOCAL "app"."tenant_id" = 'a'`])
    assert.ok(listener.startups.length >= 1)
    for (const { user: _, database: __, application_name: ___, ...others } of listener.startups) {
      // The settings that every PgBouncer knows, and gives to whichever connection runs the transaction.
      assert.equal(others, { client_encoding: 'UTF8', DateStyle: 'ISO' })
    }
    listener.messages.length = 0
    await useAll(listener.url, {})
    assert.ok(said(listener).names.includes(echo.query.statement))
  } finally {
    await listener.close()
    await fresh.drop()
  }
})

test('a slow statement that no server would cancel is not given up', () => {
  assert.is(poolSettings({ pgBouncer: true }).answerTimeoutMs, 0)
  assert.is(poolSettings({ pgBouncer: true, answerTimeoutMs: 7_000 }).answerTimeoutMs, 7_000)
  assert.is(poolSettings({}).answerTimeoutMs, 65_000)
})

if (version !== null) {
  let fresh: TestDatabase
  let bouncer: Bouncer

  test.before(async () => {
    fresh = await freshDatabase('create table t (n int primary key)')
    bouncer = await startBouncer(fresh.url)
  })
  test.after(async () => {
    bouncer.stop()
    await fresh.drop()
  })

  for (const preparedStatements of preparing ? [0, 100] : [0]) {
    test(`reads, writes, units and errors through it, with ${preparedStatements} prepared statements`, async () => {
      await using db = createDatabase({ url: bouncer.url, pool: { pgBouncer: true, preparedStatements, max: 8 } })
      for (let round = 0; round < 5; round++) {
        const answers = await Promise.all(
          Array.from({ length: 60 }, async (_, n) => {
            if (n % 10 === 3) return ((await failure(command('select 1/0')(db))) as { sqlState: string }).sqlState
            if (n % 10 === 5)
              return db.unitOfWork(async (uow) => (await echo(uow, { n })) - (await echo(uow, { n: 0 })))
            return echo(db, { n })
          }),
        )
        assert.equal(
          answers,
          Array.from({ length: 60 }, (_, n) => (n % 10 === 3 ? '22012' : n)),
        )
      }
      const insert = command('insert into t values (1)')
      await failure(
        db.unitOfWork(async (uow) => {
          await insert(uow)
          throw new Error('undo')
        }),
      )
      assert.is(await number('select count(*)::int4 from t')(db), 0)
    })
  }

  test('without the option it refuses to connect, and the error says which option it is', async () => {
    await using db = createDatabase({ url: bouncer.url })
    const error = (await failure(echo(db, { n: 1 }))) as ConnectionError
    assert.instance(error, ConnectionError)
    assert.match(error.message, /^unsupported startup parameter: \w+: .* needs the option pool\.pgBouncer \[08P01\]/)
  })

  test('a setting of the session that it does not know is refused with the place where to set it', async () => {
    await using db = createDatabase({ url: bouncer.url, pool: { pgBouncer: true, settings: { search_path: 'app' } } })
    const error = (await failure(echo(db, { n: 1 }))) as ConnectionError
    assert.match(error.message, /search_path: .* Set it on the role or the database, instead of in pool\.settings/)
  })

  test("a unit's own timeouts hold in it, and end with it on every connection of the server", async () => {
    await using db = createDatabase({ url: bouncer.url, pool: { pgBouncer: true, max: 8 } })
    const slow = number('select 1 from pg_sleep(5)')
    const units = Array.from({ length: 6 }, (_, n) =>
      db.unitOfWork(
        async (uow) => {
          const set = await timeout(uow)
          if (n % 2 === 0) await slow(uow)
          return set
        },
        { statementTimeoutMs: 500, lockTimeoutMs: 400, isolation: 'repeatable read' },
      ),
    )
    const outcomes = await Promise.allSettled(units)
    assert.equal(
      outcomes.map((outcome) => (outcome.status === 'fulfilled' ? outcome.value : outcome.reason.sqlState)),
      ['57014', '500ms', '57014', '500ms', '57014', '500ms'],
    )
    // More units at a time than there are connections behind it: each of those is asked.
    const after = await Promise.all(Array.from({ length: 6 }, () => db.unitOfWork((uow) => timeout(uow))))
    assert.equal([...new Set(after)], ['0'])
  })

  test('a cancelled call is stopped at the server, and only that one', async () => {
    await using db = createDatabase({ url: bouncer.url, pool: { pgBouncer: true, max: 4 } })
    const slow = number('select 1 from pg_sleep(30)')
    const beside = number('select 1 from pg_sleep(1)')
    const [error, other] = await Promise.all([failure(slow(db.with({ timeoutMs: 500 }))), beside(db)])
    assert.instance(error, TimeoutError)
    assert.is((error as TimeoutError).statement, 'cancelled')
    assert.is(other, 1)
    await using direct = createDatabase({ url: fresh.url })
    const left = "select count(*)::int4 from pg_stat_activity where state = 'active' and query like '%pg_sleep(30)%'"
    assert.is(await number(`${left} and pid <> pg_backend_pid()`)(direct), 0)
  })

  test('sessions that others reset, and connections that it loses, are not noticed', async () => {
    await using db = createDatabase({ url: bouncer.url, pool: { pgBouncer: true, max: 4 } })
    const read = () => Promise.all(Array.from({ length: 20 }, (_, n) => echo(db, { n })))
    const expected = Array.from({ length: 20 }, (_, n) => n)
    assert.equal(await read(), expected)
    await Promise.all(Array.from({ length: 6 }, () => command('discard all')(db)))
    assert.equal(await read(), expected)
    await using direct = createDatabase({ url: fresh.url })
    const kill =
      'select count(pg_terminate_backend(pid))::int4 from pg_stat_activity where datname = current_database()'
    assert.ok((await number(`${kill} and pid <> pg_backend_pid()`)(direct)) > 0)
    // It hears of the loss as we would.
    await sleep(50)
    assert.equal(await read(), expected)
  })

  test('prepared statements that a connection turns out not to have, or to have already, are prepared anew', async () => {
    if (plain) return assert.ok(true, 'client.query does not send again')
    // Not as one should use a PgBouncer before 1.21; what is tested is that nothing goes wrong by it.
    const pool = { pgBouncer: true, preparedStatements: 100, max: 4, lanes: true }
    await using first = createDatabase({ url: bouncer.url, pool })
    await using second = createDatabase({ url: bouncer.url, pool })
    for (let n = 0; n < 20; n++) {
      assert.equal(await Promise.all([echo(first, { n }), echo(second, { n }), echo(first, { n: -n })]), [n, n, -n])
    }
  })

  test('a unit whose connection it loses before COMMIT was sent is rolled back', async () => {
    await using db = createDatabase({ url: bouncer.url, pool: { pgBouncer: true, max: 4 } })
    const insert = command('insert into t values (77)')
    const count = number('select count(*)::int4 from t where n = 77')
    const lost = db.unitOfWork(
      async (uow) => {
        await insert(uow)
        // Behind the one that takes the transaction's id.
        await echo(uow, { n: 1 })
        await bouncer.restart()
      },
      { verifyCommit: true },
    )
    const error = (await failure(lost)) as ConnectionError
    assert.instance(error, ConnectionError)
    assert.is(error.statement, 'rolled back')
    assert.is(await count(db), 0)
    await db.unitOfWork((uow) => insert(uow), { verifyCommit: true })
    assert.is(await count(db), 1)
  })

  test('whether a unit was committed whose COMMIT it did not answer is found out through it', async () => {
    await using db = createDatabase({ url: bouncer.url, pool: { pgBouncer: true, max: 4 } })
    await using direct = createDatabase({ url: fresh.url })
    await command(`create table slow (fails boolean)`)(direct)
    await command(`create function slowly() returns trigger language plpgsql as $$ begin
      perform pg_sleep(1); if new.fails then raise 'refused'; end if; return null; end $$`)(direct)
    await command(`create constraint trigger slow after insert on slow deferrable initially deferred
      for each row execute function slowly()`)(direct)
    const committing = number(`select count(*)::int4 from pg_stat_activity
      where datname = current_database() and query = 'COMMIT' and wait_event = 'PgSleep'`)
    for (const fails of [true, false]) {
      const unit = db.unitOfWork(
        async (uow) => {
          await command(`insert into slow values (${fails})`)(uow)
          // Behind the one that takes the transaction's id.
          await echo(uow, { n: 1 })
        },
        { verifyCommit: true },
      )
      const outcome = fails ? failure(unit) : unit
      await until(async () => (await committing(direct)) === 1)
      await bouncer.restart()
      if (fails) assert.instance(await outcome, NotCommittedError)
      else await outcome
      assert.is(await number(`select count(*)::int4 from slow where fails = ${fails}`)(direct), fails ? 0 : 1)
    }
  })

  test('it may be restarted under load', async () => {
    await using db = createDatabase({ url: bouncer.url, pool: { pgBouncer: true, max: 4 } })
    const read = value<void, number>({ ...number('select 1').query, readOnly: true })
    let stop = false
    let done = 0
    const callers = Array.from({ length: 8 }, async () => {
      while (!stop) {
        await read(db).then(
          () => done++,
          () => sleep(5),
        )
      }
    })
    await sleep(50)
    await bouncer.restart()
    const before = done
    while (done < before + 200) await sleep(5)
    stop = true
    await Promise.all(callers)
  })
}

test.run()
