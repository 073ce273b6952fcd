import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import fc from 'fast-check'
import { getMigrationFilePaths } from 'node-pg-migrate/migration'
import { getActions } from 'node-pg-migrate/sqlMigration'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { ConfigError } from '../../lib/compile/config.ts'
import { MigrationFilesError } from '../../lib/migrate/errors.ts'
import { cutMigration, type Migration, readMigrations } from '../../lib/migrate/files.ts'

test('the blog’s migrations, in order', async () => {
  const migrations = await readMigrations('migrations')
  assert.equal(
    migrations.map((migration) => migration.name.replace(/^\d+_/, '')),
    ['create-users', 'create-posts', 'create-comments', 'create-tags'],
  )
  for (const { file, up, upStart, down } of migrations) {
    assert.match(file.path, /^migrations\/\d+_[a-z-]+\.sql$/)
    assert.match(up, /create table/)
    assert.not.match(up, /drop table/)
    assert.is(file.text.slice(upStart, upStart + up.length), up)
    assert.match(down ?? '', /^\s*-- Down Migration\n\ndrop table/)
  }
})

const cuts: Record<string, string> = {
  'up, then down': '-- Up Migration\ncreate table a ();\n-- Down Migration\ndrop table a;\n',
  'down, then up': '-- Down Migration\ndrop table a;\n-- Up Migration\ncreate table a ();\n',
  'only up': '-- Up Migration\ncreate table a ();\n',
  'no marker': 'create table a ();\n',
  'other spellings': '\n  ---- UP   migration: the table\r\nselect 1;\r\n--down migration\r\nselect 2;',
  'comment above the marker': '-- Why this is needed\n/* at all */\n-- Up Migration\nselect 1;\n-- Down Migration\n',
  'marker behind SQL is none': '-- Up Migration\nselect 1; -- down migration\nselect 2;\n',
  empty: '',
}

for (const [title, text] of Object.entries(cuts)) {
  test(`cut as node-pg-migrate cuts: ${title}`, async () => {
    const [migration] = await read({ '1_a.sql': text })
    assert.equal({ up: migration!.up, down: migration!.down }, nodePgMigrateCut(text))
  })
}

test('a byte order mark is no SQL (node-pg-migrate would send it to PostgreSQL)', async () => {
  const [migration] = await read({ '1_a.sql': '\ufeff-- Up Migration\nselect 1;\n-- Down Migration\nselect 2;\n' })
  assert.is(migration!.up, '-- Up Migration\nselect 1;\n')
  assert.is(migration!.upStart, 1)
})

test('ordered as node-pg-migrate orders', async () => {
  const names = [
    '0002_b.sql',
    '10_ten.sql',
    '9_nine.sql',
    '1795383363104_ms.sql',
    '20261122213603104_utc.sql',
    '3_b-10.sql',
    '3_b-9.sql',
    '3_B.sql',
    '3_a_b.sql',
    '3_aa.sql',
    '.hidden.sql',
  ]
  await inFolder(Object.fromEntries(names.map((name) => [name, 'select 1;'])), async (folder) => {
    await mkdir(join(folder, '4_subfolder'))
    const ours = (await readMigrations(folder)).map((migration) => `${migration.name}.sql`)
    const theirs = (await getMigrationFilePaths(folder)).map((path) => path.slice(folder.length + 1))
    assert.equal(ours, theirs)
    assert.is(ours.length, names.length - 1)
  })
})

const refusals: Record<string, readonly [file: string, text: string, message: string]> = {
  'only a Down marker': [
    '1_a.sql',
    'create table a ();\n-- Down Migration\ndrop table a;',
    'FOLDER/1_a.sql:2:1: the whole file would be run by "up", this part included: the file has no "-- Up Migration"\n' +
      '  hint: start the file with "-- Up Migration"',
  ],
  'SQL above the marker': [
    '1_a.sql',
    '-- first\ncreate table a ();\ncreate table b ();\n-- Up Migration\nselect 1;',
    'FOLDER/1_a.sql:2:1: this SQL stands above the first marker: would never be run\n' +
      '  hint: move it below "-- Up Migration"',
  ],
  'a marker in a block comment': [
    '1_a.sql',
    '-- Up Migration\n/*\n-- down migration is hard\n*/\nselect 1;',
    'FOLDER/1_a.sql:3:1: node-pg-migrate takes this line of a block comment for a marker: ' +
      'it cuts the file here, inside a block comment\n  hint: word the line differently',
  ],
  'a marker in a function body': [
    '1_a.sql',
    '-- Up Migration\ncreate function f() returns int language sql as $$\n  -- Down migration of x\n  select 1\n$$;',
    'FOLDER/1_a.sql:3:3: node-pg-migrate takes this line of a string for a marker: ' +
      'it cuts the file here, inside a string\n  hint: word the line differently',
  ],
  'prose that is taken for a marker': [
    '1_a.sql',
    '-- Up Migration\n-- Down migrations lose data\ncreate table a ();\n-- Down Migration\ndrop table a;',
    'FOLDER/1_a.sql:4:1: a second "Down Migration" marker: has no effect\n  hint: node-pg-migrate takes every comment ' +
      'line that starts with these words for a marker: word it differently',
  ],
  'a migration of dbmate': [
    '1_a.sql',
    '-- migrate:up\ncreate table a ();\n\n-- migrate:down\ndrop table a;',
    'FOLDER/1_a.sql:1:1: a migration of another tool: the whole file would be run by "up", its Down part included: not a ' +
      'marker of node-pg-migrate\n  hint: let that tool migrate, and generate from its database, or from a dump of it: ' +
      '--database-url …, --schema schema.sql\n  hint: or, if node-pg-migrate is to run it from now on, write ' +
      '"-- Up Migration" and "-- Down Migration"',
  ],
  'a program': [
    '1_a.ts',
    'export const up = () => {}',
    'FOLDER/1_a.ts is a program: only node-pg-migrate can run it\n' +
      '  hint: write it as SQL: npx node-pg-migrate create -j sql "add users"\n' +
      '  hint: or run the migrations with node-pg-migrate and generate from that database: ' +
      'plainsql generate --database-url …',
  ],
  'a README': [
    'README.md',
    '# Migrations',
    'FOLDER/README.md is not a migration\n' +
      '  hint: move it out of the folder: node-pg-migrate tries to run every file in it and fails',
  ],
  'a name without number': [
    'users.sql',
    'select 1;',
    'FOLDER/users.sql does not start with a number\n  hint: node-pg-migrate orders migrations by it: ' +
      'npx node-pg-migrate create -j sql "add users" makes such names',
  ],
  'a file for down alone': [
    '1_a.down.sql',
    'drop table a;',
    'FOLDER/1_a.down.sql would be run by "up"\n  hint: node-pg-migrate runs every .sql file on its way up: ' +
      'put this below "-- Down Migration" in the file it undoes',
  ],
}

for (const [title, [file, text, message]] of Object.entries(refusals)) {
  test(`refused: ${title}`, async () => {
    const error = await refusal({ [file]: text })
    assert.is(error.message, message)
  })
}

test('markers of goose are known too', async () => {
  const error = await refusal({ '1_a.sql': '-- +goose Up\ncreate table a ();\n-- +goose Down\ndrop table a;\n' })
  assert.is(error.diagnostics[0]?.code, 'foreign-marker')
})

test('all problems of a folder at once', async () => {
  const error = await refusal({ 'README.md': '', '1_a.sql': '-- Down Migration', '2_b.sql': 'select 1;' })
  assert.equal(error.diagnostics.map((diagnostic) => diagnostic.code).sort(), ['down-without-up', 'not-a-migration'])
})

test('no folder, or a file in its place', async () => {
  for (const path of ['no/such/folder', 'package.json']) {
    const error = await readMigrations(path).catch((reason: unknown) => reason)
    assert.instance(error, ConfigError)
    assert.is((error as Error).message, `there is no folder ${path} (${resolve(path)})`)
  }
})

test('a file that is not UTF-8, as errors call it', async () => {
  await inFolder({ '1_a.sql': Buffer.from("-- Up Migration\nselect 'größe';", 'latin1') }, async (folder) => {
    const error = await readMigrations(folder, 'migrations').catch((reason: unknown) => reason)
    assert.instance(error, ConfigError)
    assert.match((error as Error).message, /^migrations\/1_a\.sql:2 is not UTF-8/)
  })
})

async function read(files: Record<string, string>): Promise<Migration[]> {
  return inFolder(files, readMigrations)
}

/** The error that `files` cause, with the temporary folder's name written as FOLDER. */
async function refusal(files: Record<string, string>): Promise<MigrationFilesError> {
  return inFolder(files, async (folder) => {
    try {
      await readMigrations(folder)
    } catch (error) {
      assert.instance(error, MigrationFilesError)
      const refused = error as MigrationFilesError
      refused.message = refused.message.replaceAll(folder, 'FOLDER')
      return refused
    }
    throw new Error('nothing was refused')
  })
}

async function inFolder<T>(files: Record<string, string | Buffer>, work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'plainsql-migrations-'))
  try {
    for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text)
    return await work(folder)
  } finally {
    await rm(folder, { recursive: true })
  }
}

/** What node-pg-migrate itself makes of the text. */
function nodePgMigrateCut(text: string): { up: string; down: string | null } {
  const actions = getActions(text)
  const sqlOf = (action: typeof actions.up): string | null => {
    const run: string[] = []
    if (typeof action === 'function') action({ sql: (sql: string) => run.push(sql) } as never, () => {})
    return run[0] ?? null
  }
  return { up: sqlOf(actions.up) ?? '', down: sqlOf(actions.down) }
}

test('a marker is what node-pg-migrate’s pattern finds, in a time that grows with the file', () => {
  const part = fc.constantFrom(
    '-',
    '--',
    '\n',
    ' ',
    'x',
    'up',
    'Up migration',
    'up \n migration',
    '-- up migration',
    '\r',
  )
  fc.assert(
    fc.property(fc.array(part, { maxLength: 12 }), (parts) => {
      const text = parts.join('')
      const expected = text.search(/^\s*--[\s-]*up\s+migration/im)
      assert.is(cutMigration({ path: '1_a.sql', text }).upStart, Math.max(expected, 0), JSON.stringify(text))
    }),
    { numRuns: 2000 },
  )
  const text = `-- Up Migration\n${'--\n'.repeat(20_000)}select 1`
  const start = performance.now()
  cutMigration({ path: '1_a.sql', text })
  assert.ok(performance.now() - start < 1_000)
})

test.run()
