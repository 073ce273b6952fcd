// The methods that readers and writers have for common types, as their codecs: each does what `value` does with one.

import type { Codec } from './codecs.ts'
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

/** @returns a method per type, made from its codec */
export function scalarMethods<Method>(method: (codec: Codec<unknown, never>) => Method): Record<string, Method> {
  return Object.fromEntries(Object.entries(scalars).map(([name, codec]) => [name, method(codec as never)]))
}
