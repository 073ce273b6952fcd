// The OpenTelemetry example: run as its reader would, and its spans, attribute by attribute, over an API of our own.

import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { type Attributes, instrument, type Span } from '../../examples/opentelemetry.ts'
import { createDatabase } from '../../lib/index.ts'
import { applyMigrations } from '../../lib/migrate/apply.ts'
import { createUser, deleteUser, getUser, getUserByEmail } from '../../sql/users.sql.ts'
import { failure } from '../database/support.ts'
import { runExample } from '../support/runExample.ts'
import { freshDatabase, testServer } from '../support/server.ts'

test('it runs, and prints spans', async () => {
  const { url } = await testServer()
  const { output, code } = await runExample('examples/opentelemetry.ts', { DATABASE_URL: url })
  assert.is(code, 0, output)
  assert.equal(
    output.split('\n').filter((line) => /^\w/.test(line) || /error/.test(line)),
    ['unit of work > createUser', 'unit of work', 'getUserByEmail', 'createUser', '    error.type: 23505'],
  )
})

interface Recorded extends Span {
  readonly name: string
  readonly kind: number
  readonly parent: string
  readonly attributes: Attributes
  readonly status: { code: number; message?: string }[]
}

/** Records spans when they end, and measurements. A context is the name of its span. */
function recordingApi() {
  const ended: Recorded[] = []
  const measured: [name: string, unit: string, value: number, Attributes][] = []
  const events: [string, Attributes | undefined][] = []
  const active = {
    name: '',
    kind: 0,
    parent: '',
    attributes: {},
    status: [],
    setAttributes: () => {},
    setStatus: () => {},
    addEvent: (name: string, attributes?: Attributes) => events.push([name, attributes]),
    end: () => {},
  }
  const api = {
    trace: {
      getTracer: () => ({
        startSpan(name: string, options: { kind: number; attributes: Attributes }, parent: string): Recorded {
          const span: Recorded = {
            ...active,
            ...options,
            name,
            parent,
            status: [],
            setAttributes: (more) => Object.assign(span.attributes, more),
            setStatus: (status) => span.status.push(status),
            end: () => ended.push(span),
          }
          return span
        },
      }),
      setSpan: (_: string, span: Recorded) => span.name,
      getActiveSpan: (): Recorded => active,
    },
    metrics: {
      getMeter: () => ({
        createHistogram: (name: string, { unit }: { unit: string }) => ({
          record: (value: number, attributes: Attributes) => void measured.push([name, unit, value, attributes]),
        }),
      }),
    },
    context: { active: () => 'request' },
    SpanKind: { INTERNAL: 0, CLIENT: 2 },
    SpanStatusCode: { ERROR: 2 },
  }
  return { api, ended, events, measured }
}

test('spans have the attributes of the conventions, no values, and their unit of work above them', async () => {
  const { url, drop } = await freshDatabase()
  await applyMigrations({ url, folder: 'migrations' })
  const { api, ended, measured } = recordingApi()
  const stop = instrument(api)
  const ada = { email: 'geheim@example.com', hashedPassword: 'geheim', fullName: null }
  try {
    await using db = createDatabase({ url })
    const { id } = await db.unitOfWork((uow) => createUser(uow, ada))
    await getUser.batch(db, [{ id }, { id: 0 }])
    await failure(createUser(db, ada))
    await deleteUser(db, { id })
    stop()
    await getUserByEmail(db, ada)
  } finally {
    stop()
    await drop()
  }
  assert.equal(
    ended.map(({ parent, name, kind }) => [parent, name, kind]),
    [
      ['unit of work', 'createUser', 2],
      ['request', 'unit of work', 0],
      ['request', 'BATCH getUser', 2],
      ['request', 'createUser', 2],
      ['request', 'deleteUser', 2],
    ],
  )
  const [insert, unit, batch, refused, removal] = ended.map(({ attributes }) => attributes)
  assert.is(insert?.['db.system.name'], 'postgresql')
  assert.is(insert?.['db.namespace'], new URL(url).pathname.slice(1))
  assert.is(insert?.['db.query.summary'], 'createUser')
  assert.match(String(insert?.['db.query.text']), /^insert into users .*values \(\$1, \$2, \$3\)/s)
  assert.is(`${insert?.['code.file.path']}:${insert?.['code.line.number']}`, createUser.query.source)
  assert.is(insert?.['db.response.returned_rows'], 1)
  assert.equal([unit?.['plainsql.outcome'], unit?.['plainsql.statements']], ['commit', 1])
  assert.equal([batch?.['db.operation.batch.size'], batch?.['db.response.returned_rows']], [2, 1])
  assert.equal([refused?.['error.type'], refused?.['db.response.status_code']], ['23505', '23505'])
  assert.is(ended[3]?.status[0]?.code, api.SpanStatusCode.ERROR)
  // One was affected, none was returned.
  assert.is(removal?.['db.response.returned_rows'], undefined)

  assert.equal(
    measured.map(([metric, unit, , attributes]) => [metric, unit, attributes['db.query.summary']]),
    ['createUser', 'BATCH getUser', 'createUser', 'deleteUser'].map((summary) => [
      'db.client.operation.duration',
      's',
      summary,
    ]),
  )
  for (const [, , seconds] of measured) assert.ok(seconds > 0 && seconds < 60, `${seconds} s`)
  const [first, , third] = measured.map(([, , , attributes]) => attributes)
  // No text, no place and no id: each value would be a time series.
  assert.equal(Object.keys(first ?? {}).sort(), [
    'db.namespace',
    'db.query.summary',
    'db.system.name',
    'server.address',
    'server.port',
  ])
  assert.equal([third?.['error.type'], third?.['db.response.status_code']], ['23505', '23505'])
  assert.not.match(JSON.stringify([ended, measured]), 'geheim')
})

test('a pool that lets a caller down is an event of the active span', async () => {
  const { api, ended, events } = recordingApi()
  const stop = instrument(api)
  try {
    await using db = createDatabase({ url: 'postgres://127.0.0.1:1/nowhere' })
    await failure(getUser(db, { id: 1 }))
  } finally {
    stop()
  }
  assert.equal(events, [
    ['plainsql.circuitOpen', { 'db.response.status_code': undefined, 'error.type': 'ECONNREFUSED' }],
  ])
  assert.is(ended[0]?.attributes['error.type'], 'ECONNREFUSED')
})

test.after(async () => (await testServer()).stop())

test.run()
