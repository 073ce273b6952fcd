// What tests import: databases that are made for one test file, and a witness of what is run on them.

export { ConfigError } from '../compile/config.ts'
export {
  type EmbeddedOptions,
  type EmbeddedServer,
  EmbeddedServerError,
  NoServerError,
  startEmbedded,
} from '../embedded/index.ts'
export { MigrationFilesError } from '../migrate/errors.ts'
export {
  type MemoryDatabase,
  type MemoryDatabaseOptions,
  memoryDatabase,
  type Snapshot,
} from './memoryDatabase.ts'
export { type Recorded, type RecordedStatement, type Recording, recording } from './recording.ts'
export { type TestDatabase, type TestDatabaseOptions, testDatabase } from './testDatabase.ts'
export { UnsupportedInMemoryError } from './unsupported.ts'
