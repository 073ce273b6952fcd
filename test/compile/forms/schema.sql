create extension citext;
create collation loose (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
create type mood as enum ('sad', 'ok', 'happy');
create type place as (city text, street text);
create domain slug as text check (value ~ '^[a-z]+$');

create table authors (
  id integer generated always as identity primary key,
  key uuid not null unique,
  email citext not null unique,
  nick text collate loose,
  code varchar(10) unique,
  mood mood
);

create table posts (
  id bigint generated always as identity primary key,
  author_id integer not null references authors,
  slug slug not null unique,
  title text not null,
  tags text[] not null default '{}',
  location place,
  meta jsonb,
  score numeric,
  created_at timestamptz not null default now()
);

create table tagged (post_id bigint, tag text, weight integer not null default 1, primary key (post_id, tag));

create table audited (id integer primary key, name text);
create function keep_name() returns trigger language plpgsql as $$ begin return new; end $$;
create trigger audit before insert on audited for each row execute function keep_name();

create view titles as select id, title from posts;
create function next_score(integer) returns integer language plpgsql as $$ begin return $1 + 1; end $$;

-- An aggregate that PostgreSQL calls immutable, made of a function that is not.
create function counting(int, int) returns int language sql volatile as 'select coalesce($1, 0) + 1';
create aggregate volatile_count(int) (sfunc = counting, stype = int);
