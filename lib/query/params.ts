// How generated code hands over parameters: one method per type, called in the order of `$1`, `$2`, …
// Mirror image of `row.ts`. The writer decides the form: the bytes of the wire (`wire/params.ts`), or text (`text.ts`).

import { ParameterError } from '../errors.ts'
import type { Codec } from './codecs.ts'
import { describe } from './describe.ts'
import type { QuerySource } from './executor.ts'

/** The methods of a writer; `N` is what stands for NULL: `never` (refused) or `null`. */
export interface ParamMethods<N> {
  int2(value: number | N): void
  int4(value: number | N): void
  oid(value: number | N): void
  /** A number must be a safe integer. */
  int8(value: number | bigint | N): void
  float4(value: number | N): void
  float8(value: number | N): void
  /** A string keeps every digit; a number is written as JavaScript prints it. */
  numeric(value: string | number | bigint | N): void
  bool(value: boolean | N): void
  /** Any type, as PostgreSQL reads it from text. */
  text(value: string | N): void
  timestamptz(value: Date | N): void
  /** Written as UTC, whatever the machine's zone. */
  timestamp(value: Date | N): void
  bytea(value: Uint8Array | N): void
  /** Written by `JSON.stringify`. In `nullable.json`, `null` is SQL's NULL; otherwise it is JSON's `null`. */
  json(value: unknown): void
  /** Every other type, by its codec. */
  value<T>(value: T | N, codec: Codec<unknown, T>): void
}

/**
 * Takes a query's parameters, in order. Its own methods refuse `null`; both halves refuse `undefined`.
 * @throws ParameterError naming the query, the parameter and what arrived
 */
export interface ParamWriter extends ParamMethods<never> {
  readonly nullable: ParamMethods<null>
}

/** @throws ParameterError if a query that has parameters is called without an object that holds them */
export function assertParams(query: QuerySource<never, unknown>, params: unknown): void {
  if (params !== null && typeof params === 'object') return
  throw new ParameterError(query, query.params?.join(', ') ?? '', `must come in an object, got ${describe(params)}`)
}

/**
 * PostgreSQL's text of one parameter.
 * @param index its place in the query's `params`
 * @param allowsNull the difference between a writer and its `nullable` half
 * @throws ParameterError
 */
export function encodeParam<T>(
  query: QuerySource<never, unknown>,
  index: number,
  value: T | null,
  codec: Codec<unknown, T>,
  allowsNull: boolean,
): string | null {
  if (value === null && allowsNull) return null
  try {
    return codec.encode(value as T)
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error)
    const hint = value === undefined && allowsNull ? ' (pass null for NULL)' : ''
    throw new ParameterError(query, query.params?.[index] ?? '?', problem + hint)
  }
}
