// Where to connect: the hosts of a connection string, in which order, and how TLS is spoken to each.
// Source: libpq's "Connection Strings" (several hosts, sslmode, target_session_attrs); what pg understands itself (user,
// password, database, options) is left to it.

import { readFileSync } from 'node:fs'
import type { ClientConfig } from 'pg'
import type { Certificates } from './options.ts'

/** A way to a server. */
export interface Target {
  readonly host: string
  readonly port: number
  readonly ssl: NonNullable<ClientConfig['ssl']>
  readonly wanted: SessionAttrs
}

/** What a server must be to be connected to, as libpq calls it. */
export type SessionAttrs = 'any' | 'read-write' | 'read-only' | 'primary' | 'standby'

export interface Targets {
  /** Everything but host, port and ssl, as pg takes it. */
  readonly config: ClientConfig
  /** In the order in which they are tried. */
  readonly list: readonly Target[]
  /** Of a target, the way to the same server that is tried first: a connection in the clear does not keep others from TLS. */
  preferred(index: number): number
}

const attrs: readonly string[] = ['any', 'read-write', 'read-only', 'primary', 'standby', 'prefer-standby']
const bindings: readonly string[] = ['disable', 'prefer', 'require']
const sslModes: readonly string[] = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full']

/** What a connection string may say beside those that are read here: what pg takes, and what libpq does without harm. */
const passedOn: readonly string[] = ['user', 'password', 'application_name', 'options', 'client_encoding']
const ignored: readonly string[] = [
  ...[
    'connect_timeout',
    'keepalives',
    'keepalives_idle',
    'keepalives_interval',
    'keepalives_count',
    'tcp_user_timeout',
  ],
  ...['fallback_application_name', 'sslcompression', 'sslnegotiation', 'sslsni'],
  // pg's own: "read sslmode as libpq does", which is done here anyway.
  'uselibpqcompat',
]
/** What others than libpq take, and what it is here. */
const elsewhere: Readonly<Record<string, string>> = {
  schema: 'pool.settings.search_path',
  search_path: 'pool.settings.search_path',
  statement_timeout: 'pool.statementTimeoutMs',
  idle_in_transaction_session_timeout: 'pool.idleInTransactionTimeoutMs',
  lock_timeout: 'pool.settings.lock_timeout',
  query_timeout: 'pool.answerTimeoutMs',
  connection_limit: 'pool.max',
  pool_timeout: 'pool.acquireTimeoutMs',
  pgbouncer: 'pool.pgBouncer',
}

/**
 * Reads a connection string; what it does not say comes from PGHOST, PGPORT, PGSSLMODE and PGTARGETSESSIONATTRS. Without
 * an sslmode a server on this machine is spoken to in the clear, and any other by verified TLS (`verify-full`).
 *
 * @param given wins over the certificates of the connection string, and without an sslmode asks for `verify-full` everywhere
 * @throws TypeError for what libpq would not understand either, and for what may be the rest of a password
 */
export function readTargets(
  url: string | undefined,
  env: NodeJS.ProcessEnv = process.env,
  given: Certificates = {},
): Targets {
  const { authority, rest } = split(url ?? 'postgresql://')
  // See `checkStartup`.
  if (/%00|\0/.test(url ?? '')) throw new TypeError('the connection string holds the character U+0000')
  const { pathname, hash, search, searchParams: params } = new URL(`postgresql://x${rest}`)
  // A "/", "?" or "#" in the password ends what is taken for the host: the rest of it is neither to be shown nor connected to.
  const isCut = pathname.includes('@') || hash !== '' || [...params.keys()].some((name) => name.includes('@'))
  if (isCut) throw unreadable()
  const take = (name: string, variable: string): string | undefined => {
    const value = params.get(name) ?? env[variable]
    params.delete(name)
    return value || undefined
  }
  const inUrl = authority.hosts.filter(({ host }) => host !== '')
  const hosts =
    params.get('host')?.split(',') ?? (inUrl.length > 0 ? inUrl.map(({ host }) => host) : env.PGHOST?.split(','))
  const ports = params.get('port')?.split(',') ?? authority.hosts.map(({ port }) => port || (env.PGPORT ?? '5432'))
  params.delete('host')
  params.delete('port')
  const own = Object.entries(given).filter(([, text]) => text !== undefined)
  if (typeof given !== 'object' || own.some(([name]) => !['ca', 'cert', 'key'].includes(name))) {
    throw new TypeError('ssl takes ca, cert and key as texts; whether to verify stands in the URL, as ?sslmode=require')
  }
  const files = {
    ca: take('sslrootcert', 'PGSSLROOTCERT'),
    cert: take('sslcert', 'PGSSLCERT'),
    key: take('sslkey', 'PGSSLKEY'),
  }
  const verified = own.length > 0 || files.ca === 'system'
  const mode = take('sslmode', 'PGSSLMODE') ?? (verified ? 'verify-full' : undefined)
  if (mode !== undefined && !sslModes.includes(mode)) throw unknown('sslmode', mode, sslModes)
  // As in libpq: anybody gets a certificate for some host from an authority that all the world trusts.
  if (files.ca === 'system' && mode !== 'verify-full') {
    throw new TypeError(`the connection string's sslrootcert=system needs sslmode=verify-full, not ${mode}`)
  }
  const binding = take('channel_binding', 'PGCHANNELBINDING') ?? 'prefer'
  if (!bindings.includes(binding)) throw unknown('channel_binding', binding, bindings)
  if (take('gssencmode', 'PGGSSENCMODE') === 'require') {
    throw new TypeError(
      "the connection string's gssencmode=require asks for encryption by GSSAPI, which there is not here",
    )
  }
  const sessionAttrs = take('target_session_attrs', 'PGTARGETSESSIONATTRS') ?? 'any'
  if (!attrs.includes(sessionAttrs)) throw unknown('target_session_attrs', sessionAttrs, attrs)
  const certificates = (): Record<string, string> => ({ ...readAll(files), ...Object.fromEntries(own) })

  const waysTo = (wanted: SessionAttrs): Target[] =>
    (hosts ?? ['localhost']).flatMap((host, index) => {
      const port = Number(ports[ports.length === 1 ? 0 : index] ?? 5432)
      if (!(port > 0 && port < 65536)) throw new TypeError(`the connection string's port ${ports[index]} is not a port`)
      return tls(host, mode, certificates).map((ssl): Target => ({ host, port, ssl, wanted }))
    })
  // All hosts are looked at for a standby before any of them is taken for what it is.
  const passes = sessionAttrs === 'prefer-standby' ? ['standby', 'any'] : [sessionAttrs]
  const list = passes.flatMap((wanted) => waysTo(wanted as SessionAttrs))
  const database = params.get('dbname') ?? decoded(pathname.slice(1))
  params.delete('dbname')
  const [, user = '', password] = /^([^:]*)(?::(.*))?$/s.exec(authority.user) ?? []
  const config = {
    // What is empty comes from PGUSER, PGPASSWORD (or ~/.pgpass) and PGDATABASE, by pg itself.
    ...(user !== '' && { user: decoded(user) }),
    ...(password !== undefined && { password: decoded(password) }),
    ...(database !== '' && { database }),
    // Not for "prefer", which keeps nobody out. See `guardLogin`.
    ...(binding === 'require' && { enableChannelBinding: true }),
    ...Object.fromEntries([...params].filter(([name]) => passedOn.includes(name))),
  }
  const strange = [...params.keys()].find((name) => !passedOn.includes(name) && !ignored.includes(name))
  if (strange !== undefined) {
    // A password that holds "?" and "=" too.
    if (search.includes('@') && !Object.hasOwn(elsewhere, strange)) {
      throw unreadable()
    }
    const here = Object.hasOwn(elsewhere, strange) ? `: set ${elsewhere[strange]} instead` : ''
    throw new TypeError(`the connection string's ${strange} is not supported here${here}`)
  }
  return { config, list, preferred: (index) => list.findIndex((target) => isSameServer(target, list[index])) }
}

function isSameServer(one: Target, other: Target | undefined): boolean {
  return one.host === other?.host && one.port === other.port && one.wanted === other.wanted
}

/** The part that URL cannot read: `user:password@host1:1,host2:2`. */
function split(url: string): { authority: { user: string; hosts: { host: string; port: string }[] }; rest: string } {
  const [, authority, rest] = /^postgres(?:ql)?:\/\/([^/?#]*)(.*)$/s.exec(url) ?? []
  if (authority === undefined || rest === undefined) {
    throw new TypeError('the connection string must look like postgres://user:password@host:5432/database')
  }
  const at = authority.lastIndexOf('@')
  const hosts = authority
    .slice(at + 1)
    .split(',')
    .map((place) => {
      const parts = /^(\[[^\]]*\]|[^:]*)(?::(\d*))?$/.exec(place)
      // Not shown: with a "#" or "/" in the password, this is a part of it.
      if (parts === null) throw new TypeError(`the connection string's host and port cannot be read; ${escaping}`)
      const [, host = '', port = ''] = parts
      return { host: decoded(host.replace(/^\[|\]$/g, '')), port }
    })
  return { authority: { user: authority.slice(0, Math.max(at, 0)), hosts }, rest }
}

/** How to speak to a host, in the order of preference. */
function tls(host: string, mode: string | undefined, certificates: () => Record<string, string>): Target['ssl'][] {
  const local = host === '' || host.startsWith('/') || host === 'localhost' || host === '::1' || host.startsWith('127.')
  // libpq has no TLS on unix sockets either.
  if (mode === 'disable' || host.startsWith('/') || (mode === undefined && local)) return [false]
  const own = certificates()
  const encrypted = { ...own, rejectUnauthorized: false }
  switch (mode) {
    case 'allow':
      return [false, encrypted]
    case 'prefer':
      return [encrypted, false]
    case 'require':
      // With a root certificate it means verify-ca, says libpq's documentation, for old times' sake.
      return [own.ca === undefined ? encrypted : { ...own, checkServerIdentity: () => undefined }]
    case 'verify-ca':
      return [{ ...own, checkServerIdentity: () => undefined }]
    default:
      return [Object.keys(own).length === 0 ? true : own]
  }
}

function readAll(files: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const read = Object.entries(files).flatMap(([name, file]) =>
    file && file !== 'system' ? [[name, readFileSync(file, 'utf8')]] : [],
  )
  return Object.fromEntries(read)
}

function unknown(name: string, value: string, known: readonly string[]): TypeError {
  // pg's and Heroku's word for it.
  const here = value === 'no-verify' ? ': "require" is what does not verify' : ''
  return new TypeError(`the connection string's ${name}=${value} is none of ${known.join(', ')}${here}`)
}

function unreadable(): TypeError {
  return new TypeError(`the connection string cannot be read; ${escaping}`)
}

const escaping = 'in a user, password or database, write % as %25, / as %2F, # as %23, ? as %3F and @ as %40'

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw new TypeError(`the connection string has a % that starts no escape; ${escaping}`)
  }
}
