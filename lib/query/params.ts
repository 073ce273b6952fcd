// How generated code hands over parameters: one method per type, called in the order of `$1`, `$2`, …
// Mirror image of `row.ts`. The writer decides the form (text for PostgreSQL, values for a test database).

import type { Codec } from './codecs.ts'

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
