// The messages of PostgreSQL's protocol that are not on the fast path, as bytes and back.
// Source: PostgreSQL's protocol, "Message Formats" and "Error and Notice Message Fields".

import { DatabaseError } from 'pg'
import type { Column } from './row.ts'

/** ErrorResponse, in the class that `pg` has for it, whichever connection it came over. */
export type ServerError = DatabaseError

/** Ends a call: the server answers ReadyForQuery, whatever became of it. */
export const sync: Buffer = message('S')
/** Runs the unnamed portal to its end. */
export const execute: Buffer = message('E', '\0', int32(0))
/** Refuses a COPY FROM STDIN. */
export const copyFail: Buffer = Buffer.concat([message('f', 'COPY … FROM STDIN cannot run as a query\0'), sync])

/** A Query message: Parse, Bind, Execute and Sync in one, for commands without parameters. */
export function simpleQuery(sql: string): Buffer {
  return message('Q', `${sql}\0`)
}

/** Bind and Execute of a statement without parameters, whose rows, if there are any, come as text. */
export function run(name: string): Buffer {
  return Buffer.concat([message('B', `\0${name}\0`, int16(0), int16(0), int16(0)), execute])
}

/**
 * Parse. An empty name is the unnamed statement's.
 * @param types of the parameters (pg_type.oid); none leaves them all to the server
 */
export function parse(name: string, sql: string, types: readonly number[] = []): Buffer {
  return message('P', `${name}\0${sql}\0`, int16(types.length), ...types.map(int32))
}

/** Describe of a statement, which the server answers by ParameterDescription and RowDescription or NoData. */
export function describeStatement(name: string): Buffer {
  return message('D', `S${name}\0`)
}

/** Close of a statement, which need not exist. */
export function closeStatement(name: string): Buffer {
  return message('C', `S${name}\0`)
}

export function message(code: string, ...parts: readonly (string | Buffer)[]): Buffer {
  const body = Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : part)))
  return Buffer.concat([Buffer.from(code), int32(4 + body.length), body])
}

export function int16(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(2 * values.length)
  values.forEach((value, index) => {
    bytes.writeInt16BE(value, 2 * index)
  })
  return bytes
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

// Of a server that is none, a message may end before it should: to read behind it is a RangeError, and no loop goes on there.

/** The number at the end of a CommandComplete's tag: `INSERT 0 5`, `SELECT 3`; 0 for `CREATE TABLE`. */
export function affectedRows(bytes: Buffer, end: number): number {
  let count = 0
  // Before the tag's closing zero byte, from the last digit to the first.
  for (let at = end - 2, unit = 1; ; at--, unit *= 10) {
    const digit = (bytes[at] as number) - 48
    if (!(digit >= 0 && digit <= 9)) return count
    count += digit * unit
  }
}

/** Whether a CommandComplete says that prepared statements are gone: `DEALLOCATE`, `DEALLOCATE ALL`, `DISCARD ALL`. */
export function endsStatements(bytes: Buffer, at: number): boolean {
  // D, then EA or IS, of which there are no others.
  if (bytes[at] !== 68) return false
  return (bytes[at + 1] === 69 && bytes[at + 2] === 65) || (bytes[at + 1] === 73 && bytes[at + 2] === 83)
}

/** The body of a ParameterDescription: the oids of the types, in order. */
export function readParameterTypes(body: Buffer): number[] {
  return Array.from({ length: body.readUInt16BE() }, (_, index) => body.readUInt32BE(2 + 4 * index))
}

/** The body of a RowDescription: name and type of every column. A domain is described as its base type. */
export function readDescription(body: Buffer): Column[] {
  let position = 2
  return Array.from({ length: body.readUInt16BE() }, () => {
    const end = endOfText(body, position)
    const name = body.toString('utf8', position, end)
    // Behind the name: table, column number, type, its size, its modifier, format.
    position = end + 1 + 4 + 2 + 4 + 2 + 4 + 2
    return { name, type: body.readUInt32BE(end + 1 + 4 + 2) }
  })
}

/** Where the zero is that ends a text. */
function endOfText(body: Buffer, at: number): number {
  const zero = body.indexOf(0, at)
  return zero < 0 ? body.length : zero
}

const errorFields = {
  S: 'severity',
  C: 'code',
  D: 'detail',
  H: 'hint',
  P: 'position',
  W: 'where',
  s: 'schema',
  t: 'table',
  c: 'column',
  d: 'dataType',
  n: 'constraint',
  F: 'file',
  L: 'line',
  R: 'routine',
} as const

/** The body of an ErrorResponse. */
export function readServerError(body: Buffer): ServerError {
  const fields = new Map<string, string>()
  for (let position = 0; position < body.length && body[position] !== 0; ) {
    const end = endOfText(body, position)
    fields.set(String.fromCharCode(body[position] as number), body.toString('utf8', position + 1, end))
    position = end + 1
  }
  const error = new DatabaseError(fields.get('M') ?? 'the server gave no reason', body.length, 'error')
  for (const [code, name] of Object.entries(errorFields)) error[name] = fields.get(code)
  // "V" is the severity that is not translated.
  error.severity = fields.get('V') ?? error.severity
  return error
}

/**
 * Whether a statement that was parsed earlier, and refused before it ran, may have been so because the schema has changed:
 * its parameters keep the types that they had. "operator does not exist: integer = text" (42: syntax error or access rule
 * violation), or "cache lookup failed for type 16399" (XX000) after an enum was made anew.
 */
export function mayBeOutdated({ code }: ServerError): boolean {
  return code === 'XX000' || code?.startsWith('42') === true
}
