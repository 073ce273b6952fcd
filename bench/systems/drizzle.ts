// Drizzle on node-postgres: prepared statements where its docs recommend them, relational queries for relations.

import { eq, relations, sql } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/node-postgres'
import * as t from 'drizzle-orm/pg-core'
import pg from 'pg'
import { sql as texts } from '../schema.ts'
import { type NewItem, poolSize, type System } from '../works.ts'

const users = t.pgTable('users', {
  id: t.integer().primaryKey().generatedAlwaysAsIdentity(),
  email: t.text().notNull(),
  fullName: t.text('full_name'),
  isActive: t.boolean('is_active').notNull(),
  createdAt: t.timestamp('created_at', { withTimezone: true }).notNull(),
})
const posts = t.pgTable('posts', {
  id: t.integer().primaryKey().generatedAlwaysAsIdentity(),
  authorId: t.integer('author_id').notNull(),
  title: t.text().notNull(),
  createdAt: t.timestamp('created_at', { withTimezone: true }).notNull(),
})
const bytea = t.customType<{ data: Buffer }>({ dataType: () => 'bytea' })
const events = t.pgTable('events', {
  a: t.smallint().notNull(),
  b: t.integer().notNull(),
  c: t.bigint({ mode: 'number' }).notNull(),
  d: t.real().notNull(),
  e: t.doublePrecision().notNull(),
  f: t.numeric().notNull(),
  g: t.boolean().notNull(),
  h: t.text().notNull(),
  i: t.varchar({ length: 40 }).notNull(),
  j: t.uuid().notNull(),
  k: t.date().notNull(),
  l: t.time().notNull(),
  m: t.timestamp().notNull(),
  n: t.timestamp({ withTimezone: true }).notNull(),
  o: t.jsonb().notNull(),
  p: bytea().notNull(),
  q: t.integer().array().notNull(),
  r: t.text().array().notNull(),
  s: t.inet().notNull(),
  t: t.text(),
})
const newItems = t.pgTable('new_items', {
  n: t.integer().notNull(),
  label: t.text().notNull(),
  price: t.doublePrecision().notNull(),
})
const items = t.pgTable('items', {
  n: t.integer().primaryKey(),
  label: t.text().notNull(),
  price: t.doublePrecision().notNull(),
})
const orders = t.pgTable('orders', {
  id: t.integer().primaryKey().generatedAlwaysAsIdentity(),
  customer: t.text().notNull(),
})
const orderLines = t.pgTable('order_lines', {
  orderId: t.integer('order_id').notNull(),
  product: t.text().notNull(),
  quantity: t.integer().notNull(),
})
const usersRelations = relations(users, ({ many }) => ({ posts: many(posts) }))
const postsRelations = relations(posts, ({ one }) => ({
  author: one(users, { fields: [posts.authorId], references: [users.id] }),
}))

export async function open(url: string): Promise<System> {
  const pool = new pg.Pool({ connectionString: url, max: poolSize })
  const db = drizzle(pool, { schema: { users, posts, usersRelations, postsRelations } })
  const byId = db
    .select()
    .from(users)
    .where(eq(users.id, sql.placeholder('id')))
    .prepare('by_id')
  const rows1000 = db
    .select({
      id: posts.id,
      authorId: posts.authorId,
      title: posts.title,
      body: sql`${posts.title}`.as('body'),
      createdAt: posts.createdAt,
    })
    .from(posts)
    .orderBy(posts.id)
    .limit(1000)
    .prepare('rows_1000')
  const rows100 = db.select().from(events).prepare('rows_100')
  const withPosts = db.query.users
    .findMany({
      columns: { id: true, email: true, fullName: true },
      with: { posts: { orderBy: posts.id } },
      orderBy: users.id,
      limit: 100,
    })
    .prepare('with_posts')
  return {
    pointLookup: async (id) => (await byId.execute({ id }))[0] ?? null,
    rows1000: () => rows1000.execute(),
    rows100: () => rows100.execute(),
    usersWithPosts: () => withPosts.execute(),
    usersWithPostsJson: () => withPosts.execute(),
    insertInTransaction: (n) =>
      db.transaction(async (tx) => {
        const [order] = await tx
          .insert(orders)
          .values({ customer: `customer ${n}` })
          .returning({ id: orders.id })
        return order!.id
      }),
    twoInsertsInTransaction: (n) =>
      db.transaction(async (tx) => {
        const [order] = await tx
          .insert(orders)
          .values({ customer: `customer ${n}` })
          .returning({ id: orders.id })
        await tx.insert(orderLines).values({ orderId: order!.id, product: 'book', quantity: n % 10 })
        return order!.id
      }),
    bulkInsert: async (rows) => (await db.insert(newItems).values(rows as NewItem[])).rowCount ?? 0,
    // Its docs know updates of many rows only as a CASE of all of them, which is far slower than SQL of one's own.
    bulkUpdate: async (rows) =>
      (
        await db.execute(
          sql`update items set label = v.label, price = v.price from unnest(${sql.param(rows.map((row) => row.n))}::int[],
            ${sql.param(rows.map((row) => row.label))}::text[], ${sql.param(rows.map((row) => row.price))}::float8[])
            v(n, label, price) where items.n = v.n`,
        )
      ).rowCount ?? 0,
    bulkUpsert: async (rows) => {
      const set = { label: sql`excluded.label`, price: sql`excluded.price` }
      const insert = db.insert(items).values(rows as NewItem[])
      return (await insert.onConflictDoUpdate({ target: items.n, set })).rowCount ?? 0
    },
    report: () => db.execute(texts.report),
    close: () => pool.end(),
  }
}
