create type mood as enum ('sad', 'so-so', 'it''s ok');
create domain percentage as int check (value between 0 and 100);
create type address as (street text, zip_code int);
create table people (
  id int primary key,
  mood mood not null,
  moods mood[] not null,
  score percentage not null,
  home address not null,
  homes address[],
  ages int4range not null,
  periods tstzmultirange not null,
  boxes box[] not null
);
