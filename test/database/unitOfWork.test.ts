// The unit of work when nothing breaks but the caller's own code: what is sent, what is committed, what is refused.

import { setTimeout as sleep } from 'node:timers/promises'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import {
  CommitAbortedError,
  ParameterError,
  QueryError,
  StatementSkippedError,
  UniqueViolationError,
  UnitOfWorkClosedError,
} from '../../lib/errors.ts'
import type { UnitOfWork } from '../../lib/index.ts'
import {
  addChild,
  addNote,
  backendPid,
  divide,
  isolation,
  noteIds,
  openTestBed,
  rejection,
  setting,
  type TestBed,
} from '../support/units.ts'
import { command, number, until } from './support.ts'

let bed: TestBed

test.before(async () => {
  bed = await openTestBed()
})
test.before.each(async () => {
  await bed.observer.query('truncate notes, children')
  bed.sent()
})
test.after.each(() => bed.assertClean())
test.after(() => bed.close())

test('commits what its function did and answers its result; BEGIN rides with the first statement', async () => {
  const result = await bed.db.unitOfWork(async (uow) => {
    await addNote(uow, { id: 1, text: 'one' })
    return (await noteIds(uow)).length
  })
  assert.is(result, 1)
  assert.equal(bed.sent(), ['BEGIN + addNote', 'noteIds', 'COMMIT'])
  assert.equal(await noteIds(bed.db), [1])
})

test('a unit that ran nothing takes no connection', async () => {
  assert.is(await bed.db.unitOfWork(async () => 'nothing'), 'nothing')
  assert.equal(bed.sent(), [])
})

test('what its function throws is thrown, after ROLLBACK', async () => {
  const mine = new Error('mine')
  const error = await rejection(
    bed.db.unitOfWork(async (uow) => {
      await addNote(uow, { id: 1, text: 'one' })
      throw mine
    }),
  )
  assert.is(error, mine)
  assert.equal(bed.sent(), ['BEGIN + addNote', 'ROLLBACK'])
  assert.equal(await noteIds(bed.db), [])
})

test('whatever is thrown ends the unit, undefined too', async () => {
  let running: Promise<unknown> = Promise.resolve()
  const unit = bed.db.unitOfWork(async (uow) => {
    running = Promise.allSettled([addNote(uow, { id: 1, text: 'one' })])
    throw undefined
  })
  assert.is(
    await unit.then(
      () => 'committed',
      (error: unknown) => error,
    ),
    undefined,
  )
  await running
  assert.equal(await noteIds(bed.db), [])
})

test('a function that throws before its promise is as good as one that rejects', async () => {
  const work = (): Promise<void> => {
    throw new Error('not async')
  }
  assert.is((await rejection(bed.db.unitOfWork(work))).message, 'not async')
})

test('what is no promise, but runs when it is awaited, runs once, with a timeout too', async () => {
  for (const options of [{}, { timeoutMs: 60_000 }]) {
    let runs = 0
    // biome-ignore lint/suspicious/noThenProperty: as the query builders of others have it.
    const query = { then: (done: (result: number) => void) => done(++runs) }
    assert.is(await bed.db.unitOfWork(() => query as unknown as Promise<number>, options), 1)
    assert.is(runs, 1)
  }
})

test('the error of a statement is thrown, and the same connection serves the next unit', async () => {
  const pid = await bed.db.unitOfWork((uow) => backendPid(uow))
  const error = await rejection(bed.db.unitOfWork((uow) => divide(uow, { by: 0 })))
  assert.instance(error, QueryError)
  assert.is(await bed.db.unitOfWork((uow) => backendPid(uow)), pid)
  assert.is(bed.held.destroyed, 0)
})

test('a swallowed error of a statement cannot be committed: CommitAbortedError, its cause the swallowed one', async () => {
  const error = await rejection(
    bed.db.unitOfWork(async (uow) => {
      await addNote(uow, { id: 1, text: 'one' })
      await divide(uow, { by: 0 }).catch(() => {})
    }),
  )
  assert.instance(error, CommitAbortedError)
  assert.is((error.cause as QueryError).sqlState, '22012')
  assert.equal(bed.sent(), ['BEGIN + addNote', 'divide', 'ROLLBACK'])
  assert.equal(await noteIds(bed.db), [])
})

test('a deferred constraint that fails at COMMIT is a QueryError, and nothing stays', async () => {
  const error = await rejection(bed.db.unitOfWork((uow) => addChild(uow, { id: 1, note: 99 })))
  assert.is((error as QueryError).sqlState, '23503')
  assert.equal(bed.sent(), ['BEGIN + addChild', 'COMMIT'])
})

test('a refused parameter sends nothing: the next statement carries BEGIN, and the unit can commit', async () => {
  await bed.db.unitOfWork(async (uow) => {
    const error = await rejection(addNote(uow, { id: 1.5, text: 'x' }))
    assert.instance(error, ParameterError)
    await addNote(uow, { id: 1, text: 'one' })
  })
  assert.equal(bed.sent(), ['BEGIN + addNote', 'BEGIN + addNote', 'COMMIT'])
  assert.equal(await noteIds(bed.db), [1])
})

test('if BEGIN fails, nothing runs outside of the transaction, whatever was called at once', async () => {
  // As BEGIN ISOLATION LEVEL SERIALIZABLE does on a standby.
  const spoiled = await openTestBed({ spoil: (sql) => sql.replace('BEGIN', 'BEGIN nonsense') })
  try {
    let errors: unknown[] = []
    const thrown = await rejection(
      spoiled.db.unitOfWork(async (uow) => {
        const results = await Promise.allSettled([1, 2, 3].map((id) => addNote(uow, { id, text: 'x' })))
        errors = results.map((result) => (result.status === 'rejected' ? result.reason : null))
      }),
    )
    assert.is((errors[0] as QueryError).sqlState, '42601')
    for (const error of errors.slice(1)) assert.instance(error, StatementSkippedError)
    assert.instance(thrown, CommitAbortedError)
    assert.equal(spoiled.sent(), ['BEGIN + addNote', 'ROLLBACK'])
    assert.equal(await noteIds(spoiled.db), [])
    await spoiled.assertClean()
  } finally {
    await spoiled.close()
  }
})

test('statements called at once are sent in call order without waiting, once BEGIN was answered', async () => {
  await bed.db.unitOfWork(async (uow) => {
    await Promise.all([1, 2, 3, 4].map((id) => addNote(uow, { id, text: 'x' })))
  })
  assert.equal(bed.sent(), ['BEGIN + addNote', 'addNote', 'addNote', 'addNote', 'COMMIT'])
})

test('one failing statement fails those behind it with the first error as cause, not with 25P02', async () => {
  let errors: Error[] = []
  const thrown = await rejection(
    bed.db.unitOfWork(async (uow) => {
      await addNote(uow, { id: 1, text: 'x' })
      const calls = [2, 1, 3, 4].map((id) => addNote(uow, { id, text: 'x' }))
      const results = await Promise.allSettled(calls)
      errors = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []))
      errors.push(await rejection(noteIds(uow)))
      await Promise.all(calls)
    }),
  )
  assert.is(errors.length, 4)
  assert.instance(errors[0], UniqueViolationError)
  for (const error of errors.slice(1)) {
    assert.instance(error, StatementSkippedError)
    assert.is(error.cause, errors[0])
  }
  assert.is(thrown, errors[0])
  assert.is(bed.sent().at(-1), 'ROLLBACK')
})

test('so do runs of a statement that the connection did not know yet', async () => {
  const fresh = number('select 1')
  await rejection(
    bed.db.unitOfWork(async (uow) => {
      await noteIds(uow)
      const [first, ...behind] = [divide(uow, { by: 0 }), fresh(uow), fresh(uow), fresh(uow)].map(rejection)
      for (const error of await Promise.all(behind)) {
        assert.instance(error, StatementSkippedError)
        assert.is(error.cause, await first)
      }
    }),
  )
  assert.is(await fresh(bed.db), 1)
  bed.sent()
})

test('thousands of statements that wait behind a failing one are all skipped, and the unit ends', async () => {
  await rejection(
    bed.db.unitOfWork(async (uow) => {
      const failing = divide(uow, { by: 0 })
      const behind = await Promise.allSettled(Array.from({ length: 5_000 }, () => noteIds(uow)))
      const error = await rejection(failing)
      for (const result of behind) {
        assert.is(result.status === 'rejected' && result.reason.constructor, StatementSkippedError)
        assert.is(result.status === 'rejected' && result.reason.cause, error)
      }
    }),
  )
  assert.equal(bed.sent(), ['BEGIN + divide', 'ROLLBACK'])
})

test('statements that nobody awaited are still part of the unit', async () => {
  await bed.db.unitOfWork(async (uow) => {
    void addNote(uow, { id: 1, text: 'x' })
    void addNote(uow, { id: 2, text: 'x' })
  })
  assert.equal(await noteIds(bed.db), [1, 2])
})

test('use after the end is refused, with the places where the unit was opened and where it was used', async () => {
  let late: Promise<unknown> = Promise.resolve()
  const leaked = await bed.db.unitOfWork(async (uow) => {
    late = sleep(20).then(() => rejection(noteIds(uow)))
    return uow
  })
  for (const error of [await rejection(noteIds(leaked)), await late]) {
    assert.instance(error, UnitOfWorkClosedError)
    assert.match(
      (error as Error).message,
      /the unit of work \(opened at test\/database\/unitOfWork\.test\.ts:\d+:\d+\) is over in noteIds/,
    )
  }
  const here = /^test\/database\/unitOfWork\.test\.ts:\d+:\d+$/
  const calls: Readonly<Record<string, () => unknown>> = {
    noteIds: () => noteIds(leaked),
    'noteIds with a timeout': () => noteIds(leaked.with({ timeoutMs: 1000 })),
    'noteIds.batch': () => noteIds.batch(leaked, [undefined, undefined]),
    savepoint: () => leaked.savepoint(async () => {}),
    flush: () => leaked.flush(),
    add: () => leaked.add(addNote, { id: 1, text: 'x' }),
    afterCommit: () => leaked.afterCommit(() => {}),
  }
  for (const [name, call] of Object.entries(calls)) {
    const error = (await rejection(Promise.resolve().then(call))) as UnitOfWorkClosedError
    assert.instance(error, UnitOfWorkClosedError, name)
    assert.match(error.openedAt ?? '', here, name)
    assert.match(error.calledAt ?? '', here, name)
    assert.is.not(error.calledAt, error.openedAt)
    assert.ok(error.message.includes(`, called at ${error.calledAt}: await everything`), error.message)
  }
})

test('isolation, read only and deferrable are part of BEGIN', async () => {
  const { db } = bed
  assert.is(await db.unitOfWork(isolation), 'read committed off')
  assert.is(await db.unitOfWork(isolation, { isolation: undefined, retry: undefined }), 'read committed off')
  assert.is(await db.unitOfWork(isolation, { isolation: 'serializable' }), 'serializable off')
  assert.is(
    await db.unitOfWork(isolation, { isolation: 'serializable', readOnly: true, deferrable: true }),
    'serializable on',
  )
  assert.is(bed.sent().at(-2), 'BEGIN ISOLATION LEVEL SERIALIZABLE, READ ONLY, DEFERRABLE + isolation')
  const error = await rejection(db.unitOfWork((uow) => addNote(uow, { id: 1, text: 'x' }), { readOnly: true }))
  assert.is((error as QueryError).sqlState, '25006')
})

test('timeouts of the server are set for the unit in its first round trip, and never reach the next owner', async () => {
  const names = ['statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout']
  const settings = (uow: Parameters<typeof setting>[0]): Promise<string[]> =>
    Promise.all(names.map((name) => setting(uow, { name })))
  const single = await openTestBed({ pool: { max: 1 } })
  try {
    const before = await single.db.unitOfWork(settings)
    single.sent()
    const options = { statementTimeoutMs: 1234, lockTimeoutMs: 500, idleInTransactionTimeoutMs: 60_000 }
    assert.equal(await single.db.unitOfWork(settings, options), ['1234ms', '500ms', '1min'])
    assert.is(
      single.sent()[0],
      'BEGIN + SET LOCAL statement_timeout = 1234 + SET LOCAL lock_timeout = 500 + ' +
        'SET LOCAL idle_in_transaction_session_timeout = 60000 + setting',
    )
    assert.equal(await single.db.unitOfWork(settings), before)
    await rejection(single.db.unitOfWork((uow) => divide(uow, { by: 0 }), options))
    assert.equal(await single.db.unitOfWork(settings), before)
  } finally {
    await single.close()
  }
})

test('settings are set for the unit in its first round trip, whatever is in them, and never reach the next owner', async () => {
  const single = await openTestBed({ pool: { max: 1 } })
  const values = ['42', '', "o'clock", "'; drop table notes; --", '\\', "\\'; select 1; --", '$1 ü 🦆\n', '"x"']
  const name = 'app.tenant_id'
  try {
    for (const conforming of ['on', 'off']) {
      for (const value of values) {
        const settings = { standard_conforming_strings: conforming, [name]: value }
        assert.is(await single.db.unitOfWork((uow) => setting(uow, { name }), { settings }), value)
        assert.is(single.sent().length, 2)
        const swapped = { [name]: value, standard_conforming_strings: conforming }
        assert.is(await single.db.unitOfWork((uow) => setting(uow, { name }), { settings: swapped }), value)
        single.sent()
      }
    }
    assert.is(await single.db.unitOfWork((uow) => setting(uow, { name })), '')
    single.sent()
    const settings = { 'User.id': "o'clock\\", search_path: 'pg_catalog, public' }
    const read = (uow: UnitOfWork): Promise<string[]> =>
      Promise.all([setting(uow, { name: 'user.id' }), setting(uow, { name: 'search_path' })])
    assert.equal(await single.db.unitOfWork(read, { settings }), ["o'clock\\", 'pg_catalog, public'])
    assert.is(
      single.sent()[0],
      `BEGIN + SET LOCAL "User"."id" = E'o''clock\\\\' + ` +
        "SELECT pg_catalog.set_config('search_path', 'pg_catalog, public', true) + setting",
    )
  } finally {
    await single.close()
  }
})

test('settings take no snapshot: what a lock was waited for is seen', async () => {
  const { db, observer } = bed
  await observer.query('begin; insert into notes values (1, $$x$$)')
  const unit = db.unitOfWork(
    async (uow) => {
      await command('lock table notes in share mode')(uow)
      return noteIds(uow)
    },
    { isolation: 'repeatable read', settings: { 'app.tenant_id': '1' } },
  )
  await until(async () => (await observer.query('select from pg_locks where not granted')).rowCount)
  await observer.query('commit')
  assert.equal(await unit, [1])
})

test('settings: savepoints keep them, a retry and verifyCommit have them too', async () => {
  const settings = { 'app.tenant_id': '7' }
  const seen: string[] = []
  await bed.db.unitOfWork(
    async (uow) => {
      await rejection(uow.savepoint((savepoint) => divide(savepoint, { by: 0 })))
      seen.push(await uow.savepoint((savepoint) => setting(savepoint, { name: 'app.tenant_id' })))
      if (seen.length === 1) await command("do $$ begin raise sqlstate '40001'; end $$")(uow)
      await addNote(uow, { id: 1, text: 'x' })
    },
    { settings, retry: { attempts: 2, baseDelayMs: 0 }, verifyCommit: true },
  )
  assert.equal(seen, ['7', '7'])
})

test("row-level security: a unit sees its tenant's rows as its role, and its plans are no other tenant's", async () => {
  // Roles are the whole server's, and other processes run this test.
  const role = `unit_web_${process.pid}`
  await bed.observer.query(`
    create role ${role};
    grant select, insert on notes to ${role};
    alter table notes enable row level security;
    create policy tenant on notes using (text = current_setting('app.tenant_id', true));
    insert into notes values (1, 'a'), (2, 'b')`)
  try {
    const of = (tenant: string): Promise<number[]> =>
      bed.db.unitOfWork(noteIds, { settings: { role, 'app.tenant_id': tenant }, verifyCommit: true })
    for (let n = 0; n < 3; n++) assert.equal([await of('a'), await of('b'), await of('c')], [[1], [2], []])
    assert.equal(await bed.db.unitOfWork(noteIds, { settings: { role } }), [])
    assert.equal(await bed.db.unitOfWork(noteIds), [1, 2])
    const error = await rejection(
      bed.db.unitOfWork((uow) => addNote(uow, { id: 3, text: 'b' }), {
        settings: { role, 'app.tenant_id': 'a' },
      }),
    )
    assert.is((error as QueryError).sqlState, '42501')
  } finally {
    await bed.observer.query('drop policy tenant on notes; alter table notes disable row level security')
    await bed.observer.query(`drop owned by ${role}; drop role ${role}`)
  }
})

test("a setting that PostgreSQL refuses fails the unit with PostgreSQL's error, and nothing runs", async () => {
  const refused = [
    [{ no_such_setting: '1' }, '42704'],
    [{ role: 'nobody at all' }, '22023'],
    [{ TimeZone: 'the moon' }, '22023'],
    [{ shared_buffers: '1GB' }, '55P02'],
  ] as const
  for (const [settings, sqlState] of refused) {
    const error = await rejection(bed.db.unitOfWork((uow) => addNote(uow, { id: 1, text: 'x' }), { settings }))
    assert.instance(error, QueryError)
    assert.is((error as QueryError).sqlState, sqlState)
    assert.is((error as QueryError).query, null)
  }
  assert.equal(await noteIds(bed.db), [])
})

test('options that are none of those documented are refused before anything is sent', async () => {
  const { db } = bed
  const wrong = [
    [{ isolation: 'serializable; drop table notes' }, /isolation must be one of read committed, repeatable read/],
    [{ lockTimeoutMs: 1.5 }, /lockTimeoutMs must be whole milliseconds from 0 to 2147483647; got 1.5/],
    [{ statementTimeoutMs: -1 }, /statementTimeoutMs must be whole milliseconds/],
    [
      { settings: { 'app.x = 1; drop table notes; --': '1' } },
      /settings: "app\.x = 1; .*" is not the name of a setting/,
    ],
    [{ settings: { '': '1' } }, /settings: "" is not the name/],
    [{ settings: { [`app.${'x'.repeat(64)}`]: '1' } }, /is not the name/],
    [{ settings: { 'app.x': 'a\0b' } }, /settings: "app\.x" contains a NUL/],
    [{ settings: { 'app.x': undefined } }, /settings: "app\.x" must be a string; got undefined/],
    [{ settings: { 'app.x': 42 } }, /settings: "app\.x" must be a string; got number/],
    [{ settings: { Statement_Timeout: '1' } }, /settings\.statement_timeout: set statementTimeoutMs/],
  ] as const
  for (const [options, message] of wrong) {
    const error = await rejection(db.unitOfWork(noteIds, options as never))
    assert.instance(error, TypeError)
    assert.match(error.message, message)
  }
  assert.equal(bed.sent(), [])
})

test.run()
