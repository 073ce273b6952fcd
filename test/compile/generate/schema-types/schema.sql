create type mood as enum ('happy', 'sad');
comment on type mood is 'How one feels.';
create type address as (street text, zip_code text);
create domain score as int not null;
create table users (
  id int primary key generated always as identity,
  email text not null unique,
  mood mood,
  home address,
  settings jsonb not null default '{}',
  raw jsonb,
  tags text[] not null check (array_position(tags, null) is null),
  matrix int[][],
  score score,
  during tstzrange,
  "odd name" numeric
);
comment on table users is E'People.\n\nAnd */ other */ beings.';
comment on column users.email is 'Where to write to.';
create table posts (id int primary key, author_id int not null references users);
create view authors as
  select u.id, u.email, count(p.id) as posts, max(p.id) as last_post,
         coalesce(json_agg(json_build_object('id', p.id)) filter (where p.id is not null), '[]') as list
  from users u left join posts p on p.author_id = u.id group by u.id;
comment on view authors is 'Everyone with a count of posts.';
comment on column authors.last_post is 'The newest one.';
create materialized view totals as select count(*) as users from users;
create table measures (at timestamptz not null, value float8) partition by range (at);
create table measures_2026 partition of measures for values from ('2026-01-01') to ('2027-01-01');
create schema audit;
create table audit.users (id int8 not null, at timestamptz not null default now());
create table animals (id int not null, name text not null);
create table cats (lives int) inherits (animals);
