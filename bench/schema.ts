// The tables that are measured on, and the SQL that systems without a language of their own share.

import { userCount } from './works.ts'

export const schema = `
create table users (
  id int generated always as identity primary key, email text not null unique, full_name text,
  is_active bool not null default true, created_at timestamptz not null default now());
insert into users (email, full_name) select 'user' || n || '@example.com', 'User Number ' || n
  from generate_series(1, ${userCount}) n;
create table posts (
  id int generated always as identity primary key, author_id int not null references users, title text not null,
  created_at timestamptz not null default now());
insert into posts (author_id, title) select 1 + n / 10, 'Post ' || n from generate_series(0, 9999) n;
create index on posts (author_id);
create table events (
  a int2 not null, b int4 not null, c int8 not null, d float4 not null, e float8 not null, f numeric not null,
  g bool not null, h text not null, i varchar(40) not null, j uuid not null, k date not null, l time not null,
  m timestamp not null, n timestamptz not null, o jsonb not null, p bytea not null, q int4[] not null, r text[] not null,
  s inet not null, t text);
insert into events select n, n * 1000, n * 1000000000::int8, n / 8.0, n / 3.0, n * 1.01, n % 2 = 0, 'text ' || n, 'word ' || n,
  gen_random_uuid(), date '2026-01-01' + n, time '12:00' + n * interval '1 minute', timestamp '2026-01-01' + n * interval '1 h',
  timestamptz '2026-01-01Z' + n * interval '1 h', jsonb_build_object('n', n, 'tags', jsonb_build_array('a', 'b')),
  decode(md5(n::text), 'hex'), array[n, n + 1], array['x' || n, 'y'], '10.0.0.1', null from generate_series(1, 100) n;
create table items (n int primary key, label text not null, price float8 not null);
create table new_items (n int not null, label text not null, price float8 not null);
create table orders (id int generated always as identity primary key, customer text not null);
create table order_lines (order_id int not null references orders, product text not null, quantity int not null);
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
  insertOrder: 'insert into orders (customer) values ($1) returning id',
  insertLine: 'insert into order_lines (order_id, product, quantity) values ($1, $2, $3)',
  insertItems: 'insert into new_items (n, label, price) select * from unnest($1::int[], $2::text[], $3::float8[])',
  updateItems: `update items set label = v.label, price = v.price
    from unnest($1::int[], $2::text[], $3::float8[]) v(n, label, price) where items.n = v.n`,
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
