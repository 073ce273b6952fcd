// What a service imports, and nothing else: the database, the typed functions' makers, the codecs and the errors.

export type { CancelOptions } from './database/cancellation.ts'
export type { CloseOptions } from './database/connection.ts'
export type { CallOptions } from './database/database.ts'
export { createDatabase, type Database, type DatabaseOptions, type PooledDatabase } from './database/database.ts'
export type { LogOptions } from './database/observe/log.ts'
export type { NPlusOneOptions } from './database/observe/nPlusOne.ts'
export type { PoolOptions, PoolStats } from './database/pool/options.ts'
export type { Deferred } from './database/unit/deferred.ts'
export type { Hook } from './database/unit/hooks.ts'
export type { InsideUnitOptions } from './database/unit/insideUnit.ts'
export type { RetryOptions } from './database/unit/retry.ts'
export type { TransactionOptions } from './database/unit/transactionOptions.ts'
export type { UnitOfWork, UnitOfWorkOptions } from './database/unit/unitOfWork.ts'
export {
  AcquireTimeoutError,
  type BatchInput,
  CancelledError,
  type CancelledStatement,
  CheckViolationError,
  CommitAbortedError,
  CommitUnknownError,
  ConnectionError,
  DatabaseClosedError,
  DatabaseInsideUnitError,
  DecodeError,
  ForeignKeyViolationError,
  type Holder,
  HookError,
  type LostStatement,
  NoRowsError,
  NotCommittedError,
  NotNullViolationError,
  ParameterError,
  PlainsqlError,
  PoolOverloadedError,
  QueryError,
  type QueryIdentity,
  SavepointOpenError,
  type ServerFields,
  StatementSkippedError,
  TimeoutError,
  TooManyRowsError,
  UniqueViolationError,
  UnitOfWorkClosedError,
} from './errors.ts'
export {
  type DatabaseIdentity,
  type HookEvent,
  hookChannel,
  type Moment,
  type PoolEvent,
  poolChannel,
  type QueryEvent,
  queryChannel,
  type Traced,
  type TransactionEvent,
  transactionChannel,
} from './events.ts'
export { type BatchingOptions, batching } from './query/batching.ts'
export type { Codec } from './query/codecs.ts'
export * as codec from './query/codecs.ts'
export type { BatchSource, Executor, Kind, Query, QuerySource } from './query/executor.ts'
export { type Included, include, type Relation, type Relations, relation } from './query/include.ts'
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
