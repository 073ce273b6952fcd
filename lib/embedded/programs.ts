// Runs PostgreSQL's two programs: initdb to its end, the server until it is ready, and later until it is stopped.

import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs'
import type { Socket } from 'node:net'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { platform } from './binaries.ts'
import { EmbeddedServerError, NoServerError } from './errors.ts'
import type { ServerUser } from './user.ts'
import { belowShell, type Watchdog } from './watchdog.ts'

/** What both programs need to run. */
export interface Surroundings {
  /** The folder with `bin`. */
  readonly programs: string
  readonly user: ServerUser
  /** The temporary folder: current directory, and place of the log. */
  readonly folder: string
  readonly watchdog: Watchdog
}

/** SIGINT is PostgreSQL's fast shutdown. SIGQUIT is its immediate one, after which the next start recovers. */
export type StopSignal = 'SIGINT' | 'SIGQUIT'

export interface RunningServer {
  readonly processId: number
  /** Returns when all of the server's processes have ended, at once if they have already. */
  stop(signal: StopSignal): Promise<void>
}

export async function runInitdb(around: Surroundings, args: readonly string[]): Promise<void> {
  const child = await spawnProgram(around, [programFile(around, 'initdb'), ...args], 'log')
  around.watchdog.watch(child)
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  if (child.exitCode === 0) return
  throw new EmbeddedServerError(`initdb failed (${child.signalCode ?? `exit code ${child.exitCode}`}).`, log(around))
}

/** Answers when the server accepts connections. It does not keep our event loop running, and ends with us. */
export async function runServer(
  around: Surroundings,
  dataDirectory: string,
  settings: Readonly<Record<string, string>>,
  whenWeEnd: StopSignal,
): Promise<RunningServer> {
  const args = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
  const command = [programFile(around, 'postgres'), '-D', dataDirectory, ...args]
  const start = process.platform === 'win32' ? startOnWindows : startBelowShell
  const server = await start(around, command, whenWeEnd)
  // A server that recovers from a crash takes its time, but not for ever.
  const deadline = Date.now() + 60_000
  while (!isReady(dataDirectory, server.processId)) {
    if (server.hasEnded() || Date.now() > deadline) {
      const problem = server.hasEnded() ? 'ended while it was starting' : 'was not ready after 60 seconds'
      await server.stop('SIGQUIT')
      throw new EmbeddedServerError(`The PostgreSQL server ${problem}.`, log(around))
    }
    await delay(3)
  }
  return server
}

interface StartingServer extends RunningServer {
  hasEnded(): boolean
}

async function startBelowShell(
  around: Surroundings,
  command: readonly string[],
  whenWeEnd: StopSignal,
): Promise<StartingServer> {
  const shellCommand = belowShell(around.folder, whenWeEnd.slice(3), command)
  const shell = await spawnProgram(around, shellCommand, 'pipes')
  const [input, output] = [shell.stdin as Socket, shell.stdout as Socket]
  const processId = Number(await once(output, 'data'))
  const ended = once(output.resume(), 'end')
  for (const each of [shell, input, output]) each.unref()

  const stop = async (signal: StopSignal) => {
    output.ref()
    if (!output.readableEnded) process.kill(processId, signal)
    const impatience = setTimeout(() => process.kill(processId, 'SIGKILL'), 10_000)
    await ended
    clearTimeout(impatience)
    shell.ref()
    input.end('stopped\n')
    if (shell.exitCode === null && shell.signalCode === null) await once(shell, 'exit')
  }
  return { processId, stop, hasEnded: () => output.readableEnded }
}

/** Not tested by us. PostgreSQL refuses to run in an elevated process. */
async function startOnWindows(around: Surroundings, command: readonly string[]): Promise<StartingServer> {
  const child = await spawnProgram(around, command, 'log')
  const ended = once(child, 'exit')
  const hasEnded = () => child.exitCode !== null || child.signalCode !== null
  around.watchdog.watch(child)
  child.unref()
  const stop = async () => {
    child.ref()
    child.kill()
    await ended
  }
  return { processId: child.pid as number, stop, hasEnded }
}

/** As the server's user, and in a process group of its own. Its output goes to the log or to us. */
async function spawnProgram(
  around: Surroundings,
  [file = '', ...args]: readonly string[],
  output: 'log' | 'pipes',
): Promise<ChildProcess> {
  const toLog = openSync(logFile(around), 'a')
  const options: SpawnOptions = {
    cwd: around.folder,
    env: environment(),
    stdio: output === 'log' ? ['ignore', toLog, toLog] : ['pipe', 'pipe', toLog],
    detached: true,
    windowsHide: true,
    ...(around.user.other && { uid: around.user.uid, gid: around.user.gid }),
  }
  const child = spawn(file, args, options)
  closeSync(toLog)
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
function isReady(dataDirectory: string, processId: number): boolean {
  const lines = readPidFile(dataDirectory).split('\n')
  return Number(lines[0]) === processId && lines[7]?.trim() === 'ready'
}

function readPidFile(dataDirectory: string): string {
  try {
    return readFileSync(join(dataDirectory, 'postmaster.pid'), 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return ''
    throw error
  }
}

function programFile(around: Surroundings, name: string): string {
  return join(around.programs, 'bin', process.platform === 'win32' ? `${name}.exe` : name)
}

function logFile(around: Surroundings): string {
  return join(around.folder, 'postgresql.log')
}

function log(around: Surroundings): string {
  return readFileSync(logFile(around), 'utf8')
}
