// Leaves nothing behind, however we end: a small process beside us that outlives us by a moment.
// It holds the reading end of a pipe to us. The kernel closes our end when we stop, exit, crash or are killed; then it
// stops the server and removes the temporary folder. So no signal handlers are needed here, and none are installed.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { rm } from 'node:fs/promises'
import type { Socket } from 'node:net'
import { dirname } from 'node:path'

export interface Watchdog {
  /** From now on this process is the one to end with us, by the signal given. A process that ended is forgotten. */
  watch(child: ChildProcess, signal: 'SIGINT' | 'SIGQUIT' | 'SIGKILL'): void
  /** Removes the folder. Processes must have ended before. */
  release(): Promise<void>
}

/** `pidFile` is the server's postmaster.pid, which tells a server that ended from one that nobody has reaped yet. */
export function startWatchdog(folder: string, pidFile: string): Watchdog {
  const [program, ...args] =
    process.platform === 'win32'
      ? [process.execPath, '-e', windowsScript, folder]
      : ['/bin/sh', '-c', script, 'plainsql-watchdog', folder, pidFile]
  // Detached: Ctrl-C goes to every process of the terminal's group, and this one must not die of it.
  const dog = spawn(program as string, args, {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
    cwd: dirname(folder),
    windowsHide: true,
  })
  const gone = once(dog, 'exit')
  // Neither may keep our event loop running.
  dog.unref()
  ;(dog.stdin as Socket).unref()
  // Somebody killed it: stop() still works, only the death of our process is not covered any more.
  dog.stdin.on('error', () => {})

  return {
    watch(child, signal) {
      dog.stdin.write(`${signal.slice(3)} ${child.pid}\n`)
      child.once('exit', () => dog.stdin.write('\n'))
    },
    async release() {
      dog.ref()
      dog.stdin.end()
      if (dog.exitCode === null && dog.signalCode === null) await gone
      await rm(folder, { recursive: true, force: true })
    },
  }
}

// A shell starts in a millisecond and needs 1 MB; a second Node would take 40 of each. The last line read counts.
// -pid is the process and those it started in its group: initdb has children (the server's all leave the group).
// The server gets 1.6 s: an immediate shutdown takes 5 ms, a fast one writes its buffers first. A child of initdb may
// still write while the folder is removed, hence the second attempt.
const script = `
while read -r signal pid; do last_signal=$signal; last_pid=$pid; done
if [ -n "$last_pid" ]; then
  kill -s "$last_signal" -- "-$last_pid"
  tries=0
  while [ -e "$2" ] && kill -0 "$last_pid" && [ $tries -lt 80 ]; do sleep 0.02; tries=$((tries + 1)); done
  kill -s KILL -- "-$last_pid"
fi
rm -rf -- "$1" || { sleep 0.1; rm -rf -- "$1"; }
`

// Windows has neither shell nor signals: process.kill ends the process whatever the signal.
const windowsScript = `
let pid
require('readline').createInterface({ input: process.stdin })
  .on('line', (line) => { pid = Number(line.split(' ')[1]) })
  .on('close', () => {
    try { if (pid) process.kill(pid) } catch {}
    require('fs').rmSync(process.argv[1], { recursive: true, force: true, maxRetries: 50, retryDelay: 100 })
  })
`
