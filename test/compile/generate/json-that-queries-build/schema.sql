create type mood as enum ('happy', 'sad');
create type address as (street text, zip_code text);
create table users (
  id int primary key,
  email text not null,
  full_name text,
  mood mood not null,
  home address,
  settings jsonb not null default '{}',
  created_at timestamptz not null
);
create table posts (
  id int8 primary key,
  author_id int not null references users,
  title text not null,
  price numeric(10, 2),
  tags text[] not null,
  cover bytea,
  during tstzrange,
  published_at timestamp
);
create table comments (id int primary key, post_id int8 not null references posts, body text not null);
create view authors as
  select users.id, jsonb_agg(jsonb_build_object('id', posts.id, 'title', posts.title) order by posts.id) as posts
  from users join posts on posts.author_id = users.id group by users.id;
