// The server's own limit, by PostgreSQL's own client in C, where it is installed.

import { execFile } from 'node:child_process'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { userCount } from './works.ts'

export interface Limit {
  readonly name: string
  readonly title: string
  readonly perSecond: number
}

const lookup = `select id, email, full_name, is_active, created_at from users where id = :id;\n`

/** Empty without pgbench. */
export async function pgbench(url: string): Promise<Limit[]> {
  const folder = mkdtempSync(join(tmpdir(), 'pgbench-'))
  const single = join(folder, 'single.sql')
  const pipelined = join(folder, 'pipelined.sql')
  const random = `\\set id random(1, ${userCount})\n`
  writeFileSync(single, random + lookup)
  writeFileSync(pipelined, `\\startpipeline\n${(random + lookup).repeat(32)}\\endpipeline\n`)
  const limits: Limit[] = []
  const add = async (name: string, title: string, file: string, clients: number, each: number) => {
    const args = ['-n', '-M', 'prepared', '-T', '3', '-c', String(clients), '-f', file, url]
    const { stdout } = await promisify(execFile)('pgbench', args)
    const [, tps] = /tps = ([\d.]+)/.exec(stdout) ?? []
    limits.push({ name, title, perSecond: Number(tps) * each })
  }
  try {
    await add('pgbench-1', 'pgbench -M prepared, point lookup, 1 client', single, 1, 1)
    await add('pgbench-64', 'pgbench -M prepared, point lookup, 64 clients', single, 64, 1)
    await add('pgbench-pipelined', 'pgbench, 32 point lookups pipelined on each of 2 clients', pipelined, 2, 32)
  } catch (error) {
    if ((error as { code?: string }).code !== 'ENOENT') throw error
    console.log('pgbench is not installed: no limit to compare with')
  }
  return limits
}
