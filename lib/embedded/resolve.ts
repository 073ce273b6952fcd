// Which server to use: the one the user names, or an embedded one.

import type { EmbeddedOptions } from './server.ts'

export interface ResolveOptions extends EmbeddedOptions {
  /** A server's URL; wins over `DATABASE_URL`. */
  readonly url?: string | undefined
}

export interface ResolvedServer {
  readonly url: string
  /** True if it was started for this call, so that its databases are ours alone. */
  readonly embedded: boolean
  /** The URL of another database on the same server. */
  databaseUrl(name: string): string
  /** Stops the embedded server; does nothing to a server of the user's. */
  stop(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/**
 * `options.url`, else the environment's `DATABASE_URL`, else a new embedded server. A URL is not tried out here.
 * Throws what `startEmbedded` throws.
 */
export async function resolveServer(options: ResolveOptions = {}): Promise<ResolvedServer> {
  const url = options.url || process.env.DATABASE_URL
  if (!url) {
    // Not loaded where a URL is given: that is most of what this module would load.
    const { startEmbedded } = await import('./server.ts')
    const server = await startEmbedded(options)
    return {
      url: server.url,
      embedded: true,
      databaseUrl: server.databaseUrl,
      stop: server.stop,
      [Symbol.asyncDispose]: server.stop,
    }
  }
  const nothing = async () => {}
  return {
    url,
    embedded: false,
    databaseUrl: (name) => withDatabase(url, name),
    stop: nothing,
    [Symbol.asyncDispose]: nothing,
  }
}

/** The same URL for another database: only the path changes. */
export function withDatabase(url: string, name: string): string {
  const [, before, after] = /^(postgres(?:ql)?:\/\/[^/?#]*)(?:\/[^?#]*)?(.*)$/s.exec(url) ?? []
  // The URL is not repeated: it may hold a password.
  if (before === undefined) throw new TypeError('The database URL does not start with postgres:// or postgresql://.')
  return `${before}/${encodeURIComponent(name)}${after}`
}
