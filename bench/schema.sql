-- The tables that are measured on. Read by the server's set-up (schema.ts), and by `plainsql generate` for sql/.

create table users (
  id int generated always as identity primary key,
  email text not null unique,
  full_name text,
  is_active bool not null default true,
  created_at timestamptz not null default now()
);

create table posts (
  id int generated always as identity primary key,
  author_id int not null references users,
  title text not null,
  created_at timestamptz not null default now()
);
create index on posts (author_id);

-- One column of each common type.
create table events (
  a int2 not null,
  b int4 not null,
  c int8 not null,
  d float4 not null,
  e float8 not null,
  f numeric not null,
  g bool not null,
  h text not null,
  i varchar(40) not null,
  j uuid not null,
  k date not null,
  l time not null,
  m timestamp not null,
  n timestamptz not null,
  o jsonb not null,
  p bytea not null,
  q int4[] not null,
  r text[] not null,
  s inet not null,
  t text
);

create table items (n int primary key, label text not null, price float8 not null);
create table new_items (n int not null, label text not null, price float8 not null);

create table orders (id int generated always as identity primary key, customer text not null);
create table order_lines (order_id int not null references orders, product text not null, quantity int not null);
