// The prepared statements of one connection: which ones the server knows, and the bytes that run them.
// The first run is Parse, Describe, Bind, Execute; the others are Bind and Execute, most of whose bytes never change.

import { isStale } from '../../errors.ts'
import type { QuerySource } from '../../query/executor.ts'
import type { Call } from './call.ts'
import type { ServerError } from './messages.ts'
import * as messages from './messages.ts'
import type { Outgoing } from './outgoing.ts'
import type { WireParams } from './params.ts'
import { type Column, type Columns, planColumns, unknownColumns } from './row.ts'

/**
 * Writes with more bytes of parameters than this are parsed and planned for each run: for arrays of any length PostgreSQL
 * keeps a plan that was made for ten elements, and an update of 10,000 rows took half as long again.
 */
const heavyBytes = 8 * 1024
/** Bind's code, length, and the empty name of the portal. */
const beforeName = 1 + 4 + 1
/** How often in a row a call may meet a statement that has just become stale, during a chain of migrations. */
const maxReprepares = 5

/** A statement as one connection knows it. */
export class Statement {
  /** Not the query: that of a batch holds all inputs. */
  readonly sql: string
  /** The one that is kept under the query's name: itself, or the one that this one has its parameters' types from. */
  readonly kept: Statement
  /** Empty where statements are not prepared. */
  readonly name: string
  /** A Bind up to its first parameter, all formats being text. */
  readonly head: Buffer
  /** Where the formats stand in it. */
  readonly formats: number
  /** The forms of the result's columns, and Execute. */
  tail: Buffer = Buffer.concat([messages.int16(0), messages.execute])
  columns: Columns = unknownColumns
  /** Whether they are other columns than the generated code reads. */
  isMisfit = false
  /** The parameters' types (pg_type.oid), once the server has described them. */
  types: readonly number[]
  lastUse = 0
  /** Whether it once had so many parameters, or so large ones, that planning it anew costs nothing. */
  heavy = false

  constructor(query: QuerySource<never, unknown>, name: string, kept: Statement | null) {
    const count = query.params?.length ?? 0
    const nameBytes = Buffer.from(`${name}\0`)
    const formats = messages.int16(count, ...new Array<number>(count).fill(0))
    this.sql = query.sql
    this.kept = kept ?? this
    this.types = kept?.types ?? []
    this.name = name
    this.head = messages.message('B', '\0', nameBytes, formats, messages.int16(count))
    this.formats = beforeName + nameBytes.length + 2
  }

  /** RowDescription. From the next run on, results come as the columns are planned; this call's comes as text. */
  describe(call: Call, columns: readonly Column[]): void {
    call.columns = { ...call.columns, names: columns.map((column) => column.name) }
    if (this.name === '') return
    this.columns = planColumns(call.query?.read, columns)
    const { binary } = this.columns
    this.tail = Buffer.concat([messages.int16(binary.length, ...binary), messages.execute])
  }
}

export class Statements {
  readonly #max: number
  readonly #known: Map<string, Statement> = new Map()
  /** Names to close before the next Parse. */
  #leaving: string[] = []
  /** The bytes that run each control statement that was prepared. */
  readonly #controls: Map<string, Buffer> = new Map()
  #uses = 0

  /** @param max prepared statements at most; the one that was not used for longest makes room. 0: none is prepared */
  constructor(max: number) {
    this.#max = max
  }

  /**
   * Writes the messages of a call's query, up to its Sync.
   * @throws ParameterError; what was written before must be thrown away
   */
  write(out: Outgoing, call: Call, params: WireParams): void {
    const query = call.query as QuerySource<never, unknown>
    const known = this.#known.get(query.statement)
    // Two texts under one name are two statements.
    const same = known?.sql === query.sql
    const heavy = same && known.heavy && query.readOnly !== true
    const statement = same && !heavy ? known : this.#prepare(out, query, heavy ? known : null)
    call.preparing = statement !== known
    const bind = out.end - out.start
    out.put(statement.head)
    params.write(query, call.params as never, bind + statement.formats, statement.types)
    out.put(statement.tail)
    // The length counts itself, and neither the code nor the messages behind Bind.
    const length = out.end - out.start - bind - 1 - messages.execute.length
    out.bytes.writeInt32BE(length, out.start + bind + 1)

    statement.heavy ||= length > heavyBytes
    call.statement = statement
    call.columns = statement.columns
    statement.lastUse = ++this.#uses
    if (call.preparing && statement.name !== '') this.#remember(statement)
  }

  /**
   * Writes a command without parameters, up to its Sync. BEGIN and COMMIT are prepared: they come with every unit of work,
   * and it costs the server more to parse them than to run them.
   */
  writeControl(out: Outgoing, sql: string): void {
    const isBegin = sql.startsWith('BEGIN')
    if (this.#max === 0 || !(isBegin || sql === 'COMMIT')) {
      out.put(messages.parse('', sql))
      out.put(messages.run(''))
      return
    }
    // COMMIT together with BEGIN: where there is the one, behind a PgBouncer too, there is the other.
    const known = this.#controls.get(sql)
    if (known === undefined) for (const each of isBegin ? [sql, 'COMMIT'] : [sql]) this.#prepareControl(out, each)
    out.put(known ?? messages.run(controlName(sql)))
  }

  #prepareControl(out: Outgoing, sql: string): void {
    const name = controlName(sql)
    // As with queries: the server may have one.
    out.put(messages.closeStatement(name))
    out.put(messages.parse(name, sql))
    this.#controls.set(sql, messages.run(name))
  }

  /**
   * Forgets what a refused call says that the server does not have, or has otherwise.
   * @param idle whether no transaction is open
   * @returns whether it is to be sent again: it has not run, and with a new Parse it will
   */
  refused(call: Call, refusal: ServerError, idle: boolean): boolean {
    const { statement } = call
    if (statement === null || call.preludes > 0) {
      // Where BEGIN is not known any more, nothing is.
      if (isStale(refusal)) this.forgetAll()
      else this.forgetControls()
    }
    if (statement === null) return false
    const parsedEarlier = call.preludes === 0 && (!call.preparing || statement.kept !== statement)
    // Once its parameters were taken it has run, and may have committed what it did, whatever the SQLSTATE says.
    const stale = !call.bound && (isStale(refusal) || (parsedEarlier && messages.mayBeOutdated(refusal)))
    if (stale || (call.preparing && !call.prepared)) this.#forget(statement)
    return stale && idle && call.reprepared++ < maxReprepares
  }

  /** A call was skipped behind another one's error, and so was its Parse: of its name the server may have another text. */
  skipped({ statement, preparing, prepared }: Call): void {
    if (preparing && !prepared && statement !== null) this.#forget(statement)
  }

  /** They failed, or were skipped: perhaps the server does not have them, or not any more. */
  forgetControls(): void {
    this.#controls.clear()
  }

  /** The server has forgotten them. What it has nevertheless is closed before it is prepared. */
  forgetAll(): void {
    this.#controls.clear()
    this.#known.clear()
    this.#leaving = []
  }

  /** @param heavy the statement that is too heavy to be kept: it says what its parameters' types are */
  #prepare(out: Outgoing, query: QuerySource<never, unknown>, heavy: Statement | null): Statement {
    const name = this.#max > 0 && heavy === null ? query.statement : ''
    for (const leaving of this.#leaving) out.put(messages.closeStatement(leaving))
    // The server may have one, and not only if we know of it: a Close is skipped behind an error, as everything is.
    if (name !== '') out.put(messages.closeStatement(name))
    const statement = new Statement(query, name, heavy)
    out.put(messages.parse(name, query.sql, statement.types))
    out.put(messages.describeStatement(name))
    return statement
  }

  /** It is prepared anew when it is next used. */
  #forget({ kept }: Statement): void {
    // Of several calls that were refused in a row, the first has done it.
    if (this.#known.get(kept.name) === kept) this.#known.delete(kept.name)
  }

  #remember(statement: Statement): void {
    this.#leaving = []
    this.#known.set(statement.name, statement)
    if (this.#known.size <= this.#max) return
    let oldest = statement
    for (const other of this.#known.values()) if (other.lastUse < oldest.lastUse) oldest = other
    this.#known.delete(oldest.name)
    this.#leaving.push(oldest.name)
  }
}

function controlName(sql: string): string {
  return `plainsql: ${sql}`
}
