// Slonik 47, the last line that runs on Node 20; with the timestamp parser that gives a Date, as everywhere else.

import { createPool, createTypeParserPreset, sql } from 'slonik'
import { attach } from '../schema.ts'
import { poolSize, type System, type UserRow, type UserWithPosts } from '../works.ts'

export async function open(url: string): Promise<System> {
  const at = new URL(url)
  const host = at.searchParams.get('host') ?? at.hostname
  const user = at.searchParams.get('user') ?? at.username
  const port = at.searchParams.get('port') ?? (at.port || '5432')
  const pool = await createPool(`postgresql://${user}@${encodeURIComponent(host)}:${port}${at.pathname}`, {
    maximumPoolSize: poolSize,
    typeParsers: [
      ...createTypeParserPreset().filter((parser) => !parser.name.startsWith('timestamp')),
      { name: 'timestamptz', parse: (text) => new Date(text) },
      { name: 'timestamp', parse: (text) => new Date(`${text}Z`) },
    ],
  })
  return {
    pointLookup: async (id) =>
      (await pool.maybeOne(
        sql.unsafe`select id, email, full_name as "fullName", is_active as "isActive", created_at as "createdAt"
          from users where id = ${id}`,
      )) as UserRow | null,
    rows1000: () =>
      pool.any(
        sql.unsafe`select id, author_id as "authorId", title, title as body, created_at as "createdAt" from posts
          order by id limit 1000`,
      ),
    rows100: () => pool.any(sql.unsafe`select * from events`),
    usersWithPosts: async () => {
      const users = await pool.any(
        sql.unsafe`select id, email, full_name as "fullName" from users order by id limit 100`,
      )
      const ids = sql.array(
        users.map((row) => row.id),
        'int4',
      )
      return attach(
        users,
        await pool.any(
          sql.unsafe`select id, author_id as "authorId", title, created_at as "createdAt" from posts
            where author_id = any(${ids}) order by id`,
        ),
      )
    },
    usersWithPostsJson: async () =>
      (await pool.any(sql.unsafe`select id, email, full_name as "fullName", (
          select coalesce(json_agg(json_build_object(
            'id', posts.id, 'authorId', author_id, 'title', title, 'createdAt', posts.created_at) order by posts.id), '[]')
          from posts where author_id = users.id) as posts
        from users order by id limit 100`)) as readonly UserWithPosts[],
    insertInTransaction: (n) =>
      pool.transaction(
        async (tx) =>
          (await tx.oneFirst(
            sql.unsafe`insert into orders (customer) values (${`customer ${n}`}) returning id`,
          )) as number,
      ),
    twoInsertsInTransaction: (n) =>
      pool.transaction(async (tx) => {
        const id = await tx.oneFirst(sql.unsafe`insert into orders (customer) values (${`customer ${n}`}) returning id`)
        await tx.query(
          sql.unsafe`insert into order_lines (order_id, product, quantity) values (${id}, 'book', ${n % 10})`,
        )
        return id as number
      }),
    bulkInsert: async (items) =>
      (
        await pool.query(
          sql.unsafe`insert into new_items (n, label, price) select * from ${sql.unnest(
            items.map((item) => [item.n, item.label, item.price]),
            ['int4', 'text', 'float8'],
          )}`,
        )
      ).rowCount,
    bulkUpdate: async (items) =>
      (
        await pool.query(
          sql.unsafe`update items set label = v.label, price = v.price from ${sql.unnest(
            items.map((item) => [item.n, item.label, item.price]),
            ['int4', 'text', 'float8'],
          )} v(n, label, price) where items.n = v.n`,
        )
      ).rowCount,
    bulkUpsert: async (items) =>
      (
        await pool.query(
          sql.unsafe`insert into items (n, label, price) select * from ${sql.unnest(
            items.map((item) => [item.n, item.label, item.price]),
            ['int4', 'text', 'float8'],
          )} on conflict (n) do update set label = excluded.label, price = excluded.price`,
        )
      ).rowCount,
    report: () => pool.any(sql.unsafe`select count(*)::int as n from posts, pg_sleep(1)`),
    close: () => pool.end(),
  }
}
