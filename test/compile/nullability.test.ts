// Column nullability as a table: a query, and its columns with `?` where they can be NULL. Every query is also run over
// rows full of NULLs: a column without `?` must not show one.

import pg from 'pg'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { loadCatalog, loadDefinitions } from '../../lib/compile/catalog.ts'
import { describeStatements } from '../../lib/compile/describe.ts'
import { analyzeColumns } from '../../lib/compile/nullability.ts'
import { freshDatabase } from '../support/server.ts'

const schema = `
  create domain positive as int check (value > 0);
  create domain required as text not null;
  create domain checked as text check (value is not null and value <> '');
  create type mood as enum ('sad', 'ok');
  create type pair as (a int, b text);
  create type single as (n int);
  create table u (
    id int generated always as identity primary key, email text not null, name text, age int, mood mood,
    tags text[], data jsonb, req required, chk checked, pos positive,
    upper_email text generated always as (upper(email)) stored, upper_name text generated always as (upper(name)) stored
  );
  create table p (
    id int primary key, u_id int not null references u, editor int references u, title text not null, body text,
    state text not null, done_at date, a int, b int,
    check (a is not null), check (state <> 'done' or done_at is not null), check (b is null or b > 0)
  );
  create table c (id int primary key, p_id int references p, u_id int references u, note text);
  create table parent (id int not null, x int);
  create table child (y int) inherits (parent);
  do $$ begin
    if current_setting('server_version_num')::int >= 180000 then
      execute 'alter table parent add constraint own not null x no inherit';
    else
      alter table only parent alter x set not null;
    end if;
  end $$;
  create table base (k int primary key, v text, w text not null);
  create table logged (k int primary key, v text);
  create function fill() returns trigger language plpgsql as 'begin new.v := null; return new; end';
  create trigger fill before insert or update on logged for each row execute function fill();
  create table parted (part int not null, x text) partition by list (part);
  create table parted1 partition of parted for values in (1);
  create table parted2 partition of parted for values in (2);
  create function unset() returns trigger language plpgsql as 'begin new.x := null; return new; end';
  create trigger unset before insert on parted2 for each row execute function unset();
  create table thinned (id int not null, gone int, a text, b text not null);
  alter table thinned drop column gone;
  create function thinned_rows() returns setof thinned language sql as 'select * from thinned';
  create function thinned_body() returns setof thinned language sql begin atomic select id, a, b from thinned; end;
  create sequence flips;
  create function flip(a int, b bigint default nextval('flips')) returns int language plpgsql stable
    as 'begin return case when b % 2 = 1 then a end; end';
  create view active as select id, email, name from u where name is not null;
  create view outer_view as select u.id, p.title, p.id as p_id from u left join p on p.u_id = u.id;
  create view over_view as select id, title from outer_view where title is not null;
  create view base_view as select k, v, w from base where v is not null;
  create materialized view counted as select u_id, count(*) as posts, max(body) as body from p group by u_id;
  create function one() returns int language sql as 'select 1';
  create function maybe(x int) returns int language sql as 'select x + 1 from u where id = x';
  create function always(x int) returns int language sql as 'select coalesce(x, 0)';
  create function strictly(x int) returns int language sql strict as 'select x + 1';
  create function atomic(x int) returns int language sql begin atomic select coalesce(x, 0); end;
  create function plsql() returns int language plpgsql as 'begin return null; end';
  create function rows_of() returns table (n int, t text) language sql as 'select id, name from u';
  create function emails() returns setof text language sql as 'select email from u';
  create function pairs() returns setof u language sql as 'select * from u';
  create function elements(x int[]) returns setof int language sql as 'select unnest(x)';
  create function named(x int default null, y int default 7) returns int language sql as 'select x + y';
  create function defaulted(x int default null) returns int language sql as 'select x';
  insert into u (email, name, age, mood, tags, data, req, chk, pos) values
    ('a', 'A', 1, 'ok', '{x,null}', '{"k": null, "n": {"m": 1}, "l": [1]}', 'r', 'c', 1),
    ('b', null, null, null, null, null, 'r', 'c', null), ('c', null, 2, 'sad', '{}', '[]', 'r', 'c', 3);
  insert into p values (1, 1, null, 't1', null, 'open', null, 1, null), (2, 1, 2, 't2', 'b', 'done', '2020-01-01', 2, 1),
    (3, 3, null, 't3', null, 'done', '2020-01-02', 2, 1);
  insert into c values (1, 1, 1, null), (2, null, null, 'n'), (3, 2, null, null);
  insert into parent values (1, 1); insert into child values (2, null, null);
  insert into parted values (1, 'a'); insert into thinned values (1, null, 'b');
  insert into base values (1, null, 'w'), (2, 'v', 'w'); insert into logged values (1, 'v');
  refresh materialized view counted;
`

/** What is proven, or not, by subject. */
const table: Readonly<Record<string, readonly (readonly [sql: string, columns: string])[]>> = {
  'columns of tables': [
    ['select id, email, name, age from u', 'id, email, name?, age?'],
    ['select req, chk, pos from u', 'req, chk, pos?'],
    ['select upper_email, upper_name from u', 'upper_email, upper_name?'],
    ['select ctid, tableoid from u', 'ctid, tableoid'],
    ['select a, b, done_at from p', 'a, b?, done_at?'],
    ['select id, x from parent', 'id, x?'],
    ['select id, x from only parent', 'id, x'],
    ['select u from u', 'u'],
    ['select (u).email, (u).name from u', 'email, name?'],
    ['select relname, reltuples, relacl from pg_class', 'relname, reltuples, relacl?'],
    ['select table_name from information_schema.tables', 'table_name'],
  ],
  constants: [
    ['select 1 as a, null as b, array[1, null] as c, row(1, null) as d', 'a, b?, c, d'],
    ['select current_date as a, current_user as b, current_schema as c', 'a, b, c?'],
  ],
  'outer joins': [
    ['select u.email, p.title from u left join p on p.u_id = u.id', 'email, title?'],
    ['select u.email, p.title from u right join p on p.u_id = u.id', 'email?, title'],
    ['select u.email, p.title from u full join p on p.u_id = u.id', 'email?, title?'],
    ['select u.email, p.title from u join p on p.u_id = u.id', 'email, title'],
    [
      'select u.email, p.title, c.id from u left join (p join c on c.p_id = p.id) on p.u_id = u.id',
      'email, title?, id?',
    ],
    [
      'select u.email, p.title, c.id from u left join p on p.u_id = u.id left join c on c.p_id = p.id',
      'email, title?, id?',
    ],
    ['select u.email, p.title, c.id from u left join p on p.u_id = u.id join c on c.p_id = p.id', 'email, title, id'],
    ['select u.email, p.title, c.id from u left join p on p.u_id = u.id cross join c', 'email, title?, id'],
    ['select p as row_of_p from u left join p on p.u_id = u.id', 'row_of_p?'],
    ['select id from u left join p using (id)', 'id'],
    ['select id from u right join p using (id)', 'id'],
    ['select id from u full join p using (id)', 'id'],
    ['select coalesce(u.id, p.id) as id, coalesce(u.email, p.body) as x from u full join p on u.id = p.id', 'id, x?'],
    ['select * from (select id from u) a natural left join (select id, title from p) b', 'id, title?'],
    [
      'select u.id, x.title from u left join lateral (select title from p where p.u_id = u.id limit 1) x on true',
      'id, title?',
    ],
    [
      'select u.id, x.n from u left join (select count(*) as n, u_id from p group by u_id) x on x.u_id = u.id',
      'id, n?',
    ],
    ['select u.id, x.n from u cross join lateral (select count(*) as n from p where p.u_id = u.id) x', 'id, n'],
  ],
  'conditions in WHERE': [
    ['select name from u where name is not null', 'name'],
    ['select name, age from u where name is not null or age is not null', 'name?, age?'],
    ["select name from u where name = 'x' or name like 'y%'", 'name'],
    ['select name, age from u where name is not null and age > 3', 'name, age'],
    ['select name from u where not (name is null)', 'name'],
    ['select name from u where not (name is null or age = 1)', 'name'],
    ["select name, age from u where (name, age) = ('a', 1)", 'name, age'],
    ["select name, age from u where (name, age) > ('a', 1)", 'name, age?'],
    ["select name from u where name in ('a', 'b')", 'name'],
    ["select name from u where name <> all ('{a,b}')", 'name?'],
    ['select age from u where age in (select a from p)', 'age'],
    ['select age from u where age not in (select a from p)', 'age?'],
    ['select age from u where age between 1 and 3', 'age'],
    ['select age from u where (age > 1) is true', 'age'],
    ['select age from u where (age > 1) is not false', 'age?'],
    ['select age from u where age is not distinct from 1', 'age'],
    ['select age from u where age is distinct from 1', 'age?'],
    ['select age from u where coalesce(age > 1, false)', 'age'],
    ['select age from u where coalesce(age > 1, true)', 'age?'],
    ['select age from u where case when age > 1 then true else false end', 'age'],
    ['select lower(name) as l, upper(name) as u from u where lower(name) is not null', 'l, u'],
    ["select data ->> 'k' as k, data ->> 'm' as m from u where data ->> 'k' is not null", 'k, m?'],
    ["select data from u where data ? 'k'", 'data'],
    ['select p.title from u left join p on p.u_id = u.id where p.id is not null', 'title'],
    ['select p.title, p.body from u left join p on p.u_id = u.id where p.a > 0', 'title, body?'],
    ['select p.title from u left join p on p.u_id = u.id where p is not null', 'title'],
    ['select p.title from u left join p on p.u_id = u.id where not (p is null)', 'title'],
    ['select p.title from u left join p on p.u_id = u.id where p.title is null', 'title?'],
    ['select p.body from u left join p on p.u_id = u.id and p.body is not null where p.id is not null', 'body'],
    ['select u.name from u left join p on p.u_id = u.id and u.name is not null', 'name?'],
    ['select u.email, p.title from u full join p on p.u_id = u.id where u.id > 0', 'email, title?'],
    ['select u.name, c.note from u join c on c.note = u.name', 'name, note'],
    ['select p.editor, u.email from p left join u on u.id = p.editor where u.email is not null', 'editor, email'],
    ['select age from u where exists (select from p where p.b = u.age)', 'age'],
    ['select age from u where exists (select count(*) from p where p.b = u.age)', 'age?'],
    ['select age from u where not exists (select from p where p.b = u.age)', 'age?'],
    ['select age from u where random() > 2 or age = 1', 'age?'],
    ["select done_at from p where state = 'done'", 'done_at'],
    ["select done_at from p where state <> 'done'", 'done_at?'],
  ],
  subqueries: [
    ['select x.id, x.name from (select id, name from u where name is not null) x', 'id, name'],
    ['select x.name from (select * from u) x where x.name is not null', 'name'],
    ['select (select email from u limit 1) as a, (select 1) as b', 'a?, b'],
    ['select (select count(*) from p where p.u_id = u.id) as n, (select max(a) from p) as m from u', 'n, m?'],
    ['select (select count(*) from p having count(*) > 100) as n', 'n?'],
    ['select (select count(*) from p limit 0) as n, (select count(*) from p limit 1) as m', 'n?, m'],
    ['select (select x from (values (1), (2)) v (x) limit 1) as v', 'v'],
    ['select exists (select from p) as e, array(select body from p) as a, 1 in (select id from p) as i', 'e, a, i'],
    [
      'select 1 in (select b from p) as i, 1 = any (select b from p) as j, age in (select id from p) as k from u',
      'i?, j?, k?',
    ],
    [
      'select 1 = any (array[1, 2]) as a, 1 = any (array[1, null]) as b, 1 = any (tags::int[]) as c from u where false',
      'a, b?, c?',
    ],
    ['select (select u.name) as n, (select u.email) as e from u', 'n?, e'],
    ['select (select u.name) as n from u where u.name is not null', 'n'],
  ],
  'conditions that no row needs to pass': [
    [
      'select (select o.x from (select 1) t where o.x is not null having true) as x from (values (null::int)) o (x)',
      'x?',
    ],
    [
      'select (select coalesce(count(*), 1) + o.x from p where o.x is not null) as x from (values (null::int)) o (x)',
      'x?',
    ],
    ['select o.x from (values (null::int)) o (x) where exists (select 1 from p where o.x = 1 having true)', 'x?'],
    [
      'select (with w as (select o.x as y) select max((select y from w)) from p where o.x is not null) as m from (values (null::int)) o (x)',
      'm?',
    ],
    [
      'select (with w as (select o.x as y from (select 1) z) select count(*) + (select y from w limit 1) from p where o.x is not null) as m from (values (null::int)) o (x)',
      'm?',
    ],
  ],
  'WITH queries': [
    ['with x as (select id, name from u) select * from x', 'id, name?'],
    ["with x as (select id, name from u) select * from x where name > ''", 'id, name'],
    ['with recursive t (n) as (select 1 union all select n + 1 from t where n < 5) select n from t', 'n'],
    [
      'with recursive t (n, m) as (select 1, 1 union all select n + 1, nullif(n, 3) from t where n < 5) select * from t',
      'n, m?',
    ],
    [
      'with recursive t (a, b, c) as (select 1, 2, 3 union all select b, c, null from t where a < 3) select * from t',
      'a?, b?, c?',
    ],
    [
      'with recursive t (n) as (select 1 union all select n + 1 from t where n < 3) search depth first by n set o cycle n set y using z select * from t',
      'n, o, y, z',
    ],
    ['with x as materialized (select 1 as a), y as (select a, null::int as b from x) select * from y', 'a, b?'],
    [
      "with x as (insert into base values (7, 'a', 'b') returning k, v) select (select k from x) as k, (select v from x) as v",
      'k, v',
    ],
    ['with x as (delete from c returning id, note) select * from x', 'id, note?'],
  ],
  'set operations': [
    ['select id, name from u union select id, title from p', 'id, name?'],
    ['select id, email from u union all select id, title from p', 'id, email'],
    ['select name from u intersect select title from p', 'name'],
    ['select title from p intersect select name from u', 'title'],
    ['select name from u except select title from p', 'name?'],
    ['select title from p except select name from u', 'title'],
    ['(select 1 as a union select null) union select 2', 'a?'],
    ['select a from (select 1 as a union all select b from p) x where a is not null', 'a'],
  ],
  VALUES: [
    ['values (1, null), (2, 3)', 'column1, column2?'],
    ["select x, y from (values (1, 'a'), (null, 'b')) v (x, y)", 'x?, y'],
  ],
  views: [
    ['select * from active', 'id, email, name'],
    ['select * from outer_view', 'id, title?, p_id?'],
    ['select * from over_view', 'id, title'],
    ['select * from counted', 'u_id, posts, body?'],
    ['select a.name from p left join active a on a.id = p.u_id', 'name?'],
  ],
  'CASE, COALESCE and the like': [
    ['select case when age > 1 then 1 else 2 end as a, case when age > 1 then 1 end as b from u', 'a, b?'],
    ["select case when name is null then '' else name end as a from u", 'a'],
    ['select case when name is not null then name else email end as a from u', 'a'],
    ['select case when name is null then 1 when name is not null then 2 end as a from u', 'a'],
    ['select case age when 1 then age else 0 end as a, case age when 1 then name else email end as b from u', 'a, b?'],
    ['select case when p.id is not null then p.title else u.email end as a from u left join p on p.u_id = u.id', 'a'],
    ['select case when p.id is null then u.email else p.body end as a from u left join p on p.u_id = u.id', 'a?'],
    ["select coalesce(name, '') as a, coalesce(name, age::text) as b, coalesce(name, email) as c from u", 'a, b?, c'],
    ['select nullif(id, 1) as a, greatest(age, 1) as b, least(age, pos) as c from u', 'a?, b, c?'],
    [
      'select name is null as a, (age > 1) is true as b, age is distinct from 1 as c, age > 1 as d from u',
      'a, b, c, d?',
    ],
    ["select true and age > 1 as a, email = 'a' or id = 1 as b, not (id = 1) as c from u", 'a?, b, c'],
    ["select (age, name) < (1, 'a') as a, (id, email) < (1, 'a') as b from u", 'a?, b'],
  ],
  'casts, operators and functions': [
    [
      'select id::text as a, age::text as b, email::varchar(3) as c, id::positive as d, null::checked is null as e from u where false',
      'a, b?, c, d, e',
    ],
    [
      "select 'r'::required as a, email || 'x' as b, name || 'x' as c, id + 1 as d, id * age as e from u",
      'a, b, c?, d, e?',
    ],
    [
      "select data -> 'k' as a, data ->> 'k' as b, data #> '{k}' as c, data || '{}' as d, data @> '{}' as e from u where data is not null",
      'a?, b?, c?, d, e',
    ],
    [
      "select tags[1] as a, tags[1:2] as b, tags || 'x'::text as c, cardinality(tags) as d from u where tags is not null",
      'a?, b?, c, d',
    ],
    [
      'select array_length(array[1], 1) as a, lower(int4range(1, 2)) as b, isempty(int4range(1, null)) as c',
      'a?, b?, c',
    ],
    [
      "select substring('abc' from 2) as a, substring('abc' from 'x') as b, regexp_replace('a', 'b', 'c') as c",
      'a, b?, c',
    ],
    [
      "select extract(year from now()) as a, extract(month from now()) as b, to_char(1, '9') as c, to_char(now(), 'YY') as d",
      'a, b?, c, d?',
    ],
    [
      "select concat(name, age) as a, concat_ws(',', name) as b, concat(variadic tags) as c, format('%s', name) as d from u",
      'a, b, c?, d',
    ],
    ['select make_interval(days => 3) as a, make_interval(days => age) as b from u', 'a, b?'],
    [
      "select json_build_object('a', name) as a, jsonb_build_array(name) as b, to_jsonb(name) as c, to_jsonb(u) as d, row_to_json(u) as e from u",
      'a, b, c?, d, e',
    ],
    ["select json_object('a': name) as a, json_array(name) as b, name is json as c from u", 'a, b, c?'],
    ['select now() as a, gen_random_uuid() as b, random() as c, pg_typeof(name) as d from u', 'a, b, c, d'],
    ['select xmlelement(name foo, name) as a, xmlforest(name as n) as b from u', 'a, b?'],
  ],
  'SQL functions': [
    [
      'select one() as a, maybe(1) as b, always(null) as c, strictly(1) as d, strictly(age) as e, atomic(age) as f from u',
      'a, b?, c, d, e?, f',
    ],
    ['select named(y => 1, x => 2) as a, named(1) as b, named(y => 1) as c', 'a, b, c?'],
    ['select plsql() as a, defaulted() as b, defaulted(1) as c', 'a?, b?, c'],
    ['select * from rows_of()', 'n, t?'],
    ['select e from emails() e', 'e'],
    ['select emails() as e', 'e'],
    ['select id, email, name from pairs()', 'id, email, name?'],
    ['select id, a, b from thinned_rows()', 'id, a?, b'],
    ['select id, a, b from thinned_body()', 'id, a?, b'],
    [
      'select case when flip(1) is not null then flip(1) end is null as a, case when flip(1) = 1 then flip(1) else 0 end as b',
      'a, b?',
    ],
    ['select one from one()', 'one'],
  ],
  aggregates: [
    [
      'select count(*) as a, count(name) as b, sum(id) as c, max(email) as d, array_agg(id) as e from u',
      'a, b, c?, d?, e?',
    ],
    [
      'select u_id, sum(id) as a, max(body) as b, array_agg(body) as c, min(a) as d from p group by u_id',
      'u_id, a, b?, c, d',
    ],
    [
      "select string_agg(title, ',') as a, string_agg(body, ',') as b, json_agg(body) as c, bool_and(a > 0) as d from p group by u_id",
      'a, b?, c, d',
    ],
    [
      'select array_agg(b) as a, json_agg(b) as b, jsonb_agg(b) as c, json_object_agg(id, b) as d, jsonb_object_agg(id, b) as e from p group by id',
      'a, b, c, d, e',
    ],
    [
      'select json_arrayagg(b absent on null) as a, json_objectagg(id: b absent on null) as b, json_arrayagg(b returning jsonb) as c, json_objectagg(id: b absent on null returning jsonb) as d from p group by id',
      'a, b, c, d',
    ],
    [
      'select sum(a) as a, avg(a) as b, min(title) as c, max(title) as d, bool_and(a > 0) as e, bool_or(a > 9) as f, every(a > 0) as g, bit_and(a) as h, bit_or(a) as i, string_agg(title, null) as j, stddev_pop(a) as k, var_pop(a) as l, range_agg(int4range(a, null)) as m, xmlagg(xmlelement(name x)) as n, percentile_disc(0.5) within group (order by title) as o, rank(1) within group (order by b) as p, percent_rank(1) within group (order by b) as q, cume_dist(1) within group (order by b) as r, regr_count(b, b) as s from p group by id',
      'a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s',
    ],
    [
      'select rank(1) within group (order by b) as a, cume_dist(1) within group (order by b) as b, regr_count(b, b) as c from p where false',
      'a, b, c',
    ],
    [
      'select bit_xor(a) as a, any_value(a) as b, range_intersect_agg(int4range(a, 9)) as c from p group by id',
      'a, b, c',
    ],
    ['select count(*) filter (where a > 1) as a, sum(a) filter (where a > 1) as b from p group by u_id', 'a, b?'],
    ['select sum(a) as a from p group by rollup (u_id)', 'a?'],
    ['select sum(a) as a from p group by grouping sets ((u_id), (state))', 'a'],
    ['select sum(a) as a from p group by ()', 'a?'],
    ['select max(body) as a from p where body is not null group by u_id', 'a'],
    ['select max(b) as a from p having max(b) is not null', 'a'],
    ['select max(b) as a from p having max(b) > 0', 'a'],
    ['select stddev(a) as a, var_pop(a) as b, corr(a, a) as c from p group by u_id', 'a?, b, c?'],
    [
      'select percentile_cont(0.5) within group (order by a) as a, mode() within group (order by a) as b from p group by u_id',
      'a, b',
    ],
    ["select coalesce(sum(a), 0) as a, coalesce(json_agg(body), '[]') as b from p", 'a, b'],
    ['select case when b is not null then max(b) end as a, max(b) as m from p group by b', 'a?, m?'],
    ['select u_id, (select sum(p.a)) as s from p group by u_id', 'u_id, s?'],
  ],
  'grouping sets': [
    ['select u_id, state, grouping(u_id) as g from p group by rollup (u_id, state)', 'u_id?, state?, g'],
    ['select u_id, state from p group by grouping sets ((u_id), (u_id, state))', 'u_id, state?'],
    ['select state, count(*) as n from p group by cube (state)', 'state?, n'],
    ['select u_id + 1 as x from p group by cube (u_id)', 'x?'],
    ['select state from p group by rollup (state) having state is not null', 'state'],
    ['select state, u_id from p group by state, rollup (u_id)', 'state, u_id?'],
    ['select g as x, g as y from generate_series(1, 3) g group by x, rollup (y)', 'x?, y?'],
    ['select u_id from p where u_id > 0 group by rollup (u_id)', 'u_id?'],
    ['select (select p.u_id) as x from p group by rollup (u_id)', 'x?'],
    ["select upper(title) as t from p where upper(title) <> '' group by rollup (title)", 't?'],
    ['select case when title is null then state else title end as t from p group by state, rollup (title)', 't'],
  ],
  'window functions': [
    ['select row_number() over () as a, rank() over (order by id) as b, ntile(2) over () as c from p', 'a, b, c'],
    [
      "select lag(title) over () as a, lag(title, 1, '') over () as b, lead(body, 1, '') over () as c from p",
      'a?, b, c?',
    ],
    [
      'select first_value(title) over () as a, last_value(body) over () as b, nth_value(title, 2) over () as c from p',
      'a, b?, c?',
    ],
    ['select sum(a) over () as a, sum(b) over () as b, count(b) over () as c from p', 'a, b?, c'],
    ['select sum(a) over (rows between 1 preceding and current row) as a from p', 'a'],
    ['select sum(a) over (rows between 2 preceding and 1 preceding) as a from p', 'a?'],
    [
      'select sum(a) over (rows between unbounded preceding and unbounded following exclude current row) as a from p',
      'a?',
    ],
    ['select case when body is not null then first_value(body) over (order by body nulls first) end as a from p', 'a?'],
    ['select first_value(body) over () as a from p where body is not null', 'a'],
  ],
  'set-returning functions': [
    ['select g from generate_series(1, 3) g', 'g'],
    ['select generate_series(1, 3) as a', 'a'],
    ['select generate_series(1, 3) as a, generate_series(1, 2) as b', 'a?, b?'],
    ['select x, n from unnest(array[1, 2]) with ordinality t (x, n)', 'x, n'],
    ['select x from unnest(array[1, null]) x', 'x?'],
    ['select t from u, unnest(tags) t', 't?'],
    ["select x from elements('{null}') x", 'x?'],
    ["select unnest(array['1', '2']::jsonb[]::int[]) as x", 'x?'],
    ["select unnest(array[1, 2]::text[]) as x, 1 = any (array['1', '2']::int[]) as y", 'x, y'],
    ['select a, b from unnest(array[1, 2], array[1]) t (a, b)', 'a?, b?'],
    ['select key, value from json_each(\'{"a": null}\')', 'key, value'],
    ['select key, value from json_each_text(\'{"a": null}\')', 'key, value?'],
    ["select x from jsonb_array_elements('[null]') x", 'x'],
    ["select a, b from unnest(array[row(null, 'y')::pair, row(1, null)::pair]) t", 'a?, b?'],
    ["select a, b, n from unnest(array[row(null, 'y')::pair]) with ordinality t (a, b, n)", 'a?, b?, n'],
    ['select n from unnest(array[row(null)::single]) t', 'n?'],
    ["select unnest(array[row(null, 'y')::pair]) as x, (unnest(array[row(null, 'y')::pair])).a", 'x?, a?'],
    ["select x from jsonb_to_recordset('[{}]') as x (a int)", 'x?'],
    ["select a from jsonb_to_recordset('[{}]') as x (a int)", 'a?'],
    [
      "select n, a from xmltable('/r/a' passing ('<r><a/></r>'::xml) columns n for ordinality, a text path 'b') x",
      'n, a?',
    ],
    ['select last_value, is_called from u_id_seq', 'last_value, is_called'],
  ],
  RETURNING: [
    ["insert into base (k, v, w) values (8, 'v', 'w') returning k, v, w", 'k, v, w'],
    ["insert into base (k, w) values (8, 'w') returning v", 'v?'],
    ["insert into base (k, v, w) values (8, 'v', 'w'), (9, null, 'w') returning v", 'v?'],
    ["insert into base (k, v, w) select id + 10, title, 'w' from p returning v", 'v'],
    ["insert into logged values (3, 'v') returning k, v", 'k, v?'],
    ["insert into base values (1, 'v', 'w') on conflict (k) do update set v = 'x' returning v", 'v'],
    ["insert into base values (1, 'v', 'w') on conflict (k) do update set v = excluded.v returning v", 'v'],
    ["insert into base values (1, 'v', 'w') on conflict (k) do update set w = 'x' returning v", 'v?'],
    ["insert into base values (1, 'v', 'w') on conflict do nothing returning v", 'v'],
    ["update base set v = 'x' returning v, w", 'v, w'],
    ['update base set v = null where v is not null returning v', 'v?'],
    ["update base set w = 'x' where v is not null returning v", 'v'],
    ['update logged set k = 4 where v is not null returning v', 'v?'],
    ['update base set v = title from p where p.id = k returning v, title, body', 'v, title, body?'],
    ['delete from base where v is not null returning k, v', 'k, v'],
    ["update base set v = null where upper(v) = 'V' returning upper(v) as a, v || 'x' as b", 'a?, b?'],
    ["update base set v = null where v = 'v' returning case when v is null then null else 5 end as a", 'a?'],
    ["update base set w = 'x' where w = 'w' returning case w when 'x' then null else 1 end as a", 'a?'],
    ["update base set w = 'x' where v = 'v' returning case when v is null then null else 1 end as a", 'a'],
    ["update base set w = 'x' from p where upper(p.body) = 'B' returning p.body, upper(p.body) as a", 'body, a'],
    ["update u set name = null where upper_name = 'A' returning upper_name", 'upper_name?'],
    ['update logged set k = 4 where v is not null returning case when v is null then null else 5 end as a', 'a?'],
    ['update base set v = $$x$$ returning case when v is not null then old.v else $$$$ end as a', 'a?'],
    ['update base set v = null where v is not null returning case when v is null then old.v else v end as a', 'a?'],
    ["update parted set part = 2, x = 'b' returning x", 'x?'],
    ["update parted set part = 2 where x = 'a' returning x, case when x is null then null else 1 end as a", 'x?, a?'],
    ['update base set v = null where v is not null returning old.v as a, new.v as b', 'a, b?'],
    ["insert into base values (8, 'v', 'w') returning old.v as a, old.w as b, new.w as c", 'a?, b?, c'],
    ["update u set tags[1] = 'x' returning tags", 'tags?'],
    ['delete from base returning old.w as a, new.w as b', 'a, b?'],
    ["insert into base_view values (9, null, 'w') returning k, v, w", 'k, v?, w'],
    [
      "merge into base using p on k = p.id when matched then update set v = 'x' when not matched then insert values (p.id + 50, 'a', 'b') returning merge_action() as m, k, v, w, p.title",
      'm, k, v?, w, title',
    ],
    ['merge into base using p on k = p.id + 1 when not matched by source then delete returning k, title', 'k, title?'],
  ],
  'nested in many ways': [
    [
      'select q.email, q.n from (select u.email, count(p.id) as n from u left join p on p.u_id = u.id group by u.email) q',
      'email, n',
    ],
    [
      'with x as (select u.id, p.title from u left join p on p.u_id = u.id) select a.title, b.title as b from x a join x b on a.title = b.title',
      'title, b',
    ],
    ['select y.t from (select x.title as t from (select title from p) x left join u on false) y', 't'],
    ['select y.e from (select u.email as e from (select title from p) x left join u on false) y', 'e?'],
    ['select a.id from u a left join (u b left join p on p.u_id = b.id) on b.id = a.id and p.title is not null', 'id'],
    [
      'select p.title, b.email from u a left join (u b left join p on p.u_id = b.id) on b.id = a.id and p.title is not null where b.id is not null',
      'title, email',
    ],
  ],
}

const database = await freshDatabase(schema)
const client = new pg.Client({ connectionString: database.url, pipeline: true })
await client.connect()
const queries = Object.values(table).flatMap((entries) => entries.map(([sql]) => sql))
const version = Number((await client.query("select current_setting('server_version_num') as v")).rows[0].v)
const catalog = await loadCatalog(client)
const answers = await describeStatements(client, queries)
await loadDefinitions(
  client,
  catalog,
  answers.flatMap((answer) => ('error' in answer ? [] : [answer.tree])),
)

let index = 0
for (const [subject, entries] of Object.entries(table)) {
  for (const [sql, expected] of entries) {
    const answer = answers[index++]!
    test(`${subject}: ${sql}`, async () => {
      if ('error' in answer) {
        // RETURNING old and new, MERGE … RETURNING and SQL/JSON came with 16 to 18.
        assert.ok(version < 180000, answer.error.message)
        return
      }
      const verdicts = analyzeColumns({ ...answer, params: [] }, catalog)
      const found = answer.columns.map(
        ({ name }, column) => `${name}${verdicts[column]!.nullability.nullable ? '?' : ''}`,
      )
      assert.is(found.join(', '), expected)
      await assertNoNulls(
        sql,
        answer.columns.map((_, column) => !verdicts[column]!.nullability.nullable),
      )
    })
  }
}

test('nothing enforces the constraints of a foreign table, nor knows its triggers', async () => {
  const foreign = await freshDatabase(`
    create foreign data wrapper far; create server far foreign data wrapper far;
    create table whole (state text not null, x int, check (state <> 'done' or x is not null)) partition by list (state);
    create foreign table far partition of whole default server far;
    create foreign table alone (state text, x int, check (state <> 'done' or x is not null)) server far`)
  const there = new pg.Client({ connectionString: foreign.url, pipeline: true })
  await there.connect()
  const statements = [
    "select x from whole where state = 'done'",
    "select x from alone where state = 'done'",
    'update whole set x = 1 returning x',
    "insert into alone values ('', 1) returning x",
  ]
  const described = await describeStatements(there, statements)
  const known = await loadCatalog(there)
  await loadDefinitions(
    there,
    known,
    described.map((answer) => ('error' in answer ? null : answer.tree)),
  )
  await there.end()
  await foreign.drop()
  for (const [at, answer] of described.entries()) {
    if ('error' in answer) throw answer.error
    assert.ok(analyzeColumns({ ...answer, params: [] }, known)[0]!.nullability.nullable, statements[at]!)
  }
})

/** Values as the server writes them: the JSON null is no NULL. */
const raw = { getTypeParser: () => (value: string) => value } as unknown as pg.CustomTypesConfig

async function assertNoNulls(sql: string, isNonNull: readonly boolean[]): Promise<void> {
  await client.query('begin')
  try {
    const { rows } = await client.query({ text: sql, rowMode: 'array', types: raw })
    for (const row of rows as unknown[][]) {
      row.forEach((value, column) => {
        assert.not(isNonNull[column] && value === null, `column ${column + 1} is null`)
      })
    }
  } finally {
    await client.query('rollback')
  }
}

test.after(async () => {
  await client.end()
  await database.drop()
})

test.run()
