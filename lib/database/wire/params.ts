// Parameters on their way to the server: written straight into their Bind message, in binary form where that is cheaper
// and the server has said that the parameter is of the very type.
// Source: PostgreSQL's protocol, "Message Formats"; timestamptz_recv in timestamp.c for the binary form.

import { types } from 'node:util'
import { ParameterError } from '../../errors.ts'
import type { Codec } from '../../query/codecs.ts'
import * as codecs from '../../query/codecs.ts'
import type { QuerySource } from '../../query/executor.ts'
import { assertParams, encodeParam, type ParamMethods, type ParamWriter } from '../../query/params.ts'
import { isBinaryArray, putArray } from './arrays.ts'
import type { Outgoing } from './outgoing.ts'

/** The types (pg_type.oid) whose binary form is written; everything else goes as text. */
const oids = { bytea: 17, timestamp: 1114, timestamptz: 1184 }

const nobodys: QuerySource<never, unknown> = { name: '', source: '', statement: '', sql: '' }

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
    this.#bind = { out, query: nobodys, index: 0, formats: 0, types: [] }
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
    // It may hold thousands of inputs.
    bind.query = nobodys
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
    if (codec.cells !== undefined && value !== null && this.#array(value, codec)) return
    const bind = this.#bind
    const text = encodeParam(bind.query, bind.index, value, codec, this.#allowsNull)
    bind.index++
    if (text === null) bind.out.putInt32(-1)
    else bind.out.putSized(text)
  }

  int4(value: number | null): void {
    // True for exactly the numbers that are int4.
    if (typeof value === 'number' && value === (value | 0)) {
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
    const { out, types: known, index } = this.#bind
    if (known[index] !== oids.bytea || !types.isUint8Array(value)) {
      this.value(value, codecs.bytea)
      return
    }
    out.putInt32(value.byteLength)
    out.put(value)
    this.#binary()
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
    const { out, types: known, index } = this.#bind
    if (known[index] !== oid || !types.isDate(value) || !out.putMicroseconds(value)) return false
    this.#binary()
    return true
  }

  /** Whether an array could be written in binary form; the others (that hold something wrong, too) are the codec's. */
  #array<T>(value: T, codec: Codec<unknown, T>): boolean {
    const { out, types: known, index } = this.#bind
    const type = known[index]
    const cells = isBinaryArray(type) ? codec.cells?.(value) : undefined
    if (type === undefined || cells === undefined) return false
    const before = out.end - out.start
    if (putArray(out, type, cells)) {
      this.#binary()
      return true
    }
    out.end = out.start + before
    return false
  }

  /** The parameter that was just written is in binary form. */
  #binary(): void {
    const { out, index, formats } = this.#bind
    out.bytes[out.start + formats + 2 * index + 1] = 1
    this.#bind.index++
  }
}

const anyJson = codecs.json<unknown>()
