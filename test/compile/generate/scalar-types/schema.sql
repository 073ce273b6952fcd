create extension citext;
create extension hstore;
create table t (
  a int2 not null, b int4 not null, c int8 not null, d oid not null, e float4 not null, f float8 not null,
  g numeric not null, h bool not null, i text not null, j varchar(10) not null, k char(3) not null, l citext not null,
  m uuid not null, n inet not null, o xml not null, p timestamptz not null, q timestamp not null, r date not null,
  s time not null, u timetz not null, v interval not null, w json not null, x jsonb not null, y bytea not null,
  z hstore not null, aa tsvector not null, bb money not null, cc bit(3) not null, dd point not null, ee regclass not null
);
