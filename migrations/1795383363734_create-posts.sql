-- Up Migration

create table posts (
  id integer generated always as identity primary key,
  author_id integer not null references users (id) on delete cascade,
  title text not null,
  content text not null,
  created_at timestamptz not null default now()
);

-- PostgreSQL indexes primary keys and unique columns by itself, but not foreign keys.
create index posts_author_id_idx on posts (author_id);

comment on column posts.author_id is 'A user''s posts go with the user.';

-- Down Migration

drop table posts;
