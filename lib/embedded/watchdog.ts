// Leaves nothing behind, however we end: two small shells that outlive us by a moment. Each holds the reading end of a
// pipe to us. The kernel closes our end when we stop, exit, crash or are killed; then they end what we started and
// remove the temporary folder. So no signal handlers are needed here, and none are installed.
//
// A shell starts in a millisecond and needs 1 MB; a second Node would take 40 of each.

import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process'
import { once } from 'node:events'
import { rm } from 'node:fs/promises'
import type { Socket } from 'node:net'
import { dirname } from 'node:path'

export interface Watchdog {
  /** From now on this child, and what it started, is killed when we end. One that has ended is forgotten. */
  watch(child: ChildProcess): void
  /** Removes the folder. Processes that use it must have ended before. */
  release(): Promise<void>
}

/** Guards a folder from its making to its end, and one process that works in it. */
export function startWatchdog(folder: string): Watchdog {
  const [program, ...args] =
    process.platform === 'win32'
      ? [process.execPath, '-e', windowsWatchdog, folder]
      : ['/bin/sh', '-c', watchdog, 'plainsql-watchdog', folder]
  // Detached: Ctrl-C goes to every process of the terminal's group, and this one must not die of it.
  const options: SpawnOptions = { detached: true, stdio: ['pipe', 'ignore', 'ignore'], windowsHide: true }
  const dog = spawn(program as string, args, { ...options, cwd: dirname(folder) })
  const gone = once(dog, 'exit')
  const pipe = dog.stdin as Socket
  dog.unref()
  pipe.unref()
  // Somebody killed it: stop() still works, only our own death is not covered any more.
  pipe.on('error', () => {})
  return {
    watch(child) {
      pipe.write(`${child.pid}\n`)
      child.once('exit', () => pipe.write('\n'))
    },
    async release() {
      dog.ref()
      pipe.end()
      if (dog.exitCode === null && dog.signalCode === null) await gone
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/**
 * The command that runs a server below a shell, which tells the server's process id, ends it by the signal (INT or
 * QUIT) when we end, and reaps it. (A child of ours would become a child of process 1, and in a container that one may
 * never reap it.) Spawn it with pipes for input and output, and the log for errors.
 * The output ends when the last process of the server has.
 */
export function belowShell(folder: string, signal: string, command: readonly string[]): string[] {
  return ['/bin/sh', '-c', serverParent, 'plainsql-server', folder, signal, ...command]
}

// The last line counts. -pid is the group: initdb has children. One of them may write while the folder is removed.
const watchdog = `
pid=
while read -r line; do pid=$line; done
[ -z "$pid" ] || kill -s KILL -- "-$pid"
rm -rf -- "$1" || { sleep 0.1; rm -rf -- "$1"; }
`

// Descriptor 2 is the log, 3 our pipe: after `exec >&-` only the server's processes hold it. A line on the input says that the
// server was stopped and the folder is cared for; the input's end says that we are gone.
const serverParent = `
folder=$1 signal=$2
shift 2
"$@" 3>&1 </dev/null >&2 &
echo $!
exec >&-
read -r stopped || stopped=
[ "$stopped" ] || kill -s "$signal" $!
wait $!
[ "$stopped" ] || rm -rf -- "$folder"
`

// Windows has neither shell nor signals: process.kill ends the process whatever the signal. Not tested by us.
const windowsWatchdog = `
let pid
require('readline').createInterface({ input: process.stdin })
  .on('line', (line) => { pid = Number(line) })
  .on('close', () => {
    try {
      if (pid) process.kill(pid)
    } catch (error) {
      // ESRCH: the server has ended by itself.
      if (error.code !== 'ESRCH') throw error
    } finally {
      require('fs').rmSync(process.argv[1], { recursive: true, force: true, maxRetries: 50, retryDelay: 100 })
    }
  })
`
