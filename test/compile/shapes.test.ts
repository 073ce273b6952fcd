// JSON and rows that queries build, from a real server through the generated decoders of
// generate/json-that-queries-build: what came in as an SQL value comes out as the same value that a column would give.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { createDatabase } from '../../lib/index.ts'
import { freshDatabase } from '../support/server.ts'
import * as queries from './generate/json-that-queries-build/expected.ts'

const folder = join(import.meta.dirname, 'generate/json-that-queries-build')
const database = await freshDatabase(
  `${readFileSync(join(folder, 'schema.sql'), 'utf8')};
  insert into users values
    (1, 'ada@example.com', 'Ada', 'happy', ('Main "St"', null), '{"theme": [1.50, null]}', '2026-01-02 03:04:05.678+00'),
    (2, 'bob@example.com', null, 'sad', null, 'null', '0044-03-15 12:00:00+00 BC');
  insert into posts values
    (9007199254740991, 1, 'One', 1234567.80, '{a,NULL}', '\\x00ff', '[2026-01-01 00:00+00,)', '2026-01-02 03:04:05'),
    (2, 1, 'Two', null, '{}', null, null, null);
  insert into comments values (1, 2, 'Hm')`,
)
const db = createDatabase({ url: database.url })

const ada = {
  id: 1,
  email: 'ada@example.com',
  fullName: 'Ada',
  mood: 'happy',
  home: { street: 'Main "St"', zipCode: null },
  settings: { theme: [1.5, null] },
  createdAt: new Date('2026-01-02T03:04:05.678Z'),
}
const bob = {
  id: 2,
  email: 'bob@example.com',
  fullName: null,
  mood: 'sad',
  home: null,
  settings: null,
  createdAt: new Date('-000043-03-15T12:00:00Z'),
}
const one = {
  id: 9007199254740991,
  authorId: 1,
  title: 'One',
  price: '1234567.80',
  tags: ['a', null],
  cover: Buffer.from([0, 255]),
  during: { lower: new Date('2026-01-01T00:00:00Z'), upper: null, bounds: '[)' },
  publishedAt: new Date('2026-01-02T03:04:05Z'),
}
const two = {
  id: 2,
  authorId: 1,
  title: 'Two',
  price: null,
  tags: [],
  cover: null,
  during: null,
  publishedAt: null,
}

test('one to many in one round trip', async () => {
  assert.equal(byId(await queries.listUsersWithPosts(db)), [
    { id: 1, posts: [two, one].map(({ id, title, publishedAt }) => ({ id, title, publishedAt })) },
    { id: 2, posts: [] },
  ])
})

test('a whole row under a left join', async () => {
  assert.equal(byId(await queries.listPostsWithAuthor(db)), [
    { id: 2, author: ada },
    { id: one.id, author: ada },
  ])
})

test('documents in documents', async () => {
  const [first] = byId(await queries.listNested(db))
  assert.equal(byId(first!.posts), [
    { ...two, comments: [{ id: 1, body: 'Hm' }] },
    { ...one, comments: [] },
  ])
})

test('through WITH queries and views', async () => {
  assert.equal(await queries.listAuthors(db), [{ id: 1, posts: [two, one].map(({ id, title }) => ({ id, title })) }])
})

test('values, tuples, keys that are data', async () => {
  assert.equal(await queries.getDocument(db, { id: 1 }), ada)
  assert.equal(await queries.getDocument(db, { id: 2 }), bob)
  assert.equal(
    (await queries.listTitles(db)).map((titles) => [...titles].sort()),
    [['One', 'Two']],
  )
  assert.equal(await queries.countsByTitle(db), { One: one.id, Two: 2 })
  const [number, word, nothing, now, digits] = await queries.getTuple(db)
  assert.equal([number, word, nothing, digits], [1, 'two', null, '3.5'])
  assert.instance(now, Date)
})

test('the constructors of the SQL standard', async () => {
  const [first] = (await queries.standardConstructors(db)).filter((row) => row.object.id === 2)
  assert.equal(first, {
    object: { id: 2, price: null },
    withoutNull: { id: 2 },
    unknown: {},
    pair: [2, 'Two'],
    bodies: ['Hm'],
    asText: '{"id" : 2}',
  })
})

test('rows as PostgreSQL sends them', async () => {
  const [first, second] = (await queries.rows(db)).sort((a, b) => a.u.id - b.u.id)
  assert.equal(first, { u: ada, pair: { f1: 1, f2: 'Ada' }, posts: [one, two] })
  assert.equal(second, { u: bob, pair: { f1: 2, f2: null }, posts: [] })
})

test('documents that are one value, and arrays of documents', async () => {
  const [first, second] = byId(await queries.singleValues(db))
  assert.equal(first, {
    at: ada.createdAt,
    id: 1,
    mood: 'happy',
    home: ada.home,
    names: ['Ada'],
    documents: [ada],
  })
  assert.equal(second, { at: bob.createdAt, id: 2, mood: 'sad', home: null, names: [null], documents: [bob] })
})

test('arms, branches, and what is not followed', async () => {
  assert.equal((await queries.casesOfNull(db)).map((row) => row.post?.id ?? null).sort(), [2, one.id, null])
  assert.is((await queries.notFollowed(db)).length, 2)
})

test('columns of one name: of a document the last, of a row all', async () => {
  const last = { a: 'two', aB: 3, aB2: 4 }
  const all = { a: 1, a2: 'two', aB: 3, aB2: 4 }
  assert.equal(await queries.sameNames(db), { toJsonb: last, toJson: last, row: all, either: all })
})

test.after(async () => {
  await db.close()
  await database.drop()
})

function byId<Row extends { id: number }>(rows: readonly Row[]): Row[] {
  return [...rows].sort((a, b) => a.id - b.id)
}

test.run()
