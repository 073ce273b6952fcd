// Lanes: what is shared, what never is, and that nobody waits behind somebody else's slow statement. Order is what is
// asserted here, never time: the slow one is still running when the others are done. How many lanes are filled depends
// on how quick the server is: that is in laneChoice.test.ts.
// wire only: the other way has no lanes

import { Client } from 'pg'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { settlesWithin } from '../../lib/database/cancellation.ts'
import { createDatabase, type Database } from '../../lib/database/database.ts'
import type { PoolOptions } from '../../lib/database/pool/options.ts'
import type { UnitOfWork } from '../../lib/database/unit/unitOfWork.ts'
import { message } from '../../lib/database/wire/messages.ts'
import { AcquireTimeoutError, ConnectionError, PoolOverloadedError, type QueryError } from '../../lib/errors.ts'
import * as codec from '../../lib/query/codecs.ts'
import { exec, type Value, value } from '../../lib/query/kinds.ts'
import type { ParamWriter } from '../../lib/query/params.ts'
import { freshDatabase } from '../support/server.ts'
import { farServer } from './farServer.ts'
import { startProxy } from './proxy.ts'
import { command, door, failure, gate, number, rows, sleep, until } from './support.ts'

const test = suite('lanes')
const { url, drop } = await freshDatabase(
  'create table t (n int primary key, x int); insert into t values (1, 0), (2, 0)',
)
const admin = new Client(url)
await admin.connect()
const opened: Database[] = []
test.after(async () => {
  await Promise.all(opened.map((db) => db.close({ graceMs: 0 })))
  await admin.end()
  await drop()
})

function open(pool: PoolOptions, at = url): Database {
  const db = createDatabase({ url: at, pool })
  opened.push(db)
  return db
}

function read(sql: string): Value<void, number> {
  const { query } = number(sql)
  return value<void, number>({ ...query, readOnly: true })
}

const pid = read('select pg_backend_pid()')

/** Runs it until it is known to be quick. */
async function learn(db: Database, run: (db: Database) => Promise<unknown>): Promise<void> {
  for (let times = 0; times < 20; times++) await run(db)
}

/** Whether all settle, while something else is still running. */
const allSettle = (promises: readonly Promise<unknown>[]): Promise<boolean> =>
  settlesWithin(Promise.allSettled(promises), 20_000)

const atDoors = "from pg_stat_activity where wait_event = 'advisory' and datname = current_database()"

/** Waits until so many statements wait for a door. */
async function untilAtDoors(count: number): Promise<void> {
  await until(async () => (await admin.query(`select ${atDoors}`)).rowCount === count)
}

for (const max of [1, 2, 10]) {
  test(`many callers share at most ${max} connections, and each gets its own answer`, async () => {
    const db = open({ max })
    const echo = rows<{ n: number }, number>(
      'select $1::int4',
      (r) => r.int4(0),
      (w, p) => w.int4(p.n),
    )
    const answers = await Promise.all(Array.from({ length: 500 }, (_, n) => echo(db, { n })))
    assert.equal(
      answers,
      Array.from({ length: 500 }, (_, n) => [n]),
    )
    await learn(db, pid)
    const pids = new Set(await Promise.all(Array.from({ length: 500 }, () => pid(db))))
    assert.ok(pids.size <= max)
    assert.ok((db.stats()?.total ?? 99) <= max)
  })
}

test('a slow statement delays nobody, as long as there is another connection', async () => {
  const db = open({ max: 2 })
  await learn(db, pid)
  const { passes, shut, open: letGo } = door(admin)
  await shut()
  const slow = number(`select 1 from ${passes}`)(db)
  assert.ok(await allSettle(Array.from({ length: 300 }, () => pid(db))))
  await letGo()
  assert.is(await slow, 1)
})

test('as many slow statements as there are connections make the others wait, and no longer', async () => {
  const db = open({ max: 2 })
  await learn(db, pid)
  const [one, other] = [door(admin), door(admin)]
  await one.shut()
  await other.shut()
  const short = number(`select 1 from ${one.passes}`)(db)
  const long = number(`select 1 from ${other.passes}`)(db)
  const others = Array.from({ length: 100 }, () => pid(db))
  assert.not(await settlesWithin(Promise.race(others), 100))
  await one.open()
  assert.ok(await allSettle([short, ...others]))
  await other.open()
  assert.is(await long, 1)
})

test('what was sent behind a quick read that turns out slow is sent again elsewhere', async () => {
  const db = open({ max: 2 })
  const { passes, shut, open: letGo } = door(admin)
  const readBehind = read(`select pg_backend_pid() from ${passes}`)
  await learn(db, readBehind)
  await learn(db, pid)
  await shut()
  const slow = readBehind(db)
  assert.ok(await allSettle(Array.from({ length: 50 }, () => pid(db))))
  await letGo()
  assert.type(await slow, 'number')
})

test('a first answer that we were too busy to read does not make slow statements look quick ever after', async () => {
  const db = open({ max: 2 })
  const first = pid(db)
  while (db.stats()?.inFlight === 0) await new Promise(setImmediate)
  for (const until = performance.now() + 300; performance.now() < until; );
  await first
  await learn(db, pid)
  const { passes, shut, open: letGo } = door(admin)
  const behind = read(`select 1 from ${passes}`)
  for (let times = 0; times < 3; times++) {
    await shut()
    const running = behind(db)
    await sleep(200)
    await letGo()
    await running
  }
  await shut()
  const slow = behind(db)
  assert.ok(await allSettle(Array.from({ length: 50 }, () => pid(db))))
  await letGo()
  await slow
})

test('a write is run once, however far the server and however new the connection', async () => {
  await admin.query('create table once (id int generated always as identity)')
  const proxy = await startProxy(url)
  const far = await farServer(proxy.url, 60)
  const db = open({ max: 4 }, far.url)
  const insert = command('insert into once default values')
  await Promise.all(Array.from({ length: 3 }, () => insert(db)))
  await db.close()
  await far.close()
  await proxy.close()
  const { rows: counted } = await admin.query('select count(*)::int as n from once')
  assert.is(counted[0].n, 3)
})

test('reads on new connections to a server far away are not sent again', async () => {
  const proxy = await startProxy(url)
  const far = await farServer(proxy.url, 60)
  const db = open({ max: 8 }, far.url)
  await Promise.all(Array.from({ length: 2 }, () => pid(db)))
  await db.close()
  assert.is(far.accepted, 2)
  await far.close()
  await proxy.close()
})

test('a write that waits for a lock has its connection to itself', async () => {
  const db = open({ max: 3 })
  const update = command('update t set x = x + 1 where n = 1')
  await learn(db, update)
  await learn(db, pid)
  await admin.query('begin')
  await admin.query('select * from t where n = 1 for update')
  const blocked = update(db)
  const others = [...Array.from({ length: 100 }, () => pid(db)), ...[1, 2].map(() => command('select from t')(db))]
  await Promise.all(others)
  await admin.query('commit')
  assert.is(await blocked, 1)
})

test('units of work have connections of their own', async () => {
  const db = open({ max: 3 })
  await learn(db, pid)
  await db.unitOfWork(async (uow) => {
    const own = await pid(uow)
    const outside = db.with({ outsideUnit: true })
    const shared = await Promise.all(Array.from({ length: 200 }, () => pid(outside)))
    assert.not(shared.includes(own))
  })
})

test('a unit of work gets its turn however busy the lanes are, and they get theirs', async () => {
  const db = open({ max: 1 })
  await learn(db, pid)
  let stop = false
  let answers = 0
  const busy = Array.from({ length: 20 }, async () => {
    while (!stop) {
      await pid(db)
      answers++
    }
  })
  const before = answers
  for (let unit = 0; unit < 5; unit++) await db.unitOfWork(async (uow) => void (await pid(uow)))
  stop = true
  await Promise.all(busy)
  assert.ok(answers > before)
})

test('units of work that come first, while the lanes are being opened, are not forgotten', async () => {
  const db = open({ max: 3 })
  let stop = false
  const busy = Array.from({ length: 60 }, async () => {
    while (!stop) await pid(db)
  })
  await Promise.all(Array.from({ length: 5 }, () => db.unitOfWork(async (uow) => void (await pid(uow)))))
  stop = true
  await Promise.all(busy)
})

test('of two units of work that come at once for one idle connection, the other one gets that of a lane', async () => {
  const db = open({ max: 2 })
  const both = (first: (uow: UnitOfWork) => Promise<void>, second: (uow: UnitOfWork) => Promise<void>) =>
    Promise.all([db.unitOfWork(first), db.unitOfWork(second)])
  const ask = async (uow: UnitOfWork) => void (await pid(uow))
  await both(ask, ask)
  await learn(db, pid)
  assert.is(db.stats()?.idle, 1)
  let stop = false
  const busy = Array.from({ length: 5 }, async () => {
    while (!stop) await pid(db)
  })
  let secondIsDone = () => {}
  const second = new Promise<void>((done) => {
    secondIsDone = done
  })
  await both(
    async (uow) => {
      await pid(uow)
      await second
    },
    async (uow) => {
      await pid(uow)
      secondIsDone()
    },
  )
  stop = true
  await Promise.all(busy)
})

test('a unit of work waits for quick reads to end, not for a report that has its lane to itself', async () => {
  const db = open({ max: 2 })
  await learn(db, pid)
  const { passes, shut, open: letGo } = door(admin)
  await shut()
  const report = number(`select 1 from ${passes}`)(db)
  await untilAtDoors(1)
  let stop = false
  const busy = Array.from({ length: 5 }, async () => {
    while (!stop) await pid(db)
  })
  assert.ok(await allSettle([db.unitOfWork((uow) => pid(uow))]))
  stop = true
  await letGo()
  await Promise.all([report, ...busy])
})

test('a caller who waits too long learns who is in the way', async () => {
  const db = open({ max: 1, acquireTimeoutMs: 500, traceHolders: true })
  const { passes, shut, open: letGo } = door(admin)
  await shut()
  const slow = number(`select 1 from ${passes}`)
  const running = slow(db)
  await untilAtDoors(1)
  const error = (await failure(pid(db))) as AcquireTimeoutError
  assert.instance(error, AcquireTimeoutError)
  assert.is(error.holders.length, 1)
  assert.is(error.holders[0]?.running?.name, slow.query.name)
  assert.match(
    error.message,
    new RegExp(`\\n  shared for \\d+ ms, running ${slow.query.name} \\(sql/test.sql:\\d+\\)$`),
  )
  await letGo()
  await running

  const alone = db.with({ timeoutMs: 60_000 })
  await shut()
  const own = slow(alone)
  await untilAtDoors(1)
  const behind = (await failure(pid(db))) as AcquireTimeoutError
  assert.match(behind.message, new RegExp(`\\n  call for \\d+ ms, running ${slow.query.name} `))
  await letGo()
  await own

  const [held, over] = [gate(), gate()]
  const unit = db.unitOfWork(async (uow) => {
    await pid(uow)
    held.open()
    await over.opened
  })
  await held.opened
  const other = (await failure(db.unitOfWork(async (uow) => void (await pid(uow))))) as AcquireTimeoutError
  assert.match(other.message, /\n {2}unit of work for \d+ ms, idle, acquired at .*lanes\.test\.ts:\d+:\d+$/)
  over.open()
  await unit
})

test('a caller waits for as long as it may, whatever those before it had to', async () => {
  const db = open({ max: 1, acquireTimeoutMs: 600 })
  const over = gate()
  const unit = db.unitOfWork(async (uow) => {
    await pid(uow)
    await over.opened
  })
  await until(() => db.stats()?.total === 1)
  const first = failure(pid(db))
  await sleep(50)
  const start = performance.now()
  const second = failure(command('select 1')(db))
  for (const error of [await first, await second]) assert.instance(error, AcquireTimeoutError)
  assert.ok(performance.now() - start > 590)
  await sleep(200)
  const patient = pid(db)
  // What was begun for one of those has been waited for long enough by now.
  await sleep(450)
  over.open()
  assert.type(await patient, 'number')
  await unit
})

test('callers beyond maxWaiting are turned away at once', async () => {
  const db = open({ max: 1, maxWaiting: 2 })
  await pid(db)
  const { passes, shut, open: letGo } = door(admin)
  await shut()
  const slow = number(`select 1 from ${passes}`)(db)
  const waiting = [1, 2].map(() => pid(db))
  const errors = await Promise.all([1, 2].map(() => failure(pid(db))))
  for (const error of errors) assert.instance(error, PoolOverloadedError)
  await letGo()
  await Promise.all([slow, ...waiting])
})

for (const way of ['on lanes', 'without lanes', 'with a timeout'] as const) {
  test(`a read whose connection is lost is run again, once; a write is not: ${way}`, async () => {
    const db = open({ max: 2, lanes: way !== 'without lanes' })
    const on = way === 'with a timeout' ? db.with({ timeoutMs: 30_000 }) : db
    await Promise.all([pid(db), pid(db)])
    const { passes, shut, open: letGo } = door(admin)
    await shut()
    const reading = read(`select pg_backend_pid() from ${passes}`)
    const reads = reading(on)
    const writing = failure(command(`update t set x = 1 from ${passes}`)(on))
    await untilAtDoors(2)
    await admin.query(`select pg_terminate_backend(pid) ${atDoors}`)
    const lost = (await writing) as ConnectionError
    assert.instance(lost, ConnectionError)
    assert.equal([lost.statement, lost.retryable], ['unknown', false])
    await untilAtDoors(1)
    await letGo()
    assert.type(await reads, 'number')
    await shut()
    let unlucky: unknown
    failure(reading(on)).then((error) => {
      unlucky = error
    })
    const ended = new Set<number>()
    await until(async () => {
      // One that is ending may be seen a second time.
      const { rows } = await admin.query<{ pid: number }>(`select pid, pg_terminate_backend(pid) ${atDoors}`)
      for (const row of rows) ended.add(row.pid)
      return unlucky !== undefined
    })
    assert.instance(unlucky, ConnectionError)
    assert.is(ended.size, 2)
    await letGo()
  })
}

test('a lane whose connection is lost while it idles is replaced before anybody notices', async () => {
  const db = open({ max: 1 })
  for (let times = 0; times < 3; times++) {
    const before = await pid(db)
    await admin.query('select pg_terminate_backend($1)', [before])
    await until(() => db.stats()?.total === 0)
    assert.is(await command('select')(db), 1)
    assert.is.not(await pid(db), before)
  }
})

test('a connection that is lost in the very moment in which it answers a ping is not given to anybody', async () => {
  const proxy = await startProxy(url)
  try {
    const db = open({ max: 1, pingAfterIdleMs: 1 }, proxy.url)
    const fatal = message('E', 'SFATAL\0VFATAL\0C57P01\0Mterminating connection\0\0')
    const asks: (() => Promise<number>)[] = [() => pid(db), () => db.unitOfWork((uow) => pid(uow))]
    for (const ask of asks) {
      const before = await db.unitOfWork((uow) => pid(uow))
      while (db.stats()?.idle !== 1) await sleep(10)
      await sleep(5)
      proxy.lastWords(fatal)
      assert.is.not(await ask(), before)
    }
  } finally {
    await proxy.close()
  }
})

test('while no further connection can be made, those that are there serve everybody', async () => {
  await admin.query(`do $$ begin execute format('alter database %I connection limit %s', current_database(),
    (select count(*) + 2 from pg_stat_activity where datname = current_database())); end $$`)
  const role = `guest_${process.pid}`
  await admin.query(`create role ${role} login`)
  const guest = url.replace('user=postgres', `user=${role}`).replace('postgres@', `${role}@`)
  const db = createDatabase({ url: guest, pool: { max: 10 } })
  opened.push(db)
  await pid(db)
  const answers = await Promise.allSettled(Array.from({ length: 40 }, () => number('select 1 from pg_sleep(0.01)')(db)))
  assert.ok(answers.every((answer) => answer.status === 'fulfilled'))
  await admin.query("do $$ begin execute format('alter database %I connection limit -1', current_database()); end $$")
  await db.close()
  await admin.query(`drop role ${role}`)
})

test('an error is its own call’s, whatever runs on the same connection', async () => {
  const db = open({ max: 1 })
  const divide = value<{ by: number }, number>({
    ...rows<{ by: number }, number>(
      'select 12 / $1',
      (r) => r.int4(0),
      (w, p) => w.int4(p.by),
    ).query,
    readOnly: true,
  })
  await learn(db, (on) => divide(on, { by: 1 }))
  const outcomes = await Promise.all(
    Array.from({ length: 60 }, (_, n) => divide(db, { by: n % 3 }).catch((error: QueryError) => error.sqlState)),
  )
  assert.equal(
    outcomes,
    Array.from({ length: 60 }, (_, n) => (n % 3 === 0 ? '22012' : 12 / (n % 3))),
  )
})

test('statements are prepared anew when the schema changes, or the server forgets them', async () => {
  const db = open({ max: 2 })
  await admin.query('create table changing (n int, label text); insert into changing values (1, $$a$$)')
  const all = value<void, number>({ ...rows('select * from changing', (r) => r.int4(0)).query, readOnly: true })
  const label = value<void, string>({ ...rows('select label from changing', (r) => r.text(0)).query, readOnly: true })
  const changes = [
    'alter table changing add column added int',
    'alter table changing drop column added',
    'alter table changing alter column label type varchar(9)',
    'alter table changing add column later int default 5',
  ]
  let stop = false
  let asked = 0
  const readers = Array.from({ length: 8 }, async () => {
    while (!stop) {
      assert.is(await all(db), 1)
      assert.is(await label(db), 'a')
      asked++
    }
  })
  for (const sql of changes) {
    await admin.query(sql)
    await sleep(20)
  }
  // Not as DISCARD ALL, which we would notice.
  const forget = command("do $$ begin execute 'deallocate all'; end $$")
  for (let times = 0; times < 5; times++) {
    await forget(db)
    await sleep(5)
  }
  await until(() => asked > 20)
  stop = true
  await Promise.all(readers)
})

test('statements are prepared anew when their parameters’ types change: of a column, or an enum made anew', async () => {
  const db = open({ max: 1 })
  await admin.query(`
    create type mood as enum ('glad', 'sad');
    create table moods (mood mood, label text);
    insert into moods values ('sad', '1')`)
  const text = { write: (w: ParamWriter, p: { text: string }) => w.text(p.text), params: ['text'] }
  const moods = {
    write: (w: ParamWriter, p: { moods: string[] }) => w.value(p.moods, codec.array(codec.text)),
    params: ['moods'],
  }
  const find = value<{ text: string }, number>({
    ...number('select count(*)::int4 from moods where label = $1').query,
    ...text,
    readOnly: true,
  })
  const add = exec<{ text: string }>({ ...command('insert into moods (label) values ($1)').query, ...text })
  const addMoods = () => {
    const { query } = command('insert into moods (mood) select unnest($1::mood[])')
    return exec<{ moods: string[] }>({ ...query, ...moods })
  }
  const [few, many] = [addMoods(), addMoods()]
  const runAll = async () => [
    await find(db, { text: '1' }),
    await add(db, { text: '2' }),
    await few(db, { moods: ['sad'] }),
    // Those of more than 8 kB are parsed for each run, with the types that the first one was described with.
    await many(db, { moods: Array.from({ length: 3_000 }, () => 'glad') }),
  ]
  for (let times = 0; times < 2; times++) assert.equal(await runAll(), [1, 1, 1, 3_000])
  await admin.query(`
    alter table moods alter label type int using label::int;
    alter type mood rename to old_mood;
    create type mood as enum ('glad', 'sad', 'calm');
    alter table moods alter mood type mood using mood::text::mood;
    drop type old_mood`)
  for (let times = 0; times < 2; times++) assert.equal(await runAll(), [1, 1, 1, 3_000])

  // In a unit of work the first one fails, as it cannot be sent again; and not for ever.
  await admin.query('alter table moods alter label type text')
  const unit = () => db.unitOfWork((uow) => find(uow, { text: '1' }))
  assert.is(((await failure(unit())) as QueryError).sqlState, '42883')
  assert.is(await unit(), 1)
})

test('close() lets everything finish that was called before', async () => {
  const db = open({ max: 2 })
  const calls = Array.from({ length: 50 }, () => pid(db))
  await db.close()
  assert.is((await Promise.all(calls)).length, 50)
})

test('close({ graceMs }) has the server cancel what does not end', async () => {
  const db = open({ max: 3 })
  const slow = failure(number('select 1 from pg_sleep(30)')(db)) as Promise<QueryError>
  const unit = failure(db.unitOfWork(async (uow) => void (await number('select 1 from pg_sleep(30)')(uow))))
  const running =
    "select from pg_stat_activity where state = 'active' and query like '%pg_sleep(30)%' and pid <> pg_backend_pid()"
  await until(async () => (await admin.query(running)).rowCount === 2)
  await db.close({ graceMs: 20 })
  assert.is((await slow).sqlState, '57014')
  assert.is(((await unit) as QueryError).sqlState, '57014')
})

test.run()
