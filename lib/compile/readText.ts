// Reads the text files of a project, strictly: of a file in another encoding nothing would be missing, it would say
// something else.

import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { ConfigError } from './config.ts'

/**
 * A file's text, which must be UTF-8. A byte order mark is left in it.
 * @param shown how errors call the file
 * @throws ConfigError if there is no such file, or it is of another encoding
 */
export async function readText(path: string, shown: string = path): Promise<string> {
  const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT' && error.code !== 'EISDIR') throw error
    throw new ConfigError(`there is no ${shown} (${resolve(path)})`)
  })
  const [first, second] = bytes
  const isUtf16 = (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff) || bytes.includes(0)
  if (isUtf16) throw new ConfigError(`${shown} is UTF-16: save it as UTF-8`)
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    const [before = ''] = bytes.toString('utf8').split('\ufffd', 1)
    throw new ConfigError(`${shown}:${before.split('\n').length} is not UTF-8: save the file in that encoding`)
  }
}
