// postgres.js: tagged templates, prepared and pipelined by itself.

import { userInfo } from 'node:os'
import postgres from 'postgres'
import { attach } from '../schema.ts'
import type { NewItem, System, UserRow } from '../works.ts'

export async function open(url: string): Promise<System> {
  const at = new URL(url)
  const sql = postgres({
    host: at.searchParams.get('host') ?? at.hostname,
    port: Number(at.searchParams.get('port') ?? (at.port || 5432)),
    username: at.searchParams.get('user') ?? (at.username || userInfo().username),
    database: at.pathname.slice(1),
    max: 10,
  })
  const columns = (items: readonly NewItem[]) => items.map((item) => [item.n, item.label, item.price] as const)
  return {
    pointLookup: async (id) =>
      (
        await sql<
          UserRow[]
        >`select id, email, full_name as "fullName", is_active as "isActive", created_at as "createdAt"
          from users where id = ${id}`
      )[0] ?? null,
    rows1000: () => sql`select id, author_id as "authorId", title, title as body, created_at as "createdAt" from posts
      order by id limit 1000`,
    rows100: () => sql`select * from events`,
    usersWithPosts: async () => {
      const users = await sql<
        { id: number }[]
      >`select id, email, full_name as "fullName" from users order by id limit 100`
      const ids = users.map((user) => user.id)
      return attach(
        users,
        await sql<
          { authorId: number }[]
        >`select id, author_id as "authorId", title, created_at as "createdAt" from posts
          where author_id = any(${ids}) order by id`,
      )
    },
    insertInTransaction: (n) =>
      sql.begin(async (tx) => {
        const [order] = await tx`insert into orders (customer) values (${`customer ${n}`}) returning id`
        await tx`insert into order_lines (order_id, product, quantity) values (${order?.id}, 'book', ${n % 10})`
        return order?.id as number
      }) as Promise<number>,
    bulkInsert: async (items) =>
      (await sql`insert into new_items ${sql(items as NewItem[], 'n', 'label', 'price')}`).count,
    // As its README has it under "Multiple updates in one query".
    bulkUpdate: async (items) =>
      (
        await sql`update items set label = v.label, price = (v.price)::float8
          from (values ${sql(columns(items) as never)}) as v (n, label, price) where items.n = (v.n)::int`
      ).count,
    report: () => sql`select count(*)::int as n from posts, pg_sleep(1)`,
    close: () => sql.end(),
  }
}
