// What a service imports, and nothing else: the database, the typed functions' makers, the codecs and the errors.

export { createDatabase, type Database, type DatabaseOptions } from './database/database.ts'
export type { PoolOptions } from './database/pool.ts'
export type { UnitOfWork } from './database/unitOfWork.ts'
export * from './errors.ts'
export type { Codec } from './query/codecs.ts'
export * as codec from './query/codecs.ts'
export type { Executor, Kind, Query, QuerySource } from './query/executor.ts'
export {
  type Exec,
  exec,
  type Many,
  many,
  type One,
  type Opt,
  one,
  opt,
  type QueryFunction,
  type Value,
  type Values,
  value,
  values,
} from './query/kinds.ts'
export type { ParamWriter } from './query/params.ts'
export type { JsonValue, RowReader } from './query/row.ts'
