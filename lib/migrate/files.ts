// Reads a folder of node-pg-migrate SQL files. In: the folder. Out: its migrations in the order in which node-pg-migrate
// runs them, cut into Up and Down as it cuts them (its sqlMigration.ts and migration.ts, 9.0.0), for those who need the
// schema without running node-pg-migrate: the generator and pg-mem. Where it would drop or misplace SQL without a word,
// this refuses.

import { readdir } from 'node:fs/promises'
import { basename, extname, join, resolve } from 'node:path'
import { ConfigError } from '../compile/config.ts'
import { isSignificant, lex, type Token } from '../compile/lexer.ts'
import type { Diagnostic, Span, SqlFile } from '../compile/model.ts'
import { problem } from '../compile/problem.ts'
import { readText } from '../compile/readText.ts'
import { startOf } from '../compile/sourceText.ts'
import { MigrationFilesError } from './errors.ts'

/** One migration file. */
export interface Migration {
  /** As it stands in the table `pgmigrations`: the file's name without `.sql`. */
  readonly name: string
  /** The file; its path starts with the folder as errors call it, with `/`. */
  readonly file: SqlFile
  /** What `up` runs, from the Up marker on. */
  readonly up: string
  /** Where `up` starts in the file's text. */
  readonly upStart: number
  /** What `down` runs, or null: this migration cannot be taken back. */
  readonly down: string | null
  /** Where `down` starts in the file's text. */
  readonly downStart: number | null
}

/**
 * The migrations of a folder, in node-pg-migrate's order. Files that start with a dot and subfolders are left out.
 *
 * @param shown how errors call the folder
 * @throws MigrationFilesError with everything that is wrong in the folder; ConfigError if there is none, or a file is not
 *   UTF-8
 */
export async function readMigrations(folder: string, shown: string = folder): Promise<Migration[]> {
  const files = await readFolder(folder, shown)
  const diagnostics = checkMigrations(files)
  if (diagnostics.length > 0) throw new MigrationFilesError(diagnostics)
  return files.map(cutMigration)
}

/** The files that node-pg-migrate would run or fail on, whatever they are, in its order. */
export async function readFolder(folder: string, shown: string = folder): Promise<SqlFile[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT' && error.code !== 'ENOTDIR') throw error
    throw new ConfigError(`there is no folder ${shown} (${resolve(folder)})`)
  })
  const names = entries
    .filter((entry) => (entry.isFile() || entry.isSymbolicLink()) && !entry.name.startsWith('.'))
    .map((entry) => entry.name)
    .sort(compareNames)
  return Promise.all(
    names.map(async (name) => {
      const path = join(shown, name).replaceAll('\\', '/')
      // Of other files only the name is looked at.
      return { path, text: isSql(name) ? await readText(join(folder, name), path) : '' }
    }),
  )
}

function isSql(name: string): boolean {
  return extname(name).toLowerCase() === '.sql'
}

/** Everything that is wrong with the files of a migrations folder. */
export function checkMigrations(files: readonly SqlFile[]): Diagnostic[] {
  return files.flatMap((file) => checkName(file) ?? checkMarkers(file))
}

/** By the number in front; the same number: as people sort names. */
function compareNames(a: string, b: string): number {
  const options = { usage: 'sort', numeric: true, sensitivity: 'variant', ignorePunctuation: true } as const
  return leadingNumber(a) - leadingNumber(b) || a.localeCompare(b, undefined, options)
}

/** 17 digits are a date and time in UTC (`create --migration-filename-format utc`); all others are milliseconds or counts. */
function leadingNumber(name: string): number {
  const digits = /^\d+/.exec(name)?.[0] ?? ''
  const utc = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d{3})$/.exec(digits)
  if (!utc) return Number(digits)
  const [, year, month, day, hour, minute, second, ms] = utc
  return new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}.${ms}Z`).valueOf()
}

/** What is wrong with the file as such; null if nothing is. */
function checkName(file: SqlFile): Diagnostic | null {
  const name = basename(file.path)
  const extension = extname(name).toLowerCase()
  if (/^\.[cm]?[jt]s$/.test(extension)) {
    return wrongFile('migration-not-sql', `${file.path} is a program: only node-pg-migrate can run it`, [
      'write it as SQL: npx node-pg-migrate create -j sql "add users"',
      'or run the migrations with node-pg-migrate and generate from that database: plainsql generate --database-url …',
    ])
  }
  if (!isSql(name)) {
    return wrongFile('not-a-migration', `${file.path} is not a migration`, [
      'move it out of the folder: node-pg-migrate tries to run every file in it and fails',
    ])
  }
  if (!/^\d/.test(name)) {
    return wrongFile('migration-without-number', `${file.path} does not start with a number`, [
      'node-pg-migrate orders migrations by it: npx node-pg-migrate create -j sql "add users" makes such names',
    ])
  }
  if (/\.down\.sql$/i.test(name)) {
    return wrongFile('separate-down-file', `${file.path} would be run by "up"`, [
      'node-pg-migrate runs every .sql file on its way up: put this below "-- Down Migration" in the file it undoes',
    ])
  }
  return null
}

function wrongFile(code: string, title: string, hints: readonly string[]): Diagnostic {
  return { severity: 'error', code, title, labels: [], query: null, hints }
}

const markerWords = { up: /up\s+migration/gi, down: /down\s+migration/gi } as const

/** Of dbmate and goose. */
const foreignMarker = /^[ \t]*--[ \t]*(?:migrate:(?:up|down)|\+goose[ \t]+(?:up|down))\b.*$/im

/**
 * What node-pg-migrate takes for a marker, wherever it stands: `/^\s*--[\s-]*up\s+migration/im`. Read from its words back to
 * its line, because that pattern takes seconds for many lines of nothing but dashes.
 */
function markers(text: string, direction: 'up' | 'down'): (Span & { readonly line: number })[] {
  return [...text.matchAll(markerWords[direction])].flatMap(({ index, 0: { length } }) => {
    let from = index
    while (from > 0 && /[\s-]/.test(text[from - 1] as string)) from--
    // With one character more, so that no line seems to start where it does not.
    from = Math.max(from - 1, 0)
    const before = text.slice(from, index)
    const line = before.includes('--') ? before.search(/^\s*--/m) : -1
    return line < 0 ? [] : [{ line: from + line, start: text.indexOf('--', from + line), end: index + length }]
  })
}

function checkMarkers(file: SqlFile): Diagnostic[] {
  const tokens = lex(file.text, startOf(file.text))
  const ups = markers(file.text, 'up')
  const downs = markers(file.text, 'down')
  const hidden = [...ups, ...downs].flatMap((marker) => hiddenMarker(file, tokens, marker))
  if (hidden.length > 0) return hidden

  const foreign = foreignMarker.exec(file.text)
  if (foreign !== null && ups.length === 0 && downs.length === 0) {
    const span = { start: foreign.index, end: foreign.index + foreign[0].trimEnd().length }
    const title = 'a migration of another tool: the whole file would be run by "up", its Down part included'
    const hints = [
      'let that tool migrate, and generate from its database, or from a dump of it: --database-url …, --schema schema.sql',
      'or, if node-pg-migrate is to run it from now on, write "-- Up Migration" and "-- Down Migration"',
    ]
    return [problem(file, span, 'foreign-marker', title, 'not a marker of node-pg-migrate', { hints })]
  }
  const found = [...repeatedMarkers(file, 'Up', ups), ...repeatedMarkers(file, 'Down', downs)]
  const [up, down] = [ups[0], downs[0]]
  if (down && !up) {
    const text = 'the file has no "-- Up Migration"'
    found.push(
      problem(file, down, 'down-without-up', 'the whole file would be run by "up", this part included', text, {
        hints: ['start the file with "-- Up Migration"'],
      }),
    )
  } else if (up) {
    const first = Math.min(up.start, down?.start ?? up.start)
    const lost = tokens.filter((token) => token.end <= first && isSignificant(token))
    if (lost.length > 0) {
      const span = { start: lost[0]!.start, end: lost.at(-1)!.end }
      found.push(
        problem(file, span, 'sql-above-marker', 'this SQL stands above the first marker', 'would never be run', {
          hints: ['move it below "-- Up Migration"'],
        }),
      )
    }
  }
  return found
}

/** A marker inside a string or a block comment cuts the file in the middle of it. */
function hiddenMarker(file: SqlFile, tokens: readonly Token[], marker: Span): Diagnostic[] {
  const around = tokens.find((token) => marker.start < token.end)
  if (around?.kind === 'line-comment') return []
  const where = around?.kind === 'block-comment' ? 'a block comment' : 'a string'
  const title = `node-pg-migrate takes this line of ${where} for a marker`
  const text = `it cuts the file here, inside ${where}`
  return [problem(file, marker, 'hidden-marker', title, text, { hints: ['word the line differently'] })]
}

/** Only the first one counts; what follows the second would run in the wrong direction, or not where it stands. */
function repeatedMarkers(file: SqlFile, direction: 'Up' | 'Down', found: readonly Span[]): Diagnostic[] {
  const [first, second] = found
  if (!first || !second) return []
  return [
    problem(file, second, 'repeated-marker', `a second "${direction} Migration" marker`, 'has no effect', {
      hints: [
        'node-pg-migrate takes every comment line that starts with these words for a marker: word it differently',
      ],
      related: [{ file, span: first, text: 'the first one' }],
    }),
  ]
}

/** The file, cut as node-pg-migrate cuts it: each part reaches to the other's marker or to the end. */
export function cutMigration(file: SqlFile): Migration {
  const name = basename(file.path, extname(file.path))
  const up = cutAt(file.text, 'up') ?? startOf(file.text)
  const down = cutAt(file.text, 'down')
  return {
    name,
    file,
    up: file.text.slice(up, down !== null && down > up ? down : undefined),
    upStart: up,
    down: down === null ? null : file.text.slice(down, up > down ? up : undefined),
    downStart: down,
  }
}

/** Where the first marker starts, white space in front of it included, but not a byte order mark. */
function cutAt(text: string, direction: 'up' | 'down'): number | null {
  const [first] = markers(text, direction)
  return first === undefined ? null : Math.max(first.line, startOf(text))
}
