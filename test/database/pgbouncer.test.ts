// A real PgBouncer in transaction mode, where this machine has one (`apt-get install pgbouncer`); elsewhere the one
// test here is of what is sent to it.

import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { createDatabase } from '../../lib/database/database.ts'
import { poolSettings } from '../../lib/database/poolOptions.ts'
import { value } from '../../lib/query/kinds.ts'
import { freshDatabase, type TestDatabase } from '../support/server.ts'
import { command, failure, number, rows, sleep } from './support.ts'

const test = suite('pgbouncer')
const version = installed()
const preparing = version !== null && (version[0] > 1 || version[1] >= 21)

test('the option turns off what a PgBouncer cannot do, and leaves the rest', () => {
  assert.is(poolSettings({ pgBouncer: true }).preparedStatements, 0)
  assert.is(poolSettings({ pgBouncer: true, preparedStatements: 100 }).preparedStatements, 100)
  assert.is(poolSettings({}).preparedStatements, 256)
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
      const echo = value<{ n: number }, number>({
        ...rows<{ n: number }, number>(
          'select $1::int4',
          (r) => r.int4(0),
          (w, p) => w.int4(p.n),
        ).query,
        readOnly: true,
      })
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

interface Bouncer {
  readonly url: string
  restart(): Promise<void>
  stop(): void
}

async function startBouncer(url: string): Promise<Bouncer> {
  const target = new URL(url)
  const folder = mkdtempSync(join(tmpdir(), 'pgbouncer-'))
  const port = await freePort()
  const host = target.searchParams.get('host') ?? target.hostname
  const serverPort = target.searchParams.get('port') ?? (target.port || '5432')
  const user = target.searchParams.get('user') ?? target.username
  const ini = join(folder, 'pgbouncer.ini')
  // Fewer server connections than ours, so that they really are shared.
  writeFileSync(
    ini,
    `[databases]
* = host=${host} port=${serverPort} user=${user}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
auth_type = any
pool_mode = transaction
default_pool_size = 3
unix_socket_dir =
${preparing ? 'max_prepared_statements = 50' : ''}
`,
  )
  chmodSync(folder, 0o755)
  const launch = async (): Promise<ChildProcess> => {
    // It refuses to run as root.
    const user = process.getuid?.() === 0 ? ['-u', 'postgres'] : []
    const child = spawn('pgbouncer', [...user, '-q', ini], { stdio: 'ignore' })
    for (let times = 0; times < 200 && !(await answers(port)); times++) await sleep(10)
    return child
  }
  let child = await launch()
  return {
    url: `postgres://${user}@127.0.0.1:${port}${target.pathname}?sslmode=disable`,
    restart: async () => {
      child.kill('SIGKILL')
      await new Promise((done) => child.once('exit', done))
      child = await launch()
    },
    stop: () => {
      child.kill('SIGKILL')
      rmSync(folder, { recursive: true })
    },
  }
}

async function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy()
      resolve(true)
    }).on('error', () => resolve(false))
  })
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((done) => server.once('listening', done))
  const { port } = server.address() as { port: number }
  await new Promise((done) => server.close(done))
  return port
}

function installed(): [number, number] | null {
  try {
    const output = execFileSync('pgbouncer', ['--version'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
    const [, major, minor] = /PgBouncer (\d+)\.(\d+)/.exec(output) ?? []
    return [Number(major), Number(minor)]
  } catch {
    return null
  }
}

test.run()
