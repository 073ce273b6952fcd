// wire only: nothing goes over a connection.
// Bundled into one file and minified, as for a function in the cloud: errors keep their names, callers are found where a
// source map tells them, and it loads as CommonJS too.

import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { buildSync } from 'esbuild'
import { test } from 'uvu'
import * as assert from 'uvu/assert'

const program = `
import { CallSite } from '../../lib/database/observe/callSite.ts'
import { createDatabase, PlainsqlError, NoRowsError, UniqueViolationError } from '../../lib/index.ts'
process.on('warning', ({ name, message }) => console.log(name + ': ' + message))
const query = { name: 'getUser', source: 'sql/users.sql:1' }
console.log(new NoRowsError(query).name, String(new NoRowsError(query)), UniqueViolationError.prototype.name, new PlainsqlError().name)
function called() { return new CallSite(called).place }
function theCaller() { return called() }
console.log(theCaller())
createDatabase({ detectNPlusOne: true })
`
const names =
  'NoRowsError NoRowsError: expected one row, got none in getUser (sql/users.sql:1) UniqueViolationError PlainsqlError'
const warning =
  'NPlusOneWarning: detectNPlusOne finds no callers in a bundle without its source map: run node with --enable-source-maps'

const ways: readonly (readonly [
  format: 'cjs' | 'esm',
  flags: readonly string[],
  expected: readonly (string | RegExp)[],
])[] = [
  ['cjs', [], [names, 'null', warning]],
  ['esm', [], [names, 'null', warning]],
  ['esm', ['--enable-source-maps'], [names, /^test\/bundled-\w+\/main\.ts:8:\d+$/]],
]

for (const [format, flags, expected] of ways) {
  test(`as ${format}, node ${flags.join(' ')}`, () => {
    const folder = mkdtempSync('test/bundled-')
    try {
      writeFileSync(join(folder, 'main.ts'), program)
      const outfile = join(folder, `main.${format === 'cjs' ? 'cjs' : 'mjs'}`)
      const entryPoints = [join(folder, 'main.ts')]
      const common = { bundle: true, minify: true, sourcemap: true, platform: 'node', logLevel: 'silent' } as const
      buildSync({ ...common, entryPoints, outfile, format, external: ['pg', 'pg-pool'] })
      const { stdout, stderr } = spawnSync(process.execPath, [...flags, outfile], { encoding: 'utf8' })
      const lines = stdout.trim().split('\n')
      assert.is(lines.length, expected.length, stdout + stderr)
      expected.forEach((line, at) => {
        if (typeof line === 'string') assert.is(lines[at], line)
        else assert.match(lines[at] ?? '', line, stdout)
      })
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
}

test.run()
