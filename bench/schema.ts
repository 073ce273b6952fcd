// What stands in the tables of schema.sql, and the SQL that systems without a language of their own share.

import { readFileSync } from 'node:fs'
import { userCount } from './works.ts'

export const schema = readFileSync(new URL('schema.sql', import.meta.url), 'utf8')

export const data = `
insert into users (email, full_name) select 'user' || n || '@example.com', 'User Number ' || n
  from generate_series(1, ${userCount}) n;
insert into posts (author_id, title) select 1 + n / 10, 'Post ' || n from generate_series(0, 9999) n;
insert into events select n, n * 1000, n * 1000000000::int8, n / 8.0, n / 3.0, n * 1.01, n % 2 = 0, 'text ' || n, 'word ' || n,
  gen_random_uuid(), date '2026-01-01' + n, time '12:00' + n * interval '1 minute', timestamp '2026-01-01' + n * interval '1 h',
  timestamptz '2026-01-01Z' + n * interval '1 h', jsonb_build_object('n', n, 'tags', jsonb_build_array('a', 'b')),
  decode(md5(n::text), 'hex'), array[n, n + 1], array['x' || n, 'y'], '10.0.0.1', null from generate_series(1, 100) n;
analyze;
`

/** Between rounds, so that nobody works on what somebody before left behind. */
export const cleanUp = `truncate orders, order_lines, items, new_items;
  insert into items select n, 'item', 0 from generate_series(0, 9999) n`

export const sql = {
  user: 'select id, email, full_name as "fullName", is_active as "isActive", created_at as "createdAt" from users where id = $1',
  rows1000:
    'select id, author_id as "authorId", title, title as body, created_at as "createdAt" from posts order by id limit 1000',
  rows100: 'select * from events',
  users100: 'select id, email, full_name as "fullName" from users order by id limit 100',
  posts:
    'select id, author_id as "authorId", title, created_at as "createdAt" from posts where author_id = any($1) order by id',
  usersWithPosts: `select id, email, full_name as "fullName", (
      select coalesce(json_agg(json_build_object(
        'id', posts.id, 'authorId', author_id, 'title', title, 'createdAt', posts.created_at) order by posts.id), '[]')
      from posts where author_id = users.id) as posts
    from users order by id limit 100`,
  insertOrder: 'insert into orders (customer) values ($1) returning id',
  insertLine: 'insert into order_lines (order_id, product, quantity) values ($1, $2, $3)',
  insertItems: 'insert into new_items (n, label, price) select * from unnest($1::int[], $2::text[], $3::float8[])',
  updateItems: `update items set label = v.label, price = v.price
    from unnest($1::int[], $2::text[], $3::float8[]) v(n, label, price) where items.n = v.n`,
  upsertItems: `insert into items (n, label, price) select * from unnest($1::int[], $2::text[], $3::float8[])
    on conflict (n) do update set label = excluded.label, price = excluded.price`,
  report: 'select count(*)::int as n from posts, pg_sleep(1)',
}

/** Posts to their authors: what everybody who asks two queries has to do. */
export function attach<User extends { id: number }, Post extends { authorId: number }>(
  users: readonly User[],
  posts: readonly Post[],
): (User & { posts: Post[] })[] {
  const byAuthor = new Map<number, Post[]>()
  for (const post of posts) {
    const group = byAuthor.get(post.authorId)
    if (group === undefined) byAuthor.set(post.authorId, [post])
    else group.push(post)
  }
  return users.map((user) => ({ ...user, posts: byAuthor.get(user.id) ?? [] }))
}
