// The generator as a library (`plainsql/compile`): what the `plainsql` command calls.

export { EmbeddedServerError, NoServerError } from '../embedded/index.ts'
export { MigrationFilesError } from '../migrate/errors.ts'
export { hashInputs, readFresh, remember } from './cache.ts'
export { type Config, ConfigError, defaultConfig, loadConfig, parseConfig } from './config.ts'
export {
  type DiagnosticRecord,
  type DiagnosticsFormat,
  type FormatOptions,
  formatDiagnostics,
  type PlaceRecord,
} from './diagnostics.ts'
export { type Compilation, compile, type GeneratedFile } from './generate.ts'
export type { Diagnostic, Label, Span, SqlFile } from './model.ts'
export { type OutputPlan, planOutput, writeOutput } from './output.ts'
