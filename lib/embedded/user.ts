// The user that the server runs as. PostgreSQL refuses to run as root, so root hands it to `postgres` or `nobody`,
// and everything the server touches must then be reachable for that user.

import { readFileSync, statSync } from 'node:fs'
import { userInfo } from 'node:os'
import { dirname, resolve } from 'node:path'
import { EmbeddedServerError } from './errors.ts'

export interface ServerUser {
  readonly uid: number
  readonly gid: number
  /** True if this is not the user we run as: we are root, and start the server's programs as this user. */
  readonly other: boolean
}

/** Throws EmbeddedServerError for a user id without a name: initdb cannot run as one. */
export function serverUser(): ServerUser {
  if (process.getuid?.() === 0) return unprivilegedUser()
  try {
    const { uid, gid } = userInfo()
    return { uid, gid, other: false }
  } catch (error) {
    throw new EmbeddedServerError(
      `The user id ${process.getuid?.()} has no entry in /etc/passwd, and PostgreSQL cannot run without one.\n` +
        'Run as a user that has one (in a container: without --user, or add the entry), or set DATABASE_URL.',
      '',
      { cause: error },
    )
  }
}

/** Whether the user may enter every folder on the way to the path, the path itself included. */
export function canReach(user: ServerUser, path: string): boolean {
  if (!user.other) return true
  const { mode, uid, gid } = statSync(path)
  const execute = uid === user.uid ? 0o100 : gid === user.gid ? 0o010 : 0o001
  const parent = dirname(resolve(path))
  return (mode & execute) !== 0 && (parent === resolve(path) || canReach(user, parent))
}

function unprivilegedUser(): ServerUser {
  const passwd = readFileSync('/etc/passwd', 'utf8')
  for (const name of ['postgres', 'nobody']) {
    const entry = new RegExp(`^${name}:[^:]*:(-?\\d+):(-?\\d+):`, 'm').exec(passwd)
    // macOS writes nobody's id as -2.
    if (entry) return { uid: Number(entry[1]) >>> 0, gid: Number(entry[2]) >>> 0, other: true }
  }
  throw new EmbeddedServerError(
    'PostgreSQL refuses to run as root, and /etc/passwd has neither "postgres" nor "nobody" to run it as.\n' +
      'Run as another user, or set DATABASE_URL.',
  )
}
