-- Up Migration

create table tags (
  id integer generated always as identity primary key,
  name text not null unique
);

create table post_tags (
  post_id integer not null references posts (id) on delete cascade,
  tag_id integer not null references tags (id) on delete cascade,
  primary key (post_id, tag_id)
);

-- The primary key serves the way from a post to its tags; this index serves the way back.
create index post_tags_tag_id_idx on post_tags (tag_id);

comment on table post_tags is 'Which post has which tags: many to many.';

-- Down Migration

drop table post_tags;
drop table tags;
