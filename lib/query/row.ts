// How generated code reads a row: one method per wire type, by column number. Implementations read PostgreSQL's
// text format (`text.ts`) or a test database's values; the generated decoder and its types are the same on all.

import type { Codec } from './codecs.ts'

/** Any JSON document. */
export type JsonValue = null | boolean | number | string | JsonValue[] | { [key: string]: JsonValue }

/** The methods of a row; `N` is what a NULL becomes: `never` (an error) or `null`. */
export interface RowMethods<N> {
  int2(column: number): number | N
  int4(column: number): number | N
  oid(column: number): number | N
  /** @throws DecodeError beyond ±(2^53 − 1): use `bigint` or `text` there (the option `int8`). */
  int8(column: number): number | N
  bigint(column: number): bigint | N
  float4(column: number): number | N
  float8(column: number): number | N
  bool(column: number): boolean | N
  /** Any type as PostgreSQL prints it. */
  text(column: number): string | N
  /** @throws DecodeError for `infinity` and for years that a Date cannot hold */
  timestamptz(column: number): Date | N
  /** Read as UTC, whatever the machine's zone. @throws DecodeError as `timestamptz` */
  timestamp(column: number): Date | N
  bytea(column: number): Uint8Array | N
  json<T>(column: number): T | N
  /** Every other type, by its codec. */
  value<T>(column: number, codec: Codec<T, never>): T | N
}

/** A row on its way out of the database. Its own methods refuse NULL: the types said that it cannot come. */
export interface RowReader extends RowMethods<never> {
  readonly nullable: RowMethods<null>
}

/** What the `nullable` half needs of the other: any reader that can say whether a column is NULL. */
export interface NullAwareRow extends RowMethods<never> {
  isNull(column: number): boolean
}

/** The `nullable` half of a reader, the same for every implementation. */
export class NullableRow implements RowMethods<null> {
  readonly #row: NullAwareRow

  constructor(row: NullAwareRow) {
    this.#row = row
  }

  int2(column: number): number | null {
    return this.#row.isNull(column) ? null : this.#row.int2(column)
  }
  int4(column: number): number | null {
    return this.#row.isNull(column) ? null : this.#row.int4(column)
  }
  oid(column: number): number | null {
    return this.#row.isNull(column) ? null : this.#row.oid(column)
  }
  int8(column: number): number | null {
    return this.#row.isNull(column) ? null : this.#row.int8(column)
  }
  bigint(column: number): bigint | null {
    return this.#row.isNull(column) ? null : this.#row.bigint(column)
  }
  float4(column: number): number | null {
    return this.#row.isNull(column) ? null : this.#row.float4(column)
  }
  float8(column: number): number | null {
    return this.#row.isNull(column) ? null : this.#row.float8(column)
  }
  bool(column: number): boolean | null {
    return this.#row.isNull(column) ? null : this.#row.bool(column)
  }
  text(column: number): string | null {
    return this.#row.isNull(column) ? null : this.#row.text(column)
  }
  timestamptz(column: number): Date | null {
    return this.#row.isNull(column) ? null : this.#row.timestamptz(column)
  }
  timestamp(column: number): Date | null {
    return this.#row.isNull(column) ? null : this.#row.timestamp(column)
  }
  bytea(column: number): Uint8Array | null {
    return this.#row.isNull(column) ? null : this.#row.bytea(column)
  }
  json<T>(column: number): T | null {
    return this.#row.isNull(column) ? null : this.#row.json<T>(column)
  }
  value<T>(column: number, codec: Codec<T, never>): T | null {
    return this.#row.isNull(column) ? null : this.#row.value(column, codec)
  }
}
