// The hooks of `typescript.mjs`: a .ts file becomes JavaScript by esbuild, once for all processes: what came of it is kept in
// node_modules/.cache by its content. The names in tsconfig's `paths` lead to our sources, as they do for the compiler.

import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { fileURLToPath, pathToFileURL } from 'node:url'

const root = new URL('../../', import.meta.url)
const cache = new URL('node_modules/.cache/typescript/', root)
const settings = { loader: 'ts', format: 'esm', target: 'node20', sourcemap: 'inline', sourcesContent: false }
const { compilerOptions } = JSON.parse(readFileSync(new URL('tsconfig.json', root), 'utf8'))
const { version } = JSON.parse(readFileSync(new URL('node_modules/esbuild/package.json', root), 'utf8'))

export function resolve(specifier, context, next) {
  const [path] = compilerOptions.paths[specifier] ?? []
  return path === undefined ? next(specifier, context) : { url: new URL(path, root).href, shortCircuit: true }
}

export async function load(url, context, next) {
  if (!url.startsWith('file:') || !url.endsWith('.ts')) return next(url, context)
  const path = fileURLToPath(url)
  return { format: 'module', source: await compiled(path, readFileSync(path)), shortCircuit: true }
}

async function compiled(path, text) {
  const key = createHash('sha1')
    .update(`${version} ${JSON.stringify(settings)} ${path}\n`)
    .update(text)
    .digest('hex')
  const kept = new URL(`${key}.js`, cache)
  try {
    return readFileSync(kept, 'utf8')
  } catch (error) {
    if (error.code !== 'ENOENT') throw error
  }
  // Loaded only where it is needed: that takes longer than to run most of our files.
  const { transform } = await import('esbuild')
  const { code } = await transform(text.toString(), { ...settings, sourcefile: pathToFileURL(path).href })
  keep(kept, code)
  return code
}

function keep(file, code) {
  // Another process may do the same at the same time, or read it meanwhile.
  const written = new URL(`${file.href}.${process.pid}`)
  try {
    mkdirSync(cache, { recursive: true })
    writeFileSync(written, code)
    renameSync(written, file)
  } catch (error) {
    // Some tests run as a user to whom the project does not belong: they do without.
    if (error.code !== 'EACCES') throw error
  }
}
