// timeout: 120
// However the process that started a server ends, nothing is left: no process, no folder.
// And many processes at once, with nothing in the cache, each get a server. As root, all of it also as `nobody`.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, chownSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Client } from 'pg'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { typescriptFlags } from '../support/nodeFlags.ts'

const holder = join(dirname(fileURLToPath(import.meta.url)), 'holder.ts')
const scratch = mkdtempSync(join(tmpdir(), 'plainsql-lifetime-'))
chmodSync(scratch, 0o755)
const children: ChildProcess[] = []
process.on('exit', () => {
  // Those of a test that failed half way.
  for (const child of children) child.kill('SIGKILL')
  rmSync(scratch, { recursive: true })
})

interface User {
  readonly name: string
  readonly ids: { uid?: number; gid?: number }
}

const root: User = { name: 'root', ids: {} }
const nobody: User = { name: 'nobody', ids: { uid: 65534, gid: 65534 } }
const users = process.getuid?.() === 0 ? [root, nobody] : [{ name: 'ourselves', ids: {} }]

for (const user of users) {
  test(`${user.name}: ten servers for five processes, with a cold cache, while a sixth is killed in its initdb`, async () => {
    const temporary = folderOf(user, 'temporary')
    const temporaryFolders = () => readdirSync(temporary).filter((name) => name.startsWith('plainsql-'))
    const killed = start(user, ['1'], { TMPDIR: temporary })
    const holders = await Promise.all(Array.from({ length: 5 }, () => hold(user, ['2', 'wait'])))
    await until(() => killed.exitCode !== null || temporaryFolders().length > 0, 'a temporary folder')
    killed.kill('SIGKILL')
    const servers = holders.flatMap((each) => each.servers)
    assert.is(new Set(servers.map((server) => server.url)).size, 10)
    for (const server of servers) assert.is(await answer(server.url), 'postgres')
    for (const { child } of holders) child.kill('SIGKILL')
    await gone(servers)
    await until(() => temporaryFolders().length === 0, 'the folder of the killed initdb to go')
    // What five processes built at once is there once, and nothing half made beside it.
    assert.match(readdirSync(join(folderOf(user, 'cache'), 'plainsql')).join(' '), /^data-\S+$/)
  })

  for (const signal of ['SIGKILL', 'SIGTERM', 'SIGINT'] as const) {
    test(`${user.name}: ${signal} leaves nothing`, async () => {
      const { child, servers } = await hold(user, ['1', 'wait'])
      child.kill(signal)
      await gone(servers)
    })
  }
}

for (const [ending, code] of Object.entries({ return: 0, exit: 0, throw: 1, stop: 0 })) {
  test(`a process that ends by ${ending} is not held up, and leaves nothing`, async () => {
    const { child, servers } = await hold(users[0] as User, ['1', ending])
    if (child.exitCode === null) await once(child, 'exit')
    assert.is(child.exitCode, code)
    await gone(servers)
  })
}

if (users.includes(root)) {
  test('a user id without a name is told so', async () => {
    const child = start({ name: 'unnamed', ids: { uid: 54321, gid: 54321 } }, ['1', 'wait'])
    let errors = ''
    child.stderr?.on('data', (chunk) => {
      errors += chunk
    })
    await once(child, 'close')
    assert.match(errors, 'EmbeddedServerError: The user id 54321 has no entry in /etc/passwd')
  })
}

test.run()

interface Held {
  readonly url: string
  readonly processId: number
}

async function hold(user: User, args: readonly string[]): Promise<{ child: ChildProcess; servers: Held[] }> {
  const child = start(user, args)
  let output = ''
  let errors = ''
  child.stdout?.on('data', (chunk) => {
    output += chunk
  })
  child.stderr?.on('data', (chunk) => {
    errors += chunk
  })
  while (!output.includes('\n')) {
    if (child.exitCode !== null) throw new Error(`the holder ended: ${errors}`)
    await delay(5)
  }
  return { child, servers: JSON.parse(output) }
}

function start(user: User, args: readonly string[], environment: NodeJS.ProcessEnv = {}): ChildProcess {
  const child = spawn(process.execPath, [...typescriptFlags, holder, ...args], {
    env: { ...process.env, XDG_CACHE_HOME: folderOf(user, 'cache'), ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...user.ids,
  })
  children.push(child)
  return child
}

/** A folder that belongs to the user and that others may enter. */
function folderOf(user: User, purpose: string): string {
  const folder = join(scratch, `${user.name}-${purpose}`)
  if (!existsSync(folder)) {
    mkdirSync(folder)
    if (user.ids.uid !== undefined) chownSync(folder, user.ids.uid, user.ids.gid ?? 0)
  }
  return folder
}

async function answer(url: string): Promise<unknown> {
  const client = new Client(url)
  await client.connect()
  const { rows } = await client.query('select current_user as "user"')
  await client.end()
  return rows[0].user
}

/** No server process and no folder, two seconds from now at the latest. */
async function gone(servers: readonly Held[]): Promise<void> {
  const folders = servers.map((server) => new URL(server.url).searchParams.get('host') ?? '')
  await until(() => !folders.some(existsSync) && !servers.some(isAlive), `${folders.join(', ')} to go`)
}

async function until(condition: () => boolean, what: string): Promise<void> {
  const deadline = Date.now() + 2000
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`waited two seconds for ${what}`)
    await delay(5)
  }
}

function isAlive({ processId }: Held): boolean {
  try {
    process.kill(processId, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH'
  }
}
