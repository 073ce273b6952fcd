// A real PostgreSQL from npm packages, started and stopped like a library; `DATABASE_URL` always wins over it.

export { EmbeddedServerError, NoServerError } from './errors.ts'
export { makeDatabase } from './makeDatabase.ts'
export { type ResolvedServer, type ResolveOptions, resolveServer, withDatabase } from './resolve.ts'
export { type EmbeddedOptions, type EmbeddedServer, startEmbedded } from './server.ts'
