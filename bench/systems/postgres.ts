// postgres.js: tagged templates, prepared and pipelined by itself.

import { userInfo } from 'node:os'
import postgres from 'postgres'
import { attach } from '../schema.ts'
import { type NewItem, poolSize, type System, type UserRow, type UserWithPosts } from '../works.ts'

export async function open(url: string): Promise<System> {
  const at = new URL(url)
  const sql = postgres({
    host: at.searchParams.get('host') ?? at.hostname,
    port: Number(at.searchParams.get('port') ?? (at.port || 5432)),
    username: at.searchParams.get('user') ?? (at.username || userInfo().username),
    database: at.pathname.slice(1),
    max: poolSize,
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
          { id: number; authorId: number }[]
        >`select id, author_id as "authorId", title, created_at as "createdAt" from posts
          where author_id = any(${ids}) order by id`,
      )
    },
    usersWithPostsJson: () => sql<UserWithPosts[]>`select id, email, full_name as "fullName", (
        select coalesce(json_agg(json_build_object(
          'id', posts.id, 'authorId', author_id, 'title', title, 'createdAt', posts.created_at) order by posts.id), '[]')
        from posts where author_id = users.id) as posts
      from users order by id limit 100`,
    insertInTransaction: (n) =>
      sql.begin(async (tx) => {
        const [order] = await tx`insert into orders (customer) values (${`customer ${n}`}) returning id`
        return order?.id as number
      }) as Promise<number>,
    twoInsertsInTransaction: (n) =>
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
    bulkUpsert: async (items) =>
      (
        await sql`insert into items ${sql(items as NewItem[], 'n', 'label', 'price')}
          on conflict (n) do update set label = excluded.label, price = excluded.price`
      ).count,
    report: () => sql`select count(*)::int as n from posts, pg_sleep(1)`,
    close: () => sql.end(),
  }
}
