// A connection over the socket of a `pg` client: pg connects (TLS, passwords, settings), then we speak the protocol.
// In: calls. Out: their results, decoded from the bytes as they come in; all calls of one tick leave in one write.
// Source: PostgreSQL's protocol, "Extended Query" and "Pipelining". A call ends with a Sync of its own, so an error skips
// to the end of its own call, and the next one does not notice. Only quick reads share one Sync with their neighbours,
// for which server and client wake up once; after an error, those that were skipped are sent again.

import type { Duplex } from 'node:stream'
import type { Client } from 'pg'
import { ConnectionError, PlainsqlError, type QueryIdentity } from '../../errors.ts'
import type { Query } from '../../query/executor.ts'
import { cancelRequest } from '../cancelRequest.ts'
import type { Connection } from '../connection.ts'
import { leftOpen } from '../failures.ts'
import { noteSent } from '../observe/observer.ts'
import { Call } from './call.ts'
import * as messages from './messages.ts'
import { Outgoing } from './outgoing.ts'
import { WireParams } from './params.ts'
import { WireRow } from './row.ts'
import { ServerClock } from './serverClock.ts'
import { takeMessages } from './socket.ts'
import { Statements } from './statements.ts'

/** Who shares a connection among callers wants to know. */
export interface WireOwner {
  /** Calls are over, of which all but the last shared its Sync. @param ms for how long the server was busy with them */
  settled(wire: Wire, calls: readonly Call[], ms: number): void
  /** The connection is gone; `takesBack` follows for every call in flight. */
  gone(wire: Wire): void
  /** @returns whether the owner takes a call of a lost connection back, to run it elsewhere */
  takesBack(call: Call): boolean
}

/**
 * Takes the socket of a connected client, which is good for nothing but `end()` afterwards.
 * @param maxStatements prepared statements kept on this connection; 0 prepares none (for old PgBouncers)
 * @returns null if the client does not have what we build on: use `plainConnection`
 */
export function wireOver(client: Client, maxStatements = 256): Wire | null {
  const stream = (client as unknown as { connection?: { stream?: Duplex } }).connection?.stream
  if (typeof stream?.write !== 'function' || stream.listenerCount('data') !== 1) return null
  return new Wire(client, stream, maxStatements)
}

export class Wire implements Connection {
  owner: WireOwner | null = null
  /** Calls that have not been answered. */
  inFlight = 0
  /** Of the last ReadyForQuery. */
  inTransaction = false
  /** Why it leads nowhere any more. */
  lost: Error | null = null
  readonly #client: Client
  readonly #stream: Duplex
  readonly #out = new Outgoing()
  readonly #params = new WireParams(this.#out)
  readonly #row = new WireRow()
  readonly #statements: Statements
  #first: Call | null = null
  #last: Call | null = null
  #unsent: Call | null = null
  /** The last of the calls that were written and share a Sync which is not written. */
  #group: Call | null = null
  /** Calls that are over, and whose Sync is not answered; and for how long the server was busy with them. */
  #over: Call[] = []
  #overMs = 0
  #flushing = false
  /** Whether messages of a call are being written, in the middle of which code of its parameters runs: a getter, toJSON. */
  #writing = false
  readonly #clock = new ServerClock()

  constructor(client: Client, stream: Duplex, maxStatements: number) {
    this.#client = client
    this.#stream = stream
    this.#statements = new Statements(maxStatements)
    takeMessages(
      stream,
      () => this.#clock.arrived(),
      (code, bytes, at, end) => {
        try {
          this.#message(code, bytes, at, end)
        } catch (error) {
          // Of a message that is not what it says; here nobody else would catch it.
          this.destroy(error as Error)
        }
        return this.lost === null
      },
    )
    stream.on('error', (error) => this.destroy(error))
    stream.on('close', () => this.destroy(new Error('the connection was lost')))
  }

  /** What the server is at. */
  get running(): QueryIdentity | null {
    return this.#first?.query ?? null
  }

  /** For how long the server has been at the first call in flight, without the way there; 0 if there is none. */
  busyMs(now: number): number {
    return this.#first?.sent ? this.#clock.busyMs(now) : 0
  }

  /** What waits for the first call in flight to be answered. */
  *behindFirst(): Generator<Call> {
    for (let call = this.#first?.next ?? null; call !== null; call = call.next) yield call
  }

  execute<Params, Row, Result>(
    query: Query<Params, Row, Result>,
    params: Params,
    prelude: readonly string[] = [],
  ): Promise<Result> {
    return new Promise((resolve) => {
      const call = new Call(query as Query<unknown, unknown, unknown>, params, resolve as never)
      call.carried = prelude
      this.submit(call)
    })
  }

  control(sql: string): Promise<string> {
    if (this.#writing) return Promise.reject(insideParameters(null))
    return new Promise((resolve) => {
      this.#endGroup()
      if (sql === 'COMMIT') this.#statements.writeControl(this.#out, sql)
      this.#send(new Call(null, null, resolve as never), sql === 'COMMIT' ? messages.sync : messages.simpleQuery(sql))
    })
  }

  /**
   * One round trip that asks for nothing, and tells how long the way is.
   * @throws ConnectionError if there is no answer in time
   */
  ping(timeoutMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.destroy(new Error(`no answer to a ping within ${timeoutMs} ms`)), timeoutMs)
      const settle = (answer: unknown) => {
        clearTimeout(timer)
        resolve(answer as never)
      }
      const call = new Call(null, null, settle)
      call.measures = this.#first === null
      this.#send(call, messages.sync)
    })
  }

  cancel(): Promise<void> {
    return cancelRequest(this.#client)
  }

  /** Gives the connection up: every call in flight fails with a ConnectionError. */
  destroy(cause: Error): void {
    if (this.lost !== null) return
    this.lost = cause
    let call = this.#first
    this.#first = null
    this.#last = null
    this.#unsent = null
    this.#group = null
    this.inFlight = 0
    this.owner?.gone(this)
    while (call !== null) {
      const { next, query } = call
      const statement = call.sent ? 'unknown' : 'not sent'
      if (!this.owner?.takesBack(call)) call.fail(() => new ConnectionError(query, cause, statement))
      call = next
    }
    // A client that does not know yet would be given to the next caller.
    this.#stream.destroy()
  }

  /**
   * Writes a query's messages; they leave with everything else of this tick.
   * @returns false if a parameter did not fit: the call has failed, and nothing is sent
   */
  submit(call: Call): boolean {
    if (this.#writing) {
      call.fail(() => insideParameters(call.query))
      return false
    }
    const out = this.#out
    if (!call.shares) this.#endGroup()
    const before = out.end - out.start
    this.#writing = true
    try {
      for (const sql of call.carried) this.#statements.writeControl(out, sql)
      call.preludes = call.carried.length
      this.#statements.write(out, call, this.#params)
      call.ends = !call.shares
      if (call.ends) out.put(messages.sync)
      else this.#group = call
    } catch (error) {
      out.end = out.start + before
      if (call.carried.length > 0) this.#statements.forgetControls()
      // The stack is the caller's own, unless the call had to wait for a connection.
      call.fail(() => error)
      return false
    } finally {
      this.#writing = false
    }
    noteSent(call.query as object)
    this.#send(call)
    return true
  }

  #send(call: Call, bytes?: Uint8Array): void {
    const { lost } = this
    if (lost !== null) {
      call.fail(() => new ConnectionError(call.query, lost, 'not sent'))
      return
    }
    if (bytes !== undefined) {
      this.#endGroup()
      this.#out.put(bytes)
    }
    call.next = null
    if (this.#last === null) this.#first = call
    else this.#last.next = call
    this.#last = call
    this.#unsent ??= call
    this.inFlight++
    if (this.#flushing) return
    this.#flushing = true
    // After the microtasks of this turn: all that woke up with the same chunk of answers has asked its next question.
    process.nextTick(() => this.#flush())
  }

  /** Writes the Sync of calls that share one. */
  #endGroup(): void {
    if (this.#group === null) return
    this.#out.put(messages.sync)
    this.#group.ends = true
    this.#group = null
  }

  #flush(): void {
    this.#flushing = false
    this.#endGroup()
    if (this.#first === this.#unsent) this.#clock.started()
    for (let call = this.#unsent; call !== null; call = call.next) call.sent = true
    this.#unsent = null
    this.#stream.write(this.#out.take())
  }

  /** One message of the server, whose body is `bytes[at…end)`. The codes are the letters of "Message Formats". */
  #message(code: number, bytes: Buffer, at: number, end: number): void {
    const call = this.#first
    switch (code) {
      case 68: // DataRow
        // After the first row that cannot be decoded the others are only skipped, so that the stream stays in step.
        if (call?.query?.read === undefined || call.preludes > 0 || call.thrown !== null) return
        this.#row.turnTo(call.query, call.columns, bytes, at, end)
        try {
          call.rows.push(call.query.read(this.#row.reader))
        } catch (error) {
          call.thrown = { error }
        }
        return
      case 67: // CommandComplete
        if (call === null) return
        if (messages.endsStatements(bytes, at)) this.#statements.forgetAll()
        if (call.preludes > 0) call.preludes--
        else if (call.query === null) call.tag = bytes.toString('utf8', at, end - 1)
        else call.affected = messages.affectedRows(bytes, end)
        if (!call.ends) this.#complete(call, true)
        return
      case 90: // ReadyForQuery
        this.inTransaction = bytes[at] !== 73 // I, for idle; else T or E
        if (call !== null) this.#ready(call)
        return
      case 49: // ParseComplete
        if (call?.preludes === 0) call.prepared = true
        return
      case 50: // BindComplete
        if (call?.preludes === 0) call.take()
        return
      case 116: // ParameterDescription
        if (call?.statement) call.statement.types = messages.readParameterTypes(bytes.subarray(at, end))
        return
      case 84: // RowDescription, of which a simple query's needs no attention
        call?.statement?.describe(call, messages.readDescription(bytes.subarray(at, end)))
        return
      case 69: {
        // ErrorResponse. ERROR ends the call; FATAL and PANIC end the connection, with or without a call.
        const error = messages.readServerError(bytes.subarray(at, end))
        if (error.severity !== 'ERROR') this.destroy(error)
        else if (call !== null) call.refusal ??= error
        return
      }
      case 71: // CopyInResponse. A Sync behind it was swallowed ("COPY Operations"), so that we need another.
        this.#stream.write(messages.copyFail)
        return
      case 72: // CopyOutResponse: its rows have nowhere to go
        if (call !== null) call.thrown = { error: new PlainsqlError('COPY … TO STDOUT cannot run as a query') }
        return
      case 73: // EmptyQueryResponse, instead of CommandComplete
        if (call !== null && !call.ends) this.#complete(call, true)
        return
      // CloseComplete, NoData, CopyData, CopyDone, and what a server may send at any
      // time: NoticeResponse, ParameterStatus, NotificationResponse.
      case 51:
      case 110:
      case 100:
      case 99:
      case 78:
      case 83:
      case 65:
        return
      default:
        this.destroy(
          new Error(`unknown message ${code} of the server: is something between us that is not PostgreSQL?`),
        )
    }
  }

  /** After an error in the middle of calls that share a Sync, the server has skipped the others. */
  #ready(call: Call): void {
    const idle = !this.inTransaction
    // The next statement, somebody else's, would never be committed.
    const strays = !idle && this.owner !== null
    if (strays && call.query !== null) call.thrown ??= { error: leftOpen(call.query) }
    let last = call
    while (!last.ends && last.next !== null) last = last.next
    this.#complete(call, idle)
    for (let other = call; other !== last; ) {
      other = this.#first as Call
      this.#shift(other)
      other.shares = false
      this.#statements.skipped(other)
      this.#again(other)
    }
    this.#row.turnAway()
    const over = this.#over
    const ms = this.#overMs
    this.#over = []
    this.#overMs = 0
    if (strays) this.destroy(new Error('a statement left a transaction open'))
    else this.owner?.settled(this, over, ms)
  }

  #shift(call: Call): void {
    this.#first = call.next
    if (call.next === null) this.#last = null
    // What is over would keep what came after it, with all its rows.
    call.next = null
    this.inFlight--
  }

  #complete(call: Call, idle: boolean): void {
    this.#shift(call)
    const ms = this.#clock.answered(call.measures)
    if (call.refusal !== null && this.#statements.refused(call, call.refusal, idle)) this.#again(call)
    else {
      this.#over.push(call)
      this.#overMs += ms
      call.settle()
    }
  }

  /** Sends a call once more. It is over if its parameters do not fit any more: somebody has changed them. */
  #again(call: Call): void {
    call.reset()
    if (!this.submit(call)) this.#over.push(call)
  }
}

/** Of a call whose messages would stand in the middle of another one's. */
function insideParameters(query: QueryIdentity | null): PlainsqlError {
  return new PlainsqlError('called by a getter or toJSON of parameters, while they are written: call it before', query)
}
