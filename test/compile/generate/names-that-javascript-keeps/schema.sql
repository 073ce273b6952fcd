create type class as enum ('a');
create type "default" as enum ('b');
create type let as (class class, "a_b" int, "aB" text);
create type await as enum ('d');
create type package as enum ('e');
create type interface as enum ('f');
create type codec as enum ('g');
create type p as enum ('h');
create type w as enum ('i');
create type r as enum ('j');
create type 状態 as enum ('有効', '無効');
create type 住所 as (市 text, 状 状態);
create type _1 as enum ('k');
create type constructor as enum ('l');
create table t (
  a class not null, b "default" not null, c let not null, d await not null, e package not null, f interface not null,
  g codec not null, h p not null, i w not null, j r not null, k _1 not null, l constructor not null, 状態 状態 not null, 住所 住所 not null
);
