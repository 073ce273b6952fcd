// `npm run typecheck` in bench/: what tsc takes for 2,000 queries, written with plainsql, Kysely and Drizzle over the same
// 40 tables. The same compiler and the same options for all; each number is the median of three runs.

import { spawnSync } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { compile, defaultConfig } from '../lib/compile/index.ts'

const queryCount = Number(process.env.QUERIES ?? 2000)
const tableCount = 40
const perFile = 50
const folder = join(import.meta.dirname, 'build/typecheck')

/** One of four kinds of query, over one table of the forty. */
interface Work {
  readonly number: number
  readonly kind: 'get' | 'list' | 'insert' | 'update'
  readonly table: string
  readonly other: string
}

const works = Array.from(
  { length: queryCount },
  (_, number): Work => ({
    number,
    kind: (['get', 'list', 'insert', 'update'] as const)[number % 4]!,
    table: `t${number % tableCount}`,
    other: `t${(number + 1) % tableCount}`,
  }),
)
const tables = Array.from({ length: tableCount }, (_, number) => `t${number}`)

const sql: Readonly<Record<Work['kind'], (work: Work) => string>> = {
  get: ({ number, table }) =>
    `-- name: q${number} :opt\nselect id, name, notes, created_at from ${table} where id = :id;`,
  list: ({ number, table, other }) =>
    `-- name: q${number} :many\nselect a.id, a.name, b.name as owner_name, b.created_at from ${table} a ` +
    `left join ${other} b on b.id = a.owner_id where a.owner_id = :ownerId order by a.id;`,
  insert: ({ number, table }) =>
    `-- name: q${number} :one\ninsert into ${table} (name, notes, owner_id) values (:name, :notes, :ownerId) returning id, created_at;`,
  update: ({ number, table }) =>
    `-- name: q${number} :opt\nupdate ${table} set name = :name, is_active = :isActive where id = :id returning id, name;`,
}

const kysely: Readonly<Record<Work['kind'], (work: Work) => string>> = {
  get: ({ number, table }) =>
    `export const q${number} = (db: Kysely<Database>, p: { id: number }) =>
  db.selectFrom('${table}').select(['id', 'name', 'notes', 'createdAt']).where('id', '=', p.id).executeTakeFirst()`,
  list: ({ number, table, other }) =>
    `export const q${number} = (db: Kysely<Database>, p: { ownerId: number }) =>
  db.selectFrom('${table} as a').leftJoin('${other} as b', 'b.id', 'a.ownerId')
    .select(['a.id', 'a.name', 'b.name as ownerName', 'b.createdAt']).where('a.ownerId', '=', p.ownerId).orderBy('a.id').execute()`,
  insert: ({ number, table }) =>
    `export const q${number} = (db: Kysely<Database>, p: { name: string; notes: string | null; ownerId: number }) =>
  db.insertInto('${table}').values(p).returning(['id', 'createdAt']).executeTakeFirstOrThrow()`,
  update: ({ number, table }) =>
    `export const q${number} = (db: Kysely<Database>, p: { id: number; name: string; isActive: boolean }) =>
  db.updateTable('${table}').set({ name: p.name, isActive: p.isActive }).where('id', '=', p.id).returning(['id', 'name']).executeTakeFirst()`,
}

const drizzle: Readonly<Record<Work['kind'], (work: Work) => string>> = {
  get: ({ number, table }) =>
    `export const q${number} = (db: Db, p: { id: number }) =>
  db.select({ id: s.${table}.id, name: s.${table}.name, notes: s.${table}.notes, createdAt: s.${table}.createdAt })
    .from(s.${table}).where(eq(s.${table}.id, p.id))`,
  list: ({ number, table, other }) =>
    `export const q${number} = (db: Db, p: { ownerId: number }) =>
  db.select({ id: s.${table}.id, name: s.${table}.name, ownerName: s.${other}.name, createdAt: s.${other}.createdAt })
    .from(s.${table}).leftJoin(s.${other}, eq(s.${other}.id, s.${table}.ownerId)).where(eq(s.${table}.ownerId, p.ownerId)).orderBy(s.${table}.id)`,
  insert: ({ number, table }) =>
    `export const q${number} = (db: Db, p: { name: string; notes: string | null; ownerId: number }) =>
  db.insert(s.${table}).values(p).returning({ id: s.${table}.id, createdAt: s.${table}.createdAt })`,
  update: ({ number, table }) =>
    `export const q${number} = (db: Db, p: { id: number; name: string; isActive: boolean }) =>
  db.update(s.${table}).set({ name: p.name, isActive: p.isActive }).where(eq(s.${table}.id, p.id)).returning({ id: s.${table}.id, name: s.${table}.name })`,
}

rmSync(folder, { recursive: true, force: true })
await writePlainsql()
writeKysely()
writeDrizzle()
console.log(`${queryCount} queries over ${tableCount} tables`)
for (const system of ['plainsql', 'kysely', 'drizzle']) {
  const runs = Array.from({ length: 3 }, () => typecheck(join(folder, system)))
  const [, median] = runs.map((run) => run.seconds).sort((a, b) => a - b)
  console.log(`${system.padEnd(9)} ${median!.toFixed(2)} s  ${runs[0]!.details}`)
}

async function writePlainsql(): Promise<void> {
  const schema = tables.map(
    (table) => `create table ${table} (id int generated always as identity primary key, name text not null, notes text,
      is_active bool not null default true, owner_id int not null, created_at timestamptz not null default now());`,
  )
  write('plainsql/schema.sql', schema.join('\n'))
  for (const [at, chunk] of chunks())
    write(`plainsql/sql/f${at}.sql`, chunk.map((work) => sql[work.kind](work)).join('\n\n'))
  const config = { ...defaultConfig, schema: ['schema.sql'] }
  const { files, diagnostics } = await compile(join(folder, 'plainsql'), config)
  if (files.length === 0) throw new Error(diagnostics[0]?.title)
  for (const { path, text } of files) write(`plainsql/${path}`, text)
  project('plainsql')
}

function writeKysely(): void {
  const table = `export interface Table {
  id: Generated<number>; name: string; notes: string | null; isActive: Generated<boolean>; ownerId: number; createdAt: Generated<Date>
}`
  const database = `export interface Database {\n${tables.map((name) => `  ${name}: Table\n`).join('')}}`
  write('kysely/database.ts', `import type { Generated } from 'kysely'\n${table}\n${database}\n`)
  const head = "import type { Kysely } from 'kysely'\nimport type { Database } from './database.ts'\n"
  for (const [at, chunk] of chunks())
    write(`kysely/f${at}.ts`, head + chunk.map((work) => kysely[work.kind](work)).join('\n'))
  project('kysely')
}

function writeDrizzle(): void {
  const definitions = tables.map(
    (name) => `export const ${name} = pgTable('${name}', {
  id: integer().primaryKey().generatedAlwaysAsIdentity(), name: text().notNull(), notes: text(),
  isActive: boolean('is_active').notNull().default(true), ownerId: integer('owner_id').notNull(),
  createdAt: timestamp('created_at', { withTimezone: true }).notNull().defaultNow() })`,
  )
  const imports = "import { boolean, integer, pgTable, text, timestamp } from 'drizzle-orm/pg-core'\n"
  write('drizzle/schema.ts', imports + definitions.join('\n'))
  const head = `import { eq } from 'drizzle-orm'
import type { NodePgDatabase } from 'drizzle-orm/node-postgres'
import * as s from './schema.ts'
type Db = NodePgDatabase<typeof s>
`
  for (const [at, chunk] of chunks())
    write(`drizzle/f${at}.ts`, head + chunk.map((work) => drizzle[work.kind](work)).join('\n'))
  project('drizzle')
}

function chunks(): [number, Work[]][] {
  const count = Math.ceil(queryCount / perFile)
  return Array.from({ length: count }, (_, at) => [at, works.slice(at * perFile, (at + 1) * perFile)])
}

function project(system: string): void {
  const compilerOptions = {
    target: 'es2023',
    module: 'nodenext',
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    allowImportingTsExtensions: true,
    types: ['node'],
    typeRoots: [join(import.meta.dirname, '../node_modules/@types')],
    paths: { plainsql: [join(import.meta.dirname, 'build/index.d.ts')] },
  }
  write(`${system}/tsconfig.json`, JSON.stringify({ compilerOptions, include: ['**/*.ts'] }))
  write(`${system}/package.json`, '{ "type": "module" }')
}

function write(path: string, text: string): void {
  mkdirSync(join(folder, path, '..'), { recursive: true })
  writeFileSync(join(folder, path), text)
}

function typecheck(path: string): { seconds: number; details: string } {
  const tsc = join(import.meta.dirname, '../node_modules/.bin/tsc')
  const start = performance.now()
  const { stdout, status } = spawnSync(tsc, ['-p', path, '--extendedDiagnostics'], { encoding: 'utf8' })
  const seconds = (performance.now() - start) / 1000
  if (status !== 0) throw new Error(`${path} does not compile:\n${stdout.slice(0, 2000)}`)
  const detail = (name: string) => new RegExp(`^${name}:\\s+(\\S+)`, 'm').exec(stdout)?.[1] ?? '?'
  return {
    seconds,
    details: `${detail('Types')} types, ${detail('Instantiations')} instantiations, ${detail('Memory used')}`,
  }
}
