// All codecs under one name, for generated code: `codec.array(codec.int4)`.

export * from './containers.ts'
export { json, jsonArray, jsonKey, jsonObject, jsonOf, jsonRecord, jsonTuple } from './json.ts'
export * from './ranges.ts'
export * from './scalars.ts'
export * from './time.ts'
