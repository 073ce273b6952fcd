// The methods that readers and writers have for common types, as their codecs: each does what `value` does with one.

import * as codecs from './codecs.ts'

const scalars = {
  int2: codecs.int2,
  int4: codecs.int4,
  oid: codecs.oid,
  int8: codecs.int8,
  bigint: codecs.bigint,
  float4: codecs.float4,
  float8: codecs.float8,
  numeric: codecs.numeric,
  bool: codecs.bool,
  text: codecs.text,
  timestamptz: codecs.timestamptz,
  timestamp: codecs.timestamp,
  bytea: codecs.bytea,
  json: codecs.json<unknown>(),
}

/**
 * Gives them to a reader or a writer.
 * @param methods its prototype
 */
export function addScalarMethods(methods: { value(item: never, codec: never): unknown }): void {
  for (const [name, codec] of Object.entries(scalars)) {
    const method = function (this: typeof methods, item: never): unknown {
      return this.value(item, codec as never)
    }
    Object.assign(methods, { [name]: method })
  }
}
