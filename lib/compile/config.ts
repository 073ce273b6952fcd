// The generator's settings: the `plainsql` key of package.json, or plainsql.json, or none. In: a project's folder.
// Out: every setting with its default, or one error that names the setting. `schema.json` describes the same for editors.

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { PlainsqlError } from '../errors.ts'
import { didYouMean } from './didYouMean.ts'

/** What can be configured; everything has a default. Paths are relative to the project's folder. */
export interface Config {
  /** Folders (searched for `.sql` files, with their subfolders) or files. Default `["sql"]`. */
  readonly sql: readonly string[]
  /** The folder of node-pg-migrate SQL files that make the schema. Default `migrations`. */
  readonly migrations: string
  /** SQL files that make the schema, in this order, instead of migrations. Default none. */
  readonly schema: readonly string[]
  /** Describe against this database as it is, instead of building the schema. Default none. */
  readonly databaseUrl: string | null
  /** The search_path under which the queries run. Default: the server's. */
  readonly searchPath: string | null
  /** `camel` (default) turns `full_name` into `fullName`; `preserve` keeps SQL's names. */
  readonly casing: 'camel' | 'preserve'
  /** What int8 becomes: `number` (default; a DecodeError beyond ±(2^53 − 1)), `bigint` or `string`. */
  readonly int8: 'number' | 'bigint' | 'string'
  /** TypeScript types by PostgreSQL type: `{ "user_id": "UserId from './ids.ts'" }`; a cast. */
  readonly types: Readonly<Record<string, string>>
  /** TypeScript types by column: `{ "users.settings": "Settings from './settings.ts'" }`. */
  readonly columns: Readonly<Record<string, string>>
  /** The file with a type for the rows of every table and view. Default: `schema.ts` in the first folder of `sql`. */
  readonly schemaTypes: string | false | null
  /** What generated files import the run time from. Default `plainsql`. */
  readonly runtime: string
}

export const defaultConfig: Config = {
  sql: ['sql'],
  migrations: 'migrations',
  schema: [],
  databaseUrl: null,
  searchPath: null,
  casing: 'camel',
  int8: 'number',
  types: {},
  columns: {},
  schemaTypes: null,
  runtime: 'plainsql',
}

/**
 * A setting, or a file that it names, is not as it should be; the message says which, where, what was expected and what
 * to do.
 */
export class ConfigError extends PlainsqlError {
  override name = 'ConfigError'
}

/**
 * Reads a project's settings.
 * @param folder the project's folder, usually the working directory
 * @throws ConfigError if a setting is unknown or of the wrong form, or if both places hold settings
 */
export async function loadConfig(folder: string): Promise<Config> {
  const own = await readJson(join(folder, 'plainsql.json'))
  const manifest = await readJson(join(folder, 'package.json'))
  const key = isObject(manifest) ? manifest.plainsql : undefined
  if (own !== undefined && key !== undefined) {
    throw new ConfigError('settings stand both in plainsql.json and under "plainsql" in package.json: keep one of them')
  }
  const place = own === undefined ? 'package.json, "plainsql"' : 'plainsql.json'
  return parseConfig(own ?? key ?? {}, place)
}

/** Checks settings and fills in the defaults. @param place where they stand, for errors. @throws ConfigError */
export function parseConfig(settings: unknown, place: string): Config {
  if (!isObject(settings)) throw new ConfigError(`${place}: expected an object, got ${JSON.stringify(settings)}`)
  const result: Record<string, unknown> = { ...defaultConfig }
  for (const [name, value] of Object.entries(settings)) {
    if (name === '$schema') continue
    const form = Object.hasOwn(forms, name) ? forms[name as keyof Config] : undefined
    if (form === undefined) {
      const near = didYouMean(name, Object.keys(forms))
      throw new ConfigError(
        `${place}: unknown setting "${name}"${near ? `, did you mean "${near}"?` : ''} ` +
          `The settings are ${Object.keys(forms).join(', ')}`,
      )
    }
    if (!form.fits(value)) {
      throw new ConfigError(`${place}: "${name}" must be ${form.says}, got ${JSON.stringify(value)}`)
    }
    result[name] = value
  }
  checkImports(result as unknown as Config, place)
  return result as unknown as Config
}

/** Types are copied into generated files: imports that cannot be read, and one name for two types, would break them. */
function checkImports({ types, columns }: Config, place: string): void {
  const paths = new Map<string, string>()
  for (const [key, text] of [...Object.entries(types), ...Object.entries(columns)]) {
    const found = importOf(text)
    if (found === null) {
      checkInline(text, `${place}: "${key}"`)
      continue
    }
    const { name, from } = found
    const other = paths.get(name) ?? from
    if (other !== from)
      throw new ConfigError(`${place}: "${name}" comes from both '${other}' and '${from}': rename one`)
    paths.set(name, from)
  }
}

/** `Settings from './settings.ts'` taken apart; null for a type that needs no import. */
export function importOf(text: string): { readonly name: string; readonly from: string } | null {
  const [, name, from] = /^([\p{ID_Start}$_][\p{ID_Continue}$]*) from '([^']+)'$/u.exec(text) ?? []
  return name === undefined || from === undefined ? null : { name, from }
}

/** No TypeScript type ends with `from …`: that was meant as an import. */
function checkInline(text: string, place: string): void {
  if (!/\bfrom\s+\S+$/.test(text.replace(/'[^']*'|"[^"]*"/g, "''"))) return
  const [, name = 'Name'] = /^(?:import\s+)?(?:type\s+)?\{?\s*([\w$]+)/.exec(text) ?? []
  const [, from = './file.ts'] = /\sfrom\s+['"]?([^'";]+)/.exec(text) ?? []
  throw new ConfigError(
    `${place} has a type that cannot be read: ${JSON.stringify(text)}. Write "${name} from '${from}'" for a type that is exported ` +
      'there by this name, or a TypeScript type that needs no import',
  )
}

interface Form {
  readonly says: string
  fits(value: unknown): boolean
}

const text: Form = { says: 'a string', fits: (value) => typeof value === 'string' && value !== '' }
const texts: Form = {
  says: 'an array of strings',
  fits: (value) => Array.isArray(value) && value.every((item) => text.fits(item)),
}
const textByName: Form = {
  says: 'an object of strings',
  fits: (value) => isObject(value) && Object.values(value).every((item) => text.fits(item)),
}
const choice = (...words: string[]): Form => ({
  says: `one of ${words.map((word) => `"${word}"`).join(', ')}`,
  fits: (value) => words.includes(value as string),
})

const forms: Readonly<Record<keyof Config, Form>> = {
  sql: texts,
  migrations: text,
  schema: texts,
  databaseUrl: text,
  searchPath: text,
  casing: choice('camel', 'preserve'),
  int8: choice('number', 'bigint', 'string'),
  types: textByName,
  columns: textByName,
  schemaTypes: { says: 'a path that ends in ".ts", or false', fits: (value) => value === false || isTypeScript(value) },
  runtime: text,
}

function isTypeScript(value: unknown): boolean {
  return typeof value === 'string' && /\.ts$/.test(value) && !/\.sql\.ts$/.test(value)
}

async function readJson(path: string): Promise<unknown> {
  let source: string
  try {
    source = await readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  try {
    return JSON.parse(source)
  } catch (error) {
    throw new ConfigError(`${path} is not valid JSON: ${(error as Error).message}`)
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
