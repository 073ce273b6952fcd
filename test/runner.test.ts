// The runner must fail when tests do not run. It is tried on small projects made for the purpose.

import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { typescriptFlags } from './support/nodeFlags.ts'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const head = `import { test } from 'uvu'\nimport * as assert from 'uvu/assert'\n`
const good = `${head}test('good', () => assert.ok(true))\ntest.run()\n`

/** A file that must fail, how many of its tests pass and fail, and what must be said about it. */
const failing: Record<string, { text: string; passed: number; failed: number; output: RegExp }> = {
  'fails.test.ts': {
    text: `${head}test('bad', () => assert.is(1, 2))\ntest('fine', () => {})\ntest.run()`,
    passed: 1,
    failed: 1,
    output: / {2}1 of 2 failed,.*FAIL {2}"bad"/s,
  },
  'forgotten-run.test.ts': {
    text: `${head}test('never run', () => assert.ok(true))`,
    passed: 0,
    failed: 1,
    output: / {2}no tests were run; is test\.run\(\) missing\?/,
  },
  'empty.test.ts': { text: `${head}test.run()`, passed: 0, failed: 1, output: / {2}no tests,/ },
  'skips.test.ts': {
    text: `${head}test('good', () => {})\ntest.skip('later', () => {})\ntest.run()`,
    passed: 1,
    failed: 1,
    output: / {2}1 skipped/,
  },
  'ends-early.test.ts': {
    text: `${head}test('waits', () => new Promise(() => {}))\ntest.run()`,
    passed: 0,
    failed: 1,
    output: / {2}no tests were run.*Exiting early/s,
  },
  'broken-import.test.ts': {
    text: `import './missing.ts'\n${good}`,
    passed: 0,
    failed: 1,
    output: /Cannot find module.*missing/s,
  },
  'exit-code.test.ts': {
    text: `${good}process.on('exit', () => { process.exitCode = 3 })`,
    passed: 1,
    failed: 1,
    output: / {2}exit code 3,/,
  },
  'never-ends.test.ts': {
    text: `// timeout: 10\n${good}setInterval(() => {}, 1000)`,
    passed: 1,
    failed: 1,
    output: / {2}did not end within 10 s,/,
  },
}

test('every way of not testing is a failure', () => {
  const texts = Object.entries(failing).map(([name, { text }]) => [name, text])
  const { output, status } = run({ ...Object.fromEntries(texts), 'fine.test.ts': good })
  const sum = (count: 'passed' | 'failed') => Object.values(failing).reduce((total, file) => total + file[count], 0)
  assert.ok(output.endsWith(`\n${sum('passed') + 1} passed, ${sum('failed')} failed\n`), output)
  assert.is(status, 1)
  for (const [name, file] of Object.entries(failing)) {
    // A file's part of the output reaches to the next file's line.
    const part = output.split(/^(?=ok {4}|FAIL {2})/m).find((text) => text.startsWith(`FAIL  test/${name}`))
    assert.match(part ?? output, file.output)
  }
})

test('all files count, in subfolders too, and an argument chooses among them', () => {
  const files = { 'a.test.ts': good, 'deep/b.test.ts': good, 'support.ts': 'throw new Error("not a test")' }
  const all = run(files)
  assert.match(all.output, /^ok {4}test\/a\.test\.ts {2}1 tests, /m)
  assert.match(all.output, /\n2 passed, 0 failed\n$/)
  assert.is(all.status, 0)
  assert.match(run(files, ['deep/']).output, /^ok {4}test\/deep\/b\.test\.ts .*\n1 passed, 0 failed\n$/)
})

test('a file that needs data which is not there is named and left out; in CI it is run', () => {
  const files = { 'a.test.ts': good, 'needs.test.ts': `// needs: ../nowhere\n${good}` }
  const { output } = run(files, [], '')
  assert.match(output, /^left out: test\/needs\.test\.ts needs \.\.\/nowhere, data of other projects/)
  assert.match(output, /\n1 passed, 0 failed\n$/)
  assert.match(run(files, [], 'true').output, /\n2 passed, 0 failed\n$/)
})

test('no file at all is a failure', () => {
  assert.equal(run({}), { output: 'no test file matches\n0 passed, 0 failed\n', status: 1 })
})

test.run()

function run(
  files: Record<string, string>,
  args: readonly string[] = [],
  ci = 'true',
): { output: string; status: number | null } {
  const project = mkdtempSync(join(tmpdir(), 'plainsql-runner-'))
  try {
    symlinkSync(join(root, 'node_modules'), join(project, 'node_modules'))
    writeFileSync(join(project, 'package.json'), '{ "type": "module" }')
    mkdirSync(join(project, 'test'))
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(project, 'test', name)), { recursive: true })
      writeFileSync(join(project, 'test', name), text)
    }
    const command = [...typescriptFlags, join(root, 'test/run.ts'), ...args]
    // The samples need no server; a URL that is never opened saves the start of one.
    const env = { ...process.env, PLAINSQL_TEST_SERVER: 'postgres://localhost/unused', CI: ci }
    const { stdout, stderr, status } = spawnSync(process.execPath, command, { cwd: project, encoding: 'utf8', env })
    return { output: stdout + stderr, status }
  } finally {
    rmSync(project, { recursive: true })
  }
}
