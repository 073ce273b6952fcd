// The package as npm would publish it, and projects that have installed it. Nothing is downloaded: what npm would fetch
// is linked from our own node_modules.

import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { chmod, cp, mkdir, readFile, rename, symlink } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'

const project = process.cwd()

/** What npm needs to build the project, beside what it packs. Built in a copy: other tests run at the same time. */
const sources = ['lib', 'package.json', 'tsconfig.json', 'tsconfig.build.json', 'rollup.config.js']

/** Packs the project, if PLAINSQL_TARBALL does not name what came of it already. @returns the tarball's path */
export async function packProject(folder: string): Promise<string> {
  const { PLAINSQL_TARBALL } = process.env
  if (PLAINSQL_TARBALL) return PLAINSQL_TARBALL
  const copy = join(folder, 'package')
  const { files } = JSON.parse(await readFile(join(project, 'package.json'), 'utf8'))
  const packed = files.filter((name: string) => name !== 'dist')
  for (const name of [...sources, ...packed]) await cp(join(project, name), join(copy, name), { recursive: true })
  await symlink(join(project, 'node_modules'), join(copy, 'node_modules'))
  const [tarball] = JSON.parse(run('npm', ['pack', '--json', '--pack-destination', folder], copy))
  return join(folder, tarball.filename)
}

/** What `npm install <tarball>` does, without the network: unpacks it, and links its dependencies and its command. */
export async function installPacked(tarball: string, folder: string): Promise<void> {
  const modules = join(folder, 'node_modules')
  await mkdir(modules, { recursive: true })
  run('tar', ['-xzf', tarball, '-C', modules], folder)
  await rename(join(modules, 'package'), join(modules, 'plainsql'))
  const manifest = await readManifest(join(modules, 'plainsql'))
  for (const name of Object.keys(manifest.dependencies ?? {})) await installLinked(name, folder)
  await linkCommands(join(modules, 'plainsql'), modules)
}

/** What `npm install <name>` does, without the network: links the package, those it needs, and its commands. */
export async function installLinked(name: string, folder: string): Promise<void> {
  const source = join(project, 'node_modules', name)
  const target = join(folder, 'node_modules', name)
  // Optional packages of other platforms are not there; those that are nested in another one come with it.
  if (existsSync(target) || !existsSync(source)) return
  await mkdir(dirname(target), { recursive: true })
  await symlink(source, target)
  const { dependencies = {}, optionalDependencies = {} } = await readManifest(source)
  for (const needed of Object.keys({ ...dependencies, ...optionalDependencies })) await installLinked(needed, folder)
  await linkCommands(source, join(folder, 'node_modules'))
}

interface Manifest {
  readonly name: string
  readonly bin?: string | Readonly<Record<string, string>>
  readonly dependencies?: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
}

async function readManifest(folder: string): Promise<Manifest> {
  return JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'))
}

async function linkCommands(packageFolder: string, modules: string): Promise<void> {
  const { name, bin = {} } = await readManifest(packageFolder)
  const commands = typeof bin === 'string' ? { [basename(name)]: bin } : bin
  await mkdir(join(modules, '.bin'), { recursive: true })
  for (const [command, path] of Object.entries(commands)) {
    const link = join(modules, '.bin', command)
    await chmod(join(packageFolder, path), 0o755)
    if (!existsSync(link)) await symlink(join(packageFolder, path), link)
  }
}

function run(command: string, args: string[], cwd: string): string {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, encoding: 'utf8' })
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} failed:\n${stdout}${stderr}`)
  return stdout
}
