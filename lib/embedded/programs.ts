// Runs PostgreSQL's two programs: initdb to its end, the server until it is ready for connections.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { platform } from './binaries.ts'
import { EmbeddedServerError, NoServerError } from './errors.ts'
import type { ServerUser } from './user.ts'

/** What both programs need to run. */
export interface Surroundings {
  /** The folder with `bin`. */
  readonly programs: string
  readonly user: ServerUser
  /** The temporary folder: current directory, and place of the log. */
  readonly folder: string
}

/** Called as soon as a process exists, so that it can be ended with us even while it starts. */
type Watch = (child: ChildProcess) => void

export async function runInitdb(around: Surroundings, args: readonly string[], watch: Watch): Promise<void> {
  const child = await start(around, 'initdb', args)
  watch(child)
  await once(child, 'exit')
  if (child.exitCode === 0) return
  throw new EmbeddedServerError(`initdb failed (${child.signalCode ?? `exit code ${child.exitCode}`}).`, log(around))
}

/** Answers when the server accepts connections. Its process does not keep our event loop running. */
export async function runServer(
  around: Surroundings,
  dataDirectory: string,
  settings: Readonly<Record<string, string>>,
  watch: Watch,
): Promise<ChildProcess> {
  const args = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
  const child = await start(around, 'postgres', ['-D', dataDirectory, ...args])
  watch(child)
  child.unref()
  // A server that recovers from a crash takes its time, but not forever.
  const deadline = Date.now() + 60_000
  while (!isReady(dataDirectory, child)) {
    if (child.exitCode !== null || child.signalCode !== null) {
      throw new EmbeddedServerError('The PostgreSQL server ended while it was starting.', log(around))
    }
    if (Date.now() > deadline) {
      await stopServer(child, 'SIGQUIT')
      throw new EmbeddedServerError('The PostgreSQL server was not ready after 60 seconds.', log(around))
    }
    await delay(3)
  }
  return child
}

/** SIGINT is PostgreSQL's fast shutdown, SIGQUIT its immediate one, after which the next start recovers from the log. */
export async function stopServer(child: ChildProcess, signal: 'SIGINT' | 'SIGQUIT'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.ref()
  const exit = once(child, 'exit')
  child.kill(signal)
  const impatience = setTimeout(() => child.kill('SIGKILL'), 10_000)
  await exit
  clearTimeout(impatience)
}

async function start(around: Surroundings, program: string, args: readonly string[]): Promise<ChildProcess> {
  const file = join(around.programs, 'bin', process.platform === 'win32' ? `${program}.exe` : program)
  const output = openSync(logFile(around), 'a')
  const child = spawn(file, args, {
    cwd: around.folder,
    env: environment(),
    stdio: ['ignore', output, output],
    // A process group of its own: Ctrl-C must reach us and not the server, which would stop under our feet.
    detached: process.platform !== 'win32',
    windowsHide: true,
    ...(around.user.other && { uid: around.user.uid, gid: around.user.gid }),
  })
  closeSync(output)
  if (child.pid !== undefined) return child
  const [error] = (await once(child, 'error')) as [NodeJS.ErrnoException]
  // The file is there and yet "not found": what is missing is the loader it names, glibc's.
  if (error.code === 'ENOENT' && existsSync(file)) {
    throw new NoServerError(`${platform}-musl`, `the binaries of ${platform} need glibc, which this system has not`)
  }
  throw new EmbeddedServerError(`${file} cannot be run: ${error.message}`, '', { cause: error })
}

/** Ours, without what would configure PostgreSQL or translate its messages; initdb takes the time zone from TZ. */
function environment(): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(([name]) => !/^(PG|LC_|LANG)/.test(name))
  return { ...Object.fromEntries(inherited), LC_ALL: 'C', TZ: 'UTC' }
}

/** postmaster.pid: the process id in its first line, the state in its eighth (src/include/utils/pidfile.h). */
function isReady(dataDirectory: string, child: ChildProcess): boolean {
  const lines = readPidFile(dataDirectory).split('\n')
  return Number(lines[0]) === child.pid && lines[7]?.trim() === 'ready'
}

function readPidFile(dataDirectory: string): string {
  try {
    return readFileSync(join(dataDirectory, 'postmaster.pid'), 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return ''
    throw error
  }
}

function logFile(around: Surroundings): string {
  return join(around.folder, 'postgresql.log')
}

function log(around: Surroundings): string {
  return readFileSync(logFile(around), 'utf8')
}
