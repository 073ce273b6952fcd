// A real PgBouncer in transaction mode, where this machine has one (`apt-get install pgbouncer`).

import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sleep } from './support.ts'

export interface Bouncer {
  readonly url: string
  restart(): Promise<void>
  stop(): void
}

/** Stands before the server of `url`, in transaction mode, with 3 connections to it. */
export async function startBouncer(url: string): Promise<Bouncer> {
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
${prepares(installed()) ? 'max_prepared_statements = 50' : ''}
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

/** The PgBouncer of this machine. */
export function installed(): [number, number] | null {
  try {
    const output = execFileSync('pgbouncer', ['--version'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
    const [, major, minor] = /PgBouncer (\d+)\.(\d+)/.exec(output) ?? []
    return [Number(major), Number(minor)]
  } catch {
    return null
  }
}

/** Whether it keeps prepared statements apart (1.21 and later). */
export function prepares(version: [number, number] | null): boolean {
  return version !== null && (version[0] > 1 || version[1] >= 21)
}
