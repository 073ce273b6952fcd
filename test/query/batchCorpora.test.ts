// needs: ../shared/corpora
// batch(inputs)[i] equals the call on inputs[i]: SELECTs that other projects wrote, over random data.

import pg from 'pg'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { describeStatements } from '../../lib/compile/describe.ts'
import { lex } from '../../lib/compile/lexer.ts'
import { createDatabase } from '../../lib/database/database.ts'
import { QueryError } from '../../lib/errors.ts'
import { type CorpusQuery, loadCorpusSchema, readCorpora } from '../support/corpora.ts'
import { generated } from '../support/generated.ts'
import { fillTables, type RandomValue, randomValues, seeded } from '../support/randomRows.ts'
import { freshDatabase } from '../support/server.ts'

/** The schemas with the most SELECTs that have parameters. */
const schemas = [
  ['docs.rs', 'eade487ea7'],
  ['sqlc', 'a3a49c4752'],
  ['sqlc', '3913586de9'],
  ['sqlc', '38e805f492'],
  ['sqlc', 'e64789eca3'],
  ['sqlc', '212dbd344a'],
  ['sqlc', 'b31ab77cad'],
  ['sqlc', '3382f1963c'],
  ['squirrel', '56f33f4bb6'],
  ['pgtyped', '4e94476fad'],
] as const

const random = seeded(7)
let checked = 0
let met = 0
const forms = new Map<string, number>()

for (const [corpus, schema] of schemas) {
  test(`batch answers what the calls answer one by one: ${corpus} ${schema}`, async () => {
    const { schemas, queries } = readCorpora().find((candidate) => candidate.corpus === corpus)!
    const database = await freshDatabase()
    const client = new pg.Client({ connectionString: database.url, pipeline: true })
    await client.connect()
    const db = createDatabase({ url: database.url })
    try {
      await loadCorpusSchema(client, schemas[schema]!)
      const value = await randomValues(client, random)
      await fillTables(client, value, random, 12)
      const usable = await selects(
        client,
        queries.filter((query) => query.schema === schema),
        value,
      )
      const { functions, text } = await generated(
        database.url,
        usable.map(({ sql }, at) => `-- name: q${at} :many\n${sql}\n`).join('\n'),
      )
      for (const [at, { id, types }] of usable.entries()) {
        const call = functions[`q${at}`]!
        const names = call.query.params ?? []
        const inputs = Array.from({ length: 12 }, () =>
          Object.fromEntries(
            names.map((name, number) => [name, jsValue(value(types[number]!)!, text, `q${at}`, name)]),
          ),
        )
        // In one transaction, where now() stands still.
        const [one, many] = await settled(
          db.unitOfWork(async (uow) => [
            sorted(await Promise.all(inputs.map((input) => call(uow, input)))),
            sorted(await call.batch(uow, inputs)),
          ]),
        )
        assert.equal(many, one, `${corpus} ${id}\n${call.query.sql}\n${call.query.batch?.sql}`)
        checked++
        if (one.some((rows) => rows.length > 0)) met++
        const form = call.query.batch
        const name =
          form === undefined ? 'none' : form.key ? 'IN-list' : /lateral \(/.test(form.sql) ? 'lateral' : 'join'
        forms.set(name, (forms.get(name) ?? 0) + 1)
      }
    } finally {
      await db.close()
      await client.end()
      await database.drop()
    }
  })
}

test('at least 50 of them were checked, most of them with rows, in every form', () => {
  console.log(
    `${checked} SELECTs, ${met} of them with rows: ${[...forms].map(([form, count]) => `${count} ${form}`).join(', ')}`,
  )
  assert.ok(checked >= 50)
  assert.ok(met >= 50)
  assert.equal([...forms.keys()].filter((form) => form !== 'none').sort(), ['IN-list', 'join', 'lateral'])
})

/** The SELECTs with parameters of types that there are random values for, with names for their parameters. */
async function selects(
  client: pg.Client,
  queries: readonly CorpusQuery[],
  value: RandomValue,
): Promise<{ id: string; sql: string; types: readonly number[] }[]> {
  const answers = await describeStatements(
    client,
    queries.map((query) => query.sql_n),
  )
  return queries.flatMap(({ id, sql_n }, at) => {
    const answer = answers[at]!
    if ('error' in answer || answer.tree?.commandType !== '1') return []
    // Over random data a recursion may have no end.
    if (/recursive/i.test(sql_n) || answer.columns.length === 0 || answer.paramTypeOids.length === 0) return []
    if (answer.paramTypeOids.some((oid) => value(oid) === undefined)) return []
    const sql = lex(sql_n).map(({ kind, start, end }) => {
      const text = sql_n.slice(start, end)
      // Without the author's word on NULL, which does not hold for random data.
      return kind === 'positional' ? `:p${text.slice(1)}` : text.replace(/^"(\w+)[!?]/, '"$1')
    })
    // Parameters are numbered by first appearance in our files.
    const order = [...new Set(sql.filter((text) => /^:p\d+$/.test(text)))].map((text) => Number(text.slice(2)) - 1)
    return [{ id, sql: sql.join(''), types: order.map((number) => answer.paramTypeOids[number]!) }]
  })
}

/** The random text as the parameter's type in TypeScript. */
function jsValue(value: string, text: string, query: string, param: string): unknown {
  const type = new RegExp(`interface Q${query.slice(1)}Params \\{[^}]*\\b${param}: ([^\\n]+)`).exec(text)?.[1] ?? ''
  if (type.startsWith('readonly')) {
    const items: unknown[] = value === '{}' ? [] : JSON.parse(value.replace(/^\{/, '[').replace(/\}$/, ']'))
    return items.map((item) => scalar(String(item), type))
  }
  return scalar(value, type)
}

function scalar(value: string, type: string): unknown {
  if (/\bDate\b/.test(type)) return new Date(value)
  if (/\bnumber\b/.test(type) && !/\bstring\b/.test(type)) return Number(value)
  if (/\bboolean\b/.test(type)) return value === 't'
  if (/\bUint8Array\b/.test(type)) return Buffer.from(value.slice(2), 'hex')
  return /\bunknown\b/.test(type) ? JSON.parse(value) : value
}

/** Rows of each input in a fixed order: few of these queries promise one. */
function sorted(results: unknown): string[][] {
  return (results as unknown[][]).map((rows) => rows.map((row) => JSON.stringify(row)).sort())
}

/** A random division by zero is no answer to compare. */
async function settled(both: Promise<string[][][]>): Promise<[string[][], string[][]]> {
  try {
    return (await both) as [string[][], string[][]]
  } catch (error) {
    if (error instanceof QueryError && error.sqlState.startsWith('22')) return [[], []]
    throw error
  }
}

test.run()
