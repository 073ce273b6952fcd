create type date as enum ('yes');
create type value as enum ('a');
create type list_row as enum ('b');
create type settings as enum ('c');
create type record as (x int);
create type numbered as ("1" int, "0" text);
create table t (id int primary key, "date" public.date not null, value value not null, list_row list_row not null, settings settings not null,
  record public.record not null, numbered numbered not null, at timestamptz not null, json jsonb not null, post text);
