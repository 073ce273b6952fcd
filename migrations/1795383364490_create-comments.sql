-- Up Migration

create table comments (
  id integer generated always as identity primary key,
  post_id integer not null references posts (id) on delete cascade,
  author_id integer not null references users (id) on delete cascade,
  body text not null,
  created_at timestamptz not null default now()
);

create index comments_post_id_idx on comments (post_id);
create index comments_author_id_idx on comments (author_id);

-- Down Migration

drop table comments;
