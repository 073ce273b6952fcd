// Bytes on their way to the server: messages are written one behind the other into blocks that the socket gets as they
// are, and parameters go straight into their Bind message.
// Source: PostgreSQL's protocol, "Message Formats"; timestamptz_recv in timestamp.c for the binary form.

import { types } from 'node:util'
import { ParameterError } from '../errors.ts'
import type { Codec } from '../query/codecs.ts'
import * as codecs from '../query/codecs.ts'
import type { QuerySource } from '../query/executor.ts'
import { assertParams, encodeParam, type ParamMethods, type ParamWriter } from '../query/params.ts'

const blockSize = 32 * 1024
/** 2000-01-01, from which PostgreSQL counts microseconds. */
export const pgEpoch = 946_684_800_000
/** Up to here milliseconds times 1000 are exact in a number: about 285 years on both sides of 2000. */
const maxExactMs = Number.MAX_SAFE_INTEGER / 1000

/** The types (pg_type.oid) whose binary form is written; everything else goes as text. */
const oids = { bytea: 17, timestamp: 1114, timestamptz: 1184 }

/** What is written and not yet sent. `take` hands it over; the rest of the block is used for what comes next. */
export class Outgoing {
  bytes: Buffer = Buffer.allocUnsafeSlow(blockSize)
  start = 0
  end = 0

  /** Makes room for `size` more bytes behind what was written since `take`. */
  reserve(size: number): void {
    if (this.end + size <= this.bytes.length) return
    const pending = this.end - this.start
    // A block that the socket may still be sending must not be written again: always a new one.
    const next = Buffer.allocUnsafeSlow(Math.max(blockSize, 2 * pending + size))
    this.bytes.copy(next, 0, this.start, this.end)
    this.bytes = next
    this.start = 0
    this.end = pending
  }

  put(bytes: Uint8Array): void {
    this.reserve(bytes.length)
    this.bytes.set(bytes, this.end)
    this.end += bytes.length
  }

  putInt32(value: number): void {
    this.reserve(4)
    this.end = this.bytes.writeInt32BE(value, this.end)
  }

  /** The bytes of a parameter, behind their length. */
  putSized(text: string): void {
    const { length } = text
    this.reserve(4 + (length <= 1024 ? 3 * length : Buffer.byteLength(text)))
    const { bytes } = this
    const from = this.end + 4
    let at = from
    // A call into C++ costs more than a short loop.
    if (length <= 16) {
      for (let index = 0; index < length; index++) {
        const code = text.charCodeAt(index)
        if (code > 127) break
        bytes[at++] = code
      }
    }
    if (at - from !== length) at = from + bytes.write(text, from, 'utf8')
    bytes.writeInt32BE(at - from, this.end)
    this.end = at
  }

  take(): Buffer {
    const taken = this.bytes.subarray(this.start, this.end)
    this.start = this.end
    return taken
  }
}

/** The Bind message that is being written. */
interface Bind {
  readonly out: Outgoing
  query: QuerySource<never, unknown>
  /** The number of the next parameter, from 0. */
  index: number
  /** Where its format codes begin, counted from `out.start`: a growing block moves everything. */
  formats: number
  /** From the server's ParameterDescription, once there was one. */
  types: readonly number[]
}

/** Writes the parameters of one query after another. */
export class WireParams {
  readonly #bind: Bind
  readonly #writer: ParamWriter

  constructor(out: Outgoing) {
    this.#bind = { out, query: { name: '', source: '', statement: '', sql: '' }, index: 0, formats: 0, types: [] }
    const nullable = new WireParamMethods(this.#bind, true)
    this.#writer = Object.assign(new WireParamMethods(this.#bind, false), { nullable })
  }

  /**
   * Writes the values of all parameters behind a Bind's header.
   * @param formats where the header's format codes stand, from `out.start`
   * @throws ParameterError; what was written before it must be thrown away
   */
  write<Params>(query: QuerySource<Params, unknown>, params: Params, formats: number, types: readonly number[]): void {
    if (query.write === undefined) return
    assertParams(query, params)
    const bind = this.#bind
    bind.query = query
    bind.index = 0
    bind.formats = formats
    bind.types = types
    query.write(this.#writer, params)
    const count = query.params?.length ?? 0
    if (bind.index !== count) throw new ParameterError(query, query.params?.[bind.index] ?? '?', 'was not written')
  }
}

/** Writes common types by hand, the others by codec. */
class WireParamMethods implements ParamMethods<null> {
  readonly #bind: Bind
  readonly #allowsNull: boolean

  constructor(bind: Bind, allowsNull: boolean) {
    this.#bind = bind
    this.#allowsNull = allowsNull
  }

  value<T>(value: T | null, codec: Codec<unknown, T>): void {
    const bind = this.#bind
    const text = encodeParam(bind.query, bind.index, value, codec, this.#allowsNull)
    bind.index++
    if (text === null) bind.out.putInt32(-1)
    else bind.out.putSized(text)
  }

  int4(value: number | null): void {
    // True for exactly the numbers that are int4.
    if ((value as number) === ((value as number) | 0)) {
      this.#bind.index++
      this.#bind.out.putSized(`${value}`)
    } else this.value(value, codecs.int4)
  }
  int8(value: number | bigint | null): void {
    if (Number.isSafeInteger(value)) {
      this.#bind.index++
      this.#bind.out.putSized(`${value}`)
    } else this.value(value, codecs.int8)
  }
  timestamptz(value: Date | null): void {
    if (!this.#microseconds(value, oids.timestamptz)) this.value(value, codecs.timestamptz)
  }
  timestamp(value: Date | null): void {
    if (!this.#microseconds(value, oids.timestamp)) this.value(value, codecs.timestamp)
  }
  bytea(value: Uint8Array | null): void {
    if (!types.isUint8Array(value) || !this.#isBinary(oids.bytea)) {
      this.value(value, codecs.bytea)
      return
    }
    this.#bind.index++
    this.#bind.out.putInt32(value.byteLength)
    this.#bind.out.put(value)
  }
  int2(value: number | null): void {
    this.value(value, codecs.int2)
  }
  oid(value: number | null): void {
    this.value(value, codecs.oid)
  }
  float4(value: number | null): void {
    this.value(value, codecs.float4)
  }
  float8(value: number | null): void {
    this.value(value, codecs.float8)
  }
  numeric(value: string | number | bigint | null): void {
    this.value(value, codecs.numeric)
  }
  bool(value: boolean | null): void {
    this.value(value, codecs.bool)
  }
  text(value: string | null): void {
    this.value(value, codecs.text)
  }
  json(value: unknown): void {
    this.value(value, anyJson)
  }

  /** Whether a Date could be written as PostgreSQL's int64; the others (invalid, far away) are the codec's. */
  #microseconds(value: Date | null, oid: number): boolean {
    const since2000 = types.isDate(value) ? value.getTime() - pgEpoch : Number.NaN
    if (!(Math.abs(since2000) < maxExactMs) || !this.#isBinary(oid)) return false
    const { out } = this.#bind
    out.reserve(12)
    const high = Math.floor((since2000 * 1000) / 2 ** 32)
    out.bytes.writeInt32BE(8, out.end)
    out.bytes.writeInt32BE(high, out.end + 4)
    out.bytes.writeUInt32BE(since2000 * 1000 - high * 2 ** 32, out.end + 8)
    out.end += 12
    this.#bind.index++
    return true
  }

  /** Sets the next parameter's format code to binary, if the server has said that it is of this type. */
  #isBinary(oid: number): boolean {
    const { out, types: known, index, formats } = this.#bind
    if (known[index] !== oid) return false
    out.bytes[out.start + formats + 2 * index + 1] = 1
    return true
  }
}

const anyJson = codecs.json<unknown>()
