// A client of the pool with what is known of it beside: whether it is alive, young enough, and what it was used for last.
// In: a client that pg-pool has made. Out: its connection, and whether that can be handed out.

import type { Client, PoolClient } from 'pg'
import { settlesWithin } from '../cancellation.ts'
import type { Connection } from '../connection.ts'
import { plainConnection } from '../plainConnection.ts'
import { type Wire, wireOver } from '../wire/wire.ts'
import type { PoolSettings } from './options.ts'

export class Seat {
  readonly connection: Connection
  idleSince: number
  readonly #client: PoolClient
  readonly #wire: Wire | null
  readonly #expiresAt: number
  /** Whether its client has said that it leads nowhere any more. */
  #ended = false

  constructor(client: PoolClient, { maxLifetimeMs, preparedStatements }: PoolSettings) {
    this.#client = client
    this.#wire = wireOver(client as unknown as Client, preparedStatements)
    this.connection = this.#wire ?? plainConnection(client, preparedStatements > 0)
    this.idleSince = performance.now()
    const lifetimeMs = maxLifetimeMs === 0 ? Number.POSITIVE_INFINITY : maxLifetimeMs * (1 - Math.random() / 5)
    this.#expiresAt = this.idleSince + lifetimeMs
    const end = () => {
      this.#ended = true
    }
    client.on('error', end).on('end', end)
  }

  /** Its wire knows first. */
  get lost(): boolean {
    return this.#ended || Boolean(this.#wire?.lost)
  }

  get expired(): boolean {
    return performance.now() > this.#expiresAt
  }

  /** Whether it is there, asked by a round trip. */
  async answers(timeoutMs: number): Promise<boolean> {
    const answer = this.#wire === null ? this.connection.control('') : this.#wire.ping(timeoutMs)
    const answered = answer.then(
      () => true,
      () => false,
    )
    // The server's last words may have come with the answer.
    return (await settlesWithin(answered, timeoutMs)) && (await answered) && !this.lost
  }

  /** The query that it is running, if that is known. */
  get running(): Wire['running'] {
    return this.#wire?.running ?? null
  }

  /** What is in flight fails at once. */
  giveUp(why: string): void {
    this.connection.destroy?.(new Error(why))
  }

  /** Gives it to pg-pool, for whoever comes next. @param close whether to be closed instead, by a farewell */
  putAway(close: boolean = this.lost): void {
    this.#client.release(close)
  }

  /** At once, and not by a farewell that nobody may answer: what is in flight fails, and who waits gets another one. */
  destroy(): void {
    this.giveUp('the connection was given up: its state is not known')
    this.#client.release(true)
  }
}
