// What a service loads is small because of what it does not import: nothing of generating, migrating, testing or the
// command, and no package but pg and pg-pool.

import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'

/** The run time: files, and folders with all that is in them. */
const runTime = ['lib/index.ts', 'lib/errors.ts', 'lib/events.ts', 'lib/query', 'lib/database']
const packages = ['pg', 'pg-pool']

const files = runTime.flatMap((path) => (path.endsWith('.ts') ? [path] : filesIn(path)))

function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join(folder, name))
}

/** What a file imports or passes on, for its types too: whoever looks into our declarations would miss them. */
function importsOf(path: string): string[] {
  // As the formatter leaves them: an import of several lines ends with `} from '…'`.
  const forms = /^(?:(?:import|export|\}) .*\bfrom |import )'([^']+)'$|\bimport\('([^']+)'\)/gm
  return [...readFileSync(path, 'utf8').matchAll(forms)].map(([, declared, called]) => (declared ?? called)!)
}

test('imports are found in all their forms', () => {
  assert.equal(importsOf('lib/query/include.ts'), ['./executor.ts', './kinds.ts'])
  assert.ok(importsOf('lib/index.ts').includes('./query/kinds.ts'))
  assert.ok(importsOf('lib/database/pool/pool.ts').includes('../../errors.ts'))
  assert.ok(importsOf('lib/migrate/apply.ts').includes('node-pg-migrate'))
  assert.ok(files.length > 50)
})

test('the run time imports itself, pg, pg-pool and node', () => {
  const strangers = files.flatMap((path) =>
    importsOf(path)
      .filter((specifier) =>
        specifier.startsWith('.')
          ? !files.includes(join(dirname(path), specifier))
          : !specifier.startsWith('node:') && !packages.includes(specifier),
      )
      .map((specifier) => `${path} imports ${specifier}`),
  )
  assert.equal(strangers, [])
})

test('these packages are the only dependencies', () => {
  const { dependencies } = JSON.parse(readFileSync('package.json', 'utf8'))
  assert.equal(Object.keys(dependencies).sort(), packages)
})

test.run()
