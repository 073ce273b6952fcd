// plainsql, with functions as `plainsql generate` writes them.

import { codec, createDatabase, exec, many, opt, value } from '../build/index.js'
import { attach, sql } from '../schema.ts'
import type { NewItem, System, UserRow } from '../works.ts'

const place = (name: string) => ({ name, source: `bench/queries.sql:1`, statement: `${name}_1` })
const float8Array = codec.array(codec.float8)
const int4Array = codec.array(codec.int4)
const nullableInt4Array = codec.array(codec.nullable(codec.int4))
const textArray = codec.array(codec.text)
const nullableTextArray = codec.array(codec.nullable(codec.text))

const getUser = opt<{ id: number }, UserRow>({
  ...place('getUser'),
  sql: sql.user,
  readOnly: true,
  params: ['id'],
  write: (w, p) => w.int4(p.id),
  read: (r) => ({
    id: r.int4(0),
    email: r.text(1),
    fullName: r.nullable.text(2),
    isActive: r.bool(3),
    createdAt: r.timestamptz(4),
  }),
})

const listRows = many<void, object>({
  ...place('listRows'),
  sql: sql.rows1000,
  readOnly: true,
  read: (r) => ({
    id: r.int4(0),
    authorId: r.int4(1),
    title: r.text(2),
    body: r.text(3),
    createdAt: r.timestamptz(4),
  }),
})

const listEvents = many<void, object>({
  ...place('listEvents'),
  sql: sql.rows100,
  readOnly: true,
  read: (r) => ({
    a: r.int2(0),
    b: r.int4(1),
    c: r.int8(2),
    d: r.float4(3),
    e: r.float8(4),
    f: r.text(5),
    g: r.bool(6),
    h: r.text(7),
    i: r.text(8),
    j: r.text(9),
    k: r.text(10),
    l: r.text(11),
    m: r.timestamp(12),
    n: r.timestamptz(13),
    o: r.json(14),
    p: r.bytea(15),
    q: r.value(16, nullableInt4Array),
    r: r.value(17, nullableTextArray),
    s: r.text(18),
    t: r.nullable.text(19),
  }),
})

const listUsers = many<void, { id: number; email: string; fullName: string | null }>({
  ...place('listUsers'),
  sql: sql.users100,
  readOnly: true,
  read: (r) => ({ id: r.int4(0), email: r.text(1), fullName: r.nullable.text(2) }),
})

const listPosts = many<
  { authorIds: readonly number[] },
  { id: number; authorId: number; title: string; createdAt: Date }
>({
  ...place('listPosts'),
  sql: sql.posts,
  readOnly: true,
  params: ['authorIds'],
  write: (w, p) => w.value(p.authorIds, int4Array),
  read: (r) => ({ id: r.int4(0), authorId: r.int4(1), title: r.text(2), createdAt: r.timestamptz(3) }),
})

const insertOrder = value<{ customer: string }, number>({
  ...place('insertOrder'),
  sql: sql.insertOrder,
  params: ['customer'],
  write: (w, p) => w.text(p.customer),
  read: (r) => r.int4(0),
})

const insertLine = exec<{ orderId: number; product: string; quantity: number }>({
  ...place('insertLine'),
  sql: sql.insertLine,
  params: ['orderId', 'product', 'quantity'],
  write: (w, p) => {
    w.int4(p.orderId)
    w.text(p.product)
    w.int4(p.quantity)
  },
})

const bulk = (name: string, text: string) =>
  exec<readonly NewItem[]>({
    ...place(name),
    sql: text,
    params: ['n', 'label', 'price'],
    write: (w, items) => {
      w.value(
        items.map((item) => item.n),
        int4Array,
      )
      w.value(
        items.map((item) => item.label),
        textArray,
      )
      w.value(
        items.map((item) => item.price),
        float8Array,
      )
    },
  })
const insertItems = bulk('insertItems', sql.insertItems)
const updateItems = bulk('updateItems', sql.updateItems)

const report = value<void, number>({ ...place('report'), sql: sql.report, readOnly: true, read: (r) => r.int4(0) })

export async function open(url: string): Promise<System> {
  const db = createDatabase({ url })
  return {
    pointLookup: (id) => getUser(db, { id }),
    rows1000: () => listRows(db),
    rows100: () => listEvents(db),
    usersWithPosts: async () => {
      const users = await listUsers(db)
      return attach(users, await listPosts(db, { authorIds: users.map((user) => user.id) }))
    },
    insertInTransaction: (n) =>
      db.unitOfWork(async (uow) => {
        const orderId = await insertOrder(uow, { customer: `customer ${n}` })
        await insertLine(uow, { orderId, product: 'book', quantity: n % 10 })
        return orderId
      }),
    bulkInsert: (items) => insertItems(db, items),
    bulkUpdate: (items) => updateItems(db, items),
    report: () => report(db),
    close: () => db.close(),
  }
}
