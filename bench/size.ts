// `npm run size`, and a part of `npm run bench`: what a service's data layer weighs, bundled by esbuild (minified, then
// gzip), and how long its import takes in a fresh process: unbundled, as in development and most services, and bundled.
// The service asks for one row by id. `pg` is part of every bundle that needs it.

import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'

const services: Readonly<Record<string, string>> = {
  plainsql: `import { createDatabase, opt } from '../build/index.js'
    const getUser = opt({ name: 'getUser', source: 'a', statement: 'getUser', sql: 'select id from users where id = $1',
      params: ['id'], write: (w, p) => w.int4(p.id), read: (r) => ({ id: r.int4(0) }) })
    export const get = (id) => getUser(createDatabase(), { id })`,
  pg: `import pg from 'pg'
    export const get = (id) => new pg.Pool().query('select id from users where id = $1', [id])`,
  postgres: `import postgres from 'postgres'
    const sql = postgres()
    export const get = (id) => sql\`select id from users where id = \${id}\``,
  kysely: `import { Kysely, PostgresDialect } from 'kysely'
    import pg from 'pg'
    const db = new Kysely({ dialect: new PostgresDialect({ pool: new pg.Pool() }) })
    export const get = (id) => db.selectFrom('users').select('id').where('id', '=', id).execute()`,
  drizzle: `import { eq } from 'drizzle-orm'
    import { drizzle } from 'drizzle-orm/node-postgres'
    import { integer, pgTable } from 'drizzle-orm/pg-core'
    import pg from 'pg'
    const users = pgTable('users', { id: integer() })
    const db = drizzle(new pg.Pool())
    export const get = (id) => db.select().from(users).where(eq(users.id, id))`,
  slonik: `import { createPool, sql } from 'slonik'
    export const get = async (id) => (await createPool('postgres://')).maybeOne(sql.unsafe\`select id from users where id = \${id}\`)`,
  'pg-promise': `import pgPromise from 'pg-promise'
    const db = pgPromise()({})
    export const get = (id) => db.oneOrNone('select id from users where id = $1', [id])`,
  typeorm: `import { DataSource, EntitySchema } from 'typeorm'
    const User = new EntitySchema({ name: 'User', columns: { id: { type: 'int', primary: true } } })
    const source = new DataSource({ type: 'postgres', entities: [User] })
    export const get = (id) => source.getRepository(User).findOneBy({ id })`,
}

/** Drivers of other databases, which nobody installs beside PostgreSQL. */
const optional = [
  'pg-native',
  'better-sqlite3',
  'mysql',
  'mysql2',
  'sqlite3',
  'sql.js',
  'mssql',
  'oracledb',
  'mongodb',
  'redis',
  'ioredis',
  '@google-cloud/spanner',
  '@sap/hana-client',
  '@sap/hana-client/extension/Stream',
  'hdb-pool',
  'typeorm-aurora-data-api-driver',
  'react-native-sqlite-storage',
  'expo-sqlite',
  'cloudflare:sockets',
]

/** One system's bundle and import. */
export interface Size {
  readonly system: string
  readonly minifiedKb: number
  readonly gzippedKb: number
  readonly importMs: number
  /** Of the bundle. */
  readonly bundledImportMs: number
}

export async function measureSizes(): Promise<Size[]> {
  const folder = fileURLToPath(new URL('size-tmp/', import.meta.url))
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder)
  const sizes: Size[] = []
  for (const [system, source] of Object.entries(services)) {
    const entry = `${folder}${system}.js`
    const bundle = `${folder}${system}.bundle.mjs`
    writeFileSync(entry, source)
    await build({
      entryPoints: [entry],
      outfile: bundle,
      bundle: true,
      minify: true,
      platform: 'node',
      format: 'esm',
      // CommonJS packages ask for node's modules by require.
      banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
      external: optional,
      logLevel: 'error',
    })
    const bytes = readFileSync(bundle)
    const gzipped = gzipSync(bytes, { level: 9 })
    sizes.push({
      system,
      minifiedKb: tenths(bytes.length / 1024),
      gzippedKb: tenths(gzipped.length / 1024),
      importMs: importMs(entry),
      bundledImportMs: importMs(bundle),
    })
  }
  rmSync(folder, { recursive: true })
  return sizes
}

export function printSizes(sizes: readonly Size[]): void {
  const line = (...cells: (string | number)[]) => console.log(cells.map((cell) => String(cell).padStart(12)).join(''))
  line('system', 'min KB', 'gzip KB', 'import ms', 'bundled ms')
  for (const size of sizes) line(size.system, size.minifiedKb, size.gzippedKb, size.importMs, size.bundledImportMs)
}

/** The median of nine fresh processes. */
function importMs(entry: string): number {
  const code = `const start = performance.now(); await import(${JSON.stringify(entry)}); console.log(performance.now() - start); process.exit()`
  const times = Array.from({ length: 9 }, () =>
    Number(execFileSync(process.execPath, ['--input-type=module', '-e', code])),
  )
  return tenths(times.sort((a, b) => a - b)[4] ?? 0)
}

function tenths(value: number): number {
  return Math.round(value * 10) / 10
}

if (process.argv[1] === fileURLToPath(import.meta.url)) printSizes(await measureSizes())
