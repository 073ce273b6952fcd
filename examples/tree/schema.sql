-- A table that refers to itself: docs/relationships.md reads trees from it.
create table categories (
  id int generated always as identity primary key,
  parent_id int references categories (id),
  name text not null
);

create index categories_parent on categories (parent_id);
