// pg-mem's JavaScript values as the texts that PostgreSQL sends, so that one decoder serves both and cannot differ.

import { array, nullable, text } from '../query/codecs.ts'
import type { TextValue } from '../query/text.ts'
import { timestamp, timestamptz } from '../query/time.ts'

/**
 * @param type what pg-mem says the column is
 * @param hasNumeric whether the schema has numeric columns, which pg-mem calls "float" too
 * @param refuse throws, for a value that pg-mem may have changed
 */
export function textOf(
  value: unknown,
  type: string,
  hasNumeric: boolean,
  refuse: (feature: string) => never,
): TextValue {
  if (value === null || value === undefined) return null
  switch (type) {
    case 'integer':
    case 'bigint':
      // A sum comes as "bigint" whatever was added up, so this may be a fraction.
      if (typeof value !== 'number') break
      if (Math.abs(value) > Number.MAX_SAFE_INTEGER) return refuse('integers beyond ±(2^53 − 1)')
      return String(value)
    case 'float':
      if (hasNumeric) return refuse('numeric columns, nor float8 next to them')
      return String(value)
    case 'bool':
      return value ? 't' : 'f'
    case 'timestamptz':
      return timestamptz.encode(value as Date)
    case 'timestamp':
      return timestamp.encode(value as Date)
    case 'date':
      return timestamp.encode(value as Date).slice(0, -' 00:00:00.000'.length)
    case 'json':
    case 'jsonb':
      return JSON.stringify(value)
    case 'array':
      if (Array.isArray(value)) return texts.encode(value.map((element) => elementText(element, refuse)))
  }
  // text, uuid, and enums, whose type has the enum's own name
  if (typeof value === 'string' && !unfaithful.has(type)) return value
  return refuse(`columns of type ${type}`)
}

const texts = array(nullable(text))

/** pg-mem does not say what is in an array, but these cannot be taken for anything else. */
function elementText(value: unknown, refuse: (feature: string) => never): TextValue {
  if (value === null || typeof value === 'string') return value
  if (typeof value === 'boolean') return value ? 't' : 'f'
  if (Number.isSafeInteger(value)) return String(value)
  return refuse('arrays of anything but texts, integers and booleans')
}

const unfaithful: ReadonlySet<string> = new Set(['citext', 'inet', 'interval', 'time', 'timetz', 'bytea'])
