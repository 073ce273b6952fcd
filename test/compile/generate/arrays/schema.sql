create table points (
  id int primary key,
  tags text[] not null check (array_position(tags, null) is null),
  labels text[],
  matrix int[][] not null
);
