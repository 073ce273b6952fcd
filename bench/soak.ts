// `npm run soak`: mixed load at full speed, with a restart of the server in the middle. SECONDS: 600 by hand, 60 in CI.
// Every row is checked against what was asked for. Exit code 1 for a wrong row, an unhandled rejection, an error that is
// no ConnectionError (or CommitUnknownError), connections beyond the pool's size, or a heap that grows.

import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { CommitUnknownError, ConnectionError, createDatabase, exec, opt, value, values } from './build/index.js'
import { openServer } from './server.ts'
import { userCount } from './works.ts'

const seconds = Number(process.env.SECONDS ?? 600)
const max = 8
const unhandled: unknown[] = []
process.on('unhandledRejection', (reason) => unhandled.push(reason))

const getEmail = opt<{ id: number }, { id: number; email: string }>({
  ...place('getEmail'),
  readOnly: true,
  sql: 'select id, email from users where id = $1',
  params: ['id'],
  write: (w, p) => w.int4(p.id),
  read: (r) => ({ id: r.int4(0), email: r.text(1) }),
})
const listTitles = values<{ from: number }, string>({
  ...place('listTitles'),
  readOnly: true,
  sql: 'select title from posts where id >= $1 order by id limit 500',
  params: ['from'],
  write: (w, p) => w.int4(p.from),
  read: (r) => r.text(0),
})
const slow = value<void, number>({ ...place('slow'), sql: 'select 7 from pg_sleep(0.2)', read: (r) => r.int4(0) })
const fail = exec<void>({ ...place('fail'), sql: 'select 1 / 0' })
const addOrder = value<{ customer: string }, number>({
  ...place('addOrder'),
  sql: 'insert into orders (customer) values ($1) returning id',
  params: ['customer'],
  write: (w, p) => w.text(p.customer),
  read: (r) => r.int4(0),
})
const getCustomer = value<{ id: number }, string>({
  ...place('getCustomer'),
  readOnly: true,
  sql: 'select customer from orders where id = $1',
  params: ['id'],
  write: (w, p) => w.int4(p.id),
  read: (r) => r.text(0),
})
const deleteOrder = exec<{ id: number }>({
  ...place('deleteOrder'),
  sql: 'delete from orders where id = $1',
  params: ['id'],
  write: (w, p) => w.int4(p.id),
})

const server = await openServer()
const db = createDatabase({ url: server.url, applicationName: 'soak', pool: { max } })
const counts = { lookups: 0, lists: 0, units: 0, refused: 0, slow: 0, lost: 0 }
const wrong: unknown[] = []
const end = performance.now() + seconds * 1000
let restarted = false

const load = Promise.all([
  ...callers(48, async (n) => {
    const id = 1 + ((n * 7919 + 13) % userCount)
    const user = await getEmail(db, { id })
    check(user?.id === id && user.email === `user${id}@example.com`, user)
    counts.lookups++
  }),
  ...callers(4, async (n) => {
    const from = 1 + ((n * 31) % 9000)
    const titles = await listTitles(db, { from })
    check(titles.length === 500 && titles.every((title, at) => title === `Post ${from + at - 1}`), titles[0])
    counts.lists++
  }),
  ...callers(6, async (n) => {
    const customer = `customer ${n} ${'é'.repeat(n % 50)}`
    const id = await db.unitOfWork(async (uow) => {
      const added = await addOrder(uow, { customer })
      check((await getCustomer(uow, { id: added })) === customer, customer)
      return added
    })
    check((await deleteOrder(db, { id })) === 1, 'an order that was committed is there')
    counts.units++
  }),
  ...callers(1, async () => {
    check((await slow(db)) === 7, 'slow')
    counts.slow++
  }),
  ...callers(2, async () => {
    const error = await fail(db).then(
      () => null,
      (reason: { sqlState?: string }) => reason,
    )
    if (error instanceof ConnectionError) throw error
    check(error?.sqlState === '22012', error)
    counts.refused++
  }),
])

const heaps: number[] = []
let mostConnections = 0
for (let sample = 1; performance.now() < end; sample++) {
  await sleep(Math.min(5_000, (seconds * 1000) / 12))
  if (!restarted && performance.now() > end - seconds * 500) {
    restarted = true
    await server.restart?.()
    console.log('the server was restarted')
  }
  const connections = await countConnections()
  mostConnections = Math.max(mostConnections, connections)
  globalThis.gc?.()
  heaps.push(process.memoryUsage().heapUsed / 2 ** 20)
  console.log(`${sample}: heap ${heaps.at(-1)?.toFixed(1)} MB, ${connections} connections, ${JSON.stringify(counts)}`)
}
await load
const stats = db.stats()
await db.close()
await server.stop()

// The first samples are of a heap that still warms up.
const early = Math.min(...heaps.slice(1, 4))
const late = Math.min(...heaps.slice(-3))
const problems = [
  wrong.length > 0 && `${wrong.length} wrong answers, such as ${JSON.stringify(wrong[0])}`,
  unhandled.length > 0 && `${unhandled.length} unhandled rejections, such as ${String(unhandled[0])}`,
  mostConnections > max && `${mostConnections} connections, where ${max} are allowed`,
  late > early * 1.3 + 5 && `the heap grew from ${early.toFixed(1)} to ${late.toFixed(1)} MB`,
  stats !== null && stats.inFlight + stats.waiting > 0 && `left over: ${JSON.stringify(stats)}`,
].filter((problem) => problem !== false)
console.log(JSON.stringify(counts), problems.length === 0 ? 'all is well' : problems.join('; '))
process.exitCode = problems.length === 0 ? 0 : 1

function place(name: string): { name: string; source: string; statement: string } {
  return { name, source: 'bench/soak.sql:1', statement: name }
}

function check(holds: boolean, answer: unknown): void {
  if (!holds) wrong.push(answer)
}

function callers(count: number, run: (n: number) => Promise<void>): Promise<void>[] {
  return Array.from({ length: count }, async (_, caller) => {
    for (let n = caller; performance.now() < end; n += count) {
      try {
        await run(n)
      } catch (error) {
        if (error instanceof ConnectionError || error instanceof CommitUnknownError) counts.lost++
        else wrong.push(String(error))
        await sleep(5)
      }
    }
  })
}

async function countConnections(): Promise<number> {
  const client = new pg.Client(server.url)
  await client.connect()
  const { rows } = await client.query("select count(*)::int as n from pg_stat_activity where application_name = 'soak'")
  await client.end()
  return rows[0].n
}
