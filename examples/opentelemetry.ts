// Spans and durations of queries, and spans of units of work, for OpenTelemetry, by its semantic conventions for
// databases, over the channels that plainsql publishes on. Copy `instrument` into your service and give it the API:
//
//   import * as api from '@opentelemetry/api'
//   instrument(api)
//
// This file runs as well: `npx tsx examples/opentelemetry.ts` prints the spans of a few queries.

import { pathToFileURL } from 'node:url'
import type { DatabaseIdentity, PoolEvent, QueryEvent, TransactionEvent } from 'plainsql'
import { createDatabase, poolChannel, QueryError, queryChannel, transactionChannel } from 'plainsql'
import { applyMigrations } from '../lib/migrate/apply.ts'
import { createUser, getUserByEmail } from '../sql/users.sql.ts'
import { openPlayground } from './support/playground.ts'
import { printingApi } from './support/spans.ts'

export type Attributes = Record<string, string | number | undefined>

/** The part of @opentelemetry/api's Span that is needed. */
export interface Span {
  setAttributes(attributes: Attributes): unknown
  setStatus(status: { code: number; message?: string }): unknown
  addEvent(name: string, attributes?: Attributes): unknown
  end(): void
}

export interface HistogramOptions {
  readonly unit: string
  readonly description: string
  readonly advice: { explicitBucketBoundaries: number[] }
}

/** The part of @opentelemetry/api that is needed: the module itself fits, from 1.7 on. */
export interface OpenTelemetry<Context = unknown, Api extends Span = Span> {
  readonly trace: {
    getTracer(name: string): {
      startSpan(name: string, options: { kind: number; attributes: Attributes }, context: Context): Api
    }
    setSpan(context: Context, span: Api): Context
    getActiveSpan(): Api | undefined
  }
  readonly metrics: {
    getMeter(name: string): {
      createHistogram(name: string, options: HistogramOptions): { record(value: number, attributes: Attributes): void }
    }
  }
  readonly context: { active(): Context }
  readonly SpanKind: { readonly INTERNAL: number; readonly CLIENT: number }
  readonly SpanStatusCode: { readonly ERROR: number }
}

/**
 * Makes a CLIENT span of every query, under an INTERNAL span of its unit of work if it has one, and an event in the
 * active span when the pool lets a caller down. Records how long each query took in the histogram
 * `db.client.operation.duration`, for all of them, sampled or not. Answers what ends it.
 */
export function instrument<Context, Api extends Span>(api: OpenTelemetry<Context, Api>): () => void {
  const { trace, metrics, context, SpanKind, SpanStatusCode } = api
  const tracer = trace.getTracer('plainsql')
  const durations = metrics.getMeter('plainsql').createHistogram('db.client.operation.duration', durationOptions)
  // Only while they run, and never in the way of the garbage collector.
  const spans = new WeakMap<object, Api>()

  const queries = {
    start(event: QueryEvent): void {
      // Published in the context of the caller, so that the active span is the caller's.
      const unit = event.transaction && spans.get(event.transaction)
      const parent = unit ? trace.setSpan(context.active(), unit) : context.active()
      const options = { kind: SpanKind.CLIENT, attributes: queryAttributes(event) }
      spans.set(event, tracer.startSpan(summaryOf(event), options, parent))
    },
    asyncEnd(event: QueryEvent): void {
      spans.get(event)?.setAttributes({
        // Of an `:exec` function they are those that were affected.
        'db.response.returned_rows': event.kind === 'exec' ? undefined : (event.rows ?? undefined),
        'plainsql.wait_ms': event.waitMs,
        'plainsql.round_trips': event.roundTrips,
      })
      end(event)
      durations.record(event.durationMs / 1000, durationAttributes(event))
    },
  }

  const transactions = {
    start(event: TransactionEvent): void {
      const attributes = { ...databaseAttributes(event.database), 'plainsql.attempt': event.attempt }
      spans.set(event, tracer.startSpan('unit of work', { kind: SpanKind.INTERNAL, attributes }, context.active()))
    },
    asyncEnd(event: TransactionEvent): void {
      const { outcome, statements } = event
      spans.get(event)?.setAttributes({ 'plainsql.outcome': outcome ?? undefined, 'plainsql.statements': statements })
      end(event)
    },
  }

  function end(event: QueryEvent | TransactionEvent): void {
    const span = spans.get(event)
    if ('error' in event) {
      span?.setAttributes(errorAttributes(event.error))
      // The messages of plainsql's errors hold no values.
      span?.setStatus({ code: SpanStatusCode.ERROR, message: String(event.error) })
    }
    span?.end()
  }

  function pool(event: PoolEvent): void {
    if (event.type === 'acquireTimeout' || event.type === 'circuitOpen') {
      trace.getActiveSpan()?.addEvent(`plainsql.${event.type}`, errorAttributes(event.error))
    }
  }

  queryChannel.start.subscribe(queries.start)
  queryChannel.asyncEnd.subscribe(queries.asyncEnd)
  transactionChannel.start.subscribe(transactions.start)
  transactionChannel.asyncEnd.subscribe(transactions.asyncEnd)
  poolChannel.subscribe(pool)
  return () => {
    queryChannel.start.unsubscribe(queries.start)
    queryChannel.asyncEnd.unsubscribe(queries.asyncEnd)
    transactionChannel.start.unsubscribe(transactions.start)
    transactionChannel.asyncEnd.unsubscribe(transactions.asyncEnd)
    poolChannel.unsubscribe(pool)
  }
}

/** The function's name: of low cardinality, and what people look for. */
function summaryOf({ query, inputs }: QueryEvent): string {
  return inputs === null || inputs < 2 ? query : `BATCH ${query}`
}

/**
 * https://opentelemetry.io/docs/specs/semconv/db/postgresql/. Not set: `db.operation.name` and `db.collection.name`,
 * which should not be read out of the SQL, says the convention, where a statement can have several of them.
 */
function queryAttributes(event: QueryEvent): Attributes {
  const [file, line] = event.source.split(':')
  return {
    ...databaseAttributes(event.database),
    'db.query.summary': summaryOf(event),
    // With $1, $2, … and never with values: by the convention it needs no further cleaning.
    'db.query.text': event.sql.trim(),
    'db.operation.batch.size': event.inputs !== null && event.inputs >= 2 ? event.inputs : undefined,
    'code.file.path': file,
    'code.line.number': Number(line),
  }
}

/** https://opentelemetry.io/docs/specs/semconv/db/database-metrics/, with the boundaries that it advises. */
const durationOptions: HistogramOptions = {
  unit: 's',
  description: 'Duration of database client operations.',
  advice: { explicitBucketBoundaries: [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10] },
}

/** Few values each, because every combination is a time series of its own. */
function durationAttributes(event: QueryEvent): Attributes {
  return {
    ...databaseAttributes(event.database),
    'db.query.summary': summaryOf(event),
    ...('error' in event ? errorAttributes(event.error) : {}),
  }
}

function databaseAttributes({ name, host, port }: DatabaseIdentity): Attributes {
  return {
    'db.system.name': 'postgresql',
    'db.namespace': name ?? undefined,
    'server.address': host ?? undefined,
    'server.port': port ?? undefined,
  }
}

function errorAttributes(error: unknown): Attributes {
  const sqlState = error instanceof QueryError ? error.sqlState : undefined
  // Of a lost connection: a SQLSTATE, or what node calls it (`ECONNREFUSED`).
  const code = error instanceof Error && 'code' in error && error.code !== null ? String(error.code) : undefined
  return {
    'db.response.status_code': sqlState,
    'error.type': sqlState ?? code ?? (error instanceof Error ? error.name : typeof error),
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  await using playground = await openPlayground('opentelemetry')
  await applyMigrations({ url: playground.url, folder: 'migrations' })
  instrument(printingApi((line) => console.log(line)))

  await using db = createDatabase({ url: playground.url })
  const ada = { email: 'ada@example.com', hashedPassword: '…', fullName: 'Ada Lovelace' }
  await db.unitOfWork((uow) => createUser(uow, ada))
  await getUserByEmail(db, { email: ada.email })
  await createUser(db, ada).catch(() => {})
}
