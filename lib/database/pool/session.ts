// How a session begins: the host, TLS, and the settings that travel in the startup message instead of a round trip.

import type { Duplex } from 'node:stream'
import { Client, type ClientConfig } from 'pg'
import { serverSocket } from '../wire/socket.ts'
import { guardLogin } from './login.ts'
import type { PoolSettings } from './options.ts'
import { checkServer, explained } from './refusals.ts'
import type { Target } from './targets.ts'

type Done = (error: Error | null) => void

/** What pg does not promise in its types. */
interface ClientInternals {
  getStartupConf(): Record<string, string>
  connect(callback: Done): void
}

const inherited = Client.prototype as unknown as ClientInternals

/**
 * The class of a pool's clients.
 * @param target where the next one has to go
 * @param connecting holds what gives up the attempts to connect that are under way
 */
export function clientClass(
  settings: PoolSettings,
  target: () => Target | undefined,
  connecting: Set<() => void>,
): typeof Client {
  return class TunedClient extends Client {
    readonly #target: Target | undefined
    readonly createdAt: number = performance.now()

    constructor(config: ClientConfig) {
      const next = target()
      // pg-pool hides the password from what lists or copies the properties.
      const { password } = config
      const stream = next?.ssl === false && { stream: serverSocket }
      super({
        ...config,
        password,
        ...next,
        ...stream,
        connectionTimeoutMillis: settings.connectTimeoutMs,
      } as ClientConfig)
      this.#target = next
      // What breaks fails whoever uses it, or is found out by the next one. Without a listener the process would end; pg-pool
      // has one only from the end of `connect` on.
      this.on('error', () => {})
    }

    /** pg calls it for the startup message: any setting of a session may stand in it. */
    getStartupConf(): Record<string, string> {
      return { ...inherited.getStartupConf.call(this), ...startupSettings(settings) }
    }

    /** pg-pool calls it with a callback. */
    override connect(callback?: unknown): Promise<Client> & undefined {
      guardLogin(this)
      const { stream } = (this as unknown as { connection: { stream: Duplex } }).connection
      const giveUp = (): void => void stream.destroy()
      connecting.add(giveUp)
      const done: Done = (error) => {
        connecting.delete(giveUp)
        ;(callback as Done)(error)
      }
      const fail = (error: Error): void => done(sessionError(error, this.#target, settings))
      inherited.connect.call(this, (error) => {
        if (error !== null && error !== undefined) fail(error)
        else if (this.#target === undefined || this.#target.wanted === 'any') done(null)
        else {
          checkServer(this, this.#target, settings.connectTimeoutMs).then(
            () => done(null),
            (refusal: Error) => {
              void this.end()
              fail(refusal)
            },
          )
        }
      })
      return undefined as never
    }
  } as typeof Client
}

/** For how long a client of such a class has been there. */
export function ageMs(client: Client): number {
  return performance.now() - (client as Client & { readonly createdAt: number }).createdAt
}

/** Values must come as our decoders read them, whatever the server, the database or the role say. */
function startupSettings(settings: PoolSettings): Record<string, string> {
  // PgBouncer knows DateStyle, and refuses to connect for most others.
  if (settings.pgBouncer) return { ...settings.settings, DateStyle: 'ISO' }
  return {
    statement_timeout: String(settings.statementTimeoutMs),
    idle_in_transaction_session_timeout: String(settings.idleInTransactionTimeoutMs),
    ...settings.settings,
    DateStyle: 'ISO',
    bytea_output: 'hex',
    // Below 1 the texts of floats are rounded, which arrays, documents and float4 are read from.
    extra_float_digits: '1',
  }
}

function sessionError(error: Error, target: Target | undefined, settings: PoolSettings): Error {
  const { pgBouncer, connectTimeoutMs } = settings
  if (error.message.startsWith('unsupported startup parameter')) {
    error.message += pgBouncer
      ? ': PgBouncer takes no such setting of a session. Set it on the role or the database, instead of in pool.settings'
      : ': this is a PgBouncer, which needs the option pool.pgBouncer'
  }
  // pg's words for no answer to the only query that is asked here.
  if (error.message === 'Query read timeout') {
    error.message = `no answer within ${connectTimeoutMs} ms (target_session_attrs) from ${target?.host}`
  }
  return explained(error, target?.host)
}
