// A PostgreSQL of the machine's own, of a version that npm does not bring: for what must hold on old servers too.
// In: a major version. Out: a temporary server on a socket, or null where the machine has none of that version.

import { execFileSync } from 'node:child_process'
import { chownSync, existsSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'

export interface SystemServer {
  readonly url: string
  stop(): void
}

/** Debian's place for it. */
const binariesOf = (version: number): string => `/usr/lib/postgresql/${version}/bin`

export function startSystemServer(version: number): SystemServer | null {
  const binaries = binariesOf(version)
  if (!existsSync(join(binaries, 'initdb'))) return null
  // A socket's path has at most 107 bytes, and the server's user must reach it.
  const folder = mkdtempSync('/tmp/plainsql-system-')
  const data = join(folder, 'data')
  const isRoot = process.getuid?.() === 0
  if (isRoot) {
    const [uid, gid] = ['-u', '-g'].map((flag) => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' })))
    chownSync(folder, uid!, gid!)
  }
  const run = (program: string, ...args: string[]): void => {
    const [file, all] = isRoot
      ? ['setpriv', ['--reuid=postgres', '--regid=postgres', '--clear-groups', program, ...args]]
      : [program, args]
    execFileSync(file, all, { cwd: '/', stdio: 'ignore' })
  }
  run(join(binaries, 'initdb'), '-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C', '-N')
  const settings = `-F -k ${folder} -c listen_addresses=`
  run(join(binaries, 'pg_ctl'), '-D', data, '-w', '-l', join(folder, 'log'), '-o', settings, 'start')
  return {
    url: `postgresql:///postgres?host=${folder}&port=5432&user=postgres`,
    stop() {
      run(join(binaries, 'pg_ctl'), '-D', data, '-m', 'immediate', 'stop')
      rmSync(folder, { recursive: true })
    },
  }
}
