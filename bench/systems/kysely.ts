// Kysely on its PostgresDialect; relations by jsonArrayFrom, as its recipes have it.

import { type Generated, Kysely, PostgresDialect, sql } from 'kysely'
import { jsonArrayFrom } from 'kysely/helpers/postgres'
import pg from 'pg'
import { type NewItem, poolSize, type System } from '../works.ts'

interface Tables {
  users: { id: Generated<number>; email: string; full_name: string | null; is_active: boolean; created_at: Date }
  posts: { id: Generated<number>; author_id: number; title: string; created_at: Date }
  events: Record<string, unknown>
  items: NewItem
  new_items: NewItem
  orders: { id: Generated<number>; customer: string }
  order_lines: { order_id: number; product: string; quantity: number }
}

export async function open(url: string): Promise<System> {
  const db = new Kysely<Tables>({
    dialect: new PostgresDialect({ pool: new pg.Pool({ connectionString: url, max: poolSize }) }),
  })
  const usersWithPosts = () =>
    db
      .selectFrom('users')
      .select((eb) => [
        'id',
        'email',
        'full_name as fullName',
        jsonArrayFrom(
          eb
            .selectFrom('posts')
            .select(['posts.id', 'posts.author_id as authorId', 'posts.title', 'posts.created_at as createdAt'])
            .whereRef('posts.author_id', '=', 'users.id')
            .orderBy('posts.id'),
        ).as('posts'),
      ])
      .orderBy('id')
      .limit(100)
      .execute()
  return {
    pointLookup: async (id) =>
      (await db
        .selectFrom('users')
        .select(['id', 'email', 'full_name as fullName', 'is_active as isActive', 'created_at as createdAt'])
        .where('id', '=', id)
        .executeTakeFirst()) ?? null,
    rows1000: () =>
      db
        .selectFrom('posts')
        .select(['id', 'author_id as authorId', 'title', 'title as body', 'created_at as createdAt'])
        .orderBy('id')
        .limit(1000)
        .execute(),
    rows100: () => db.selectFrom('events').selectAll().execute(),
    usersWithPosts,
    usersWithPostsJson: usersWithPosts,
    insertInTransaction: (n) =>
      db.transaction().execute(async (tx) => {
        const order = await tx
          .insertInto('orders')
          .values({ customer: `customer ${n}` })
          .returning('id')
          .executeTakeFirstOrThrow()
        return order.id
      }),
    twoInsertsInTransaction: (n) =>
      db.transaction().execute(async (tx) => {
        const order = await tx
          .insertInto('orders')
          .values({ customer: `customer ${n}` })
          .returning('id')
          .executeTakeFirstOrThrow()
        await tx
          .insertInto('order_lines')
          .values({ order_id: order.id, product: 'book', quantity: n % 10 })
          .execute()
        return order.id
      }),
    bulkInsert: async (items) => {
      const result = await db
        .insertInto('new_items')
        .values(items as NewItem[])
        .executeTakeFirst()
      return Number(result.numInsertedOrUpdatedRows)
    },
    bulkUpdate: async (items) => {
      const result = await sql`update items set label = v.label, price = v.price
        from unnest(${items.map((item) => item.n)}::int[], ${items.map((item) => item.label)}::text[],
          ${items.map((item) => item.price)}::float8[]) v(n, label, price) where items.n = v.n`.execute(db)
      return Number(result.numAffectedRows)
    },
    bulkUpsert: async (items) => {
      const result = await db
        .insertInto('items')
        .values(items as NewItem[])
        .onConflict((conflict) =>
          conflict
            .column('n')
            .doUpdateSet((eb) => ({ label: eb.ref('excluded.label'), price: eb.ref('excluded.price') })),
        )
        .executeTakeFirst()
      return Number(result.numInsertedOrUpdatedRows)
    },
    report: () => sql`select count(*)::int as n from posts, pg_sleep(1)`.execute(db),
    close: () => db.destroy(),
  }
}
