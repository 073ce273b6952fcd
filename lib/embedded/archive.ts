// A folder as one file. A data directory is a thousand small files: reading one file and writing those takes 0.04 s,
// `cp -R` 0.08 s, fs.cp 0.5 s; and one file is replaced atomically, so many processes can share it without locks.
//
// Format: 4 bytes length of the header, the header as JSON, then the contents in the header's order.

import { randomBytes } from 'node:crypto'
import {
  chownSync,
  closeSync,
  fchownSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import type { ServerUser } from './user.ts'

interface Header {
  /** Relative paths, parents first. */
  readonly folders: string[]
  readonly files: FileEntry[]
}

interface FileEntry {
  readonly path: string
  readonly size: number
  /** Bytes in the archive: without the zeros at the end, which are most of a new write-ahead log. */
  readonly stored: number
}

/** Packs the folder. The file appears complete or not at all, and replaces what was there. */
export function writeArchive(folder: string, file: string): void {
  const header: Header = { folders: [], files: [] }
  const contents: Buffer[] = []
  const visit = (path: string) => {
    for (const entry of readdirSync(join(folder, path), { withFileTypes: true })) {
      const child = join(path, entry.name)
      if (entry.isDirectory()) {
        header.folders.push(child)
        visit(child)
      } else {
        const content = readFileSync(join(folder, child))
        const stored = lengthWithoutZeros(content)
        header.files.push({ path: child, size: content.length, stored })
        contents.push(content.subarray(0, stored))
      }
    }
  }
  visit('')
  const headerBytes = Buffer.from(JSON.stringify(header))
  const length = Buffer.alloc(4)
  length.writeUInt32LE(headerBytes.length)
  const building = `${file}.building-${randomBytes(6).toString('hex')}`
  writeFileSync(building, Buffer.concat([length, headerBytes, ...contents]))
  renameSync(building, file)
}

/**
 * Unpacks into a new folder that belongs to the user, closed to others. Answers false, and makes nothing, if there is
 * no such archive or it is cut off.
 */
export function readArchive(file: string, folder: string, user: ServerUser): boolean {
  const bytes = readIfThere(file)
  const header = bytes && readHeader(bytes)
  if (!bytes || !header) return false
  for (const path of ['', ...header.folders]) {
    mkdirSync(join(folder, path), { mode: 0o700 })
    if (user.other) chownSync(join(folder, path), user.uid, user.gid)
  }
  let position = bytes.length - storedBytes(header)
  for (const { path, size, stored } of header.files) {
    const descriptor = openSync(join(folder, path), 'wx', 0o600)
    writeSync(descriptor, bytes, position, stored)
    if (size > stored) ftruncateSync(descriptor, size)
    if (user.other) fchownSync(descriptor, user.uid, user.gid)
    closeSync(descriptor)
    position += stored
  }
  return true
}

function readIfThere(file: string): Buffer | null {
  try {
    return readFileSync(file)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}

/** Null if the bytes are not as many as the header says. */
function readHeader(bytes: Buffer): Header | null {
  if (bytes.length < 4) return null
  const end = 4 + bytes.readUInt32LE(0)
  if (bytes.length < end) return null
  const header = JSON.parse(bytes.toString('utf8', 4, end)) as Header
  return bytes.length === end + storedBytes(header) ? header : null
}

function storedBytes(header: Header): number {
  return header.files.reduce((sum, { stored }) => sum + stored, 0)
}

function lengthWithoutZeros(content: Buffer): number {
  let length = content.length
  while (length >= 8 && content.readBigUInt64LE(length - 8) === 0n) length -= 8
  return length
}
