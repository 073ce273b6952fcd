-- What the generator has to know of a database, read from PostgreSQL's system catalogs (versions 14 to 18).
-- Where a query takes OIDs, null stands for everything that was not there when the database was made: what PostgreSQL
-- brings along has OIDs below 16384 (FirstNormalObjectId), and is read only if a query mentions it.

-- name: listTypes :many
-- Every type, with what makes up the composed ones. Extension and comment of those that PostgreSQL does not bring along.
select
  t.oid,
  n.nspname::text as schema,
  t.typname::text as name,
  t.typtype::text as kind,
  t.typcategory::text as category,
  case when t.typsubscript = 'array_subscript_handler'::regproc then t.typelem else 0::oid end as element_oid,
  t.typarray as array_oid,
  t.typrelid as relation_oid,
  t.typbasetype as base_oid,
  t.typtypmod as modifier,
  t.typndims as dimensions,
  t.typnotnull as not_null,
  t.typdefault is not null as has_default,
  coalesce(r.rngsubtype, m.rngtypid, 0::oid) as range_of_oid,
  case when t.oid >= 16384 then (
    select x.extname::text
    from pg_catalog.pg_depend d
    join pg_catalog.pg_extension x on x.oid = d.refobjid
    where d.classid = 'pg_catalog.pg_type'::regclass and d.objid = t.oid and d.deptype = 'e'
  ) end as extension,
  case when t.oid >= 16384 then obj_description(t.oid, 'pg_type') end as comment
from pg_catalog.pg_type t
join pg_catalog.pg_namespace n on n.oid = t.typnamespace
left join pg_catalog.pg_range r on r.rngtypid = t.oid
left join pg_catalog.pg_range m on m.rngmultitypid = t.oid
order by t.oid;

-- name: listEnumLabels :many
-- The labels of every enum, in the enum's order.
select e.enumtypid as type_oid, array_agg(e.enumlabel::text order by e.enumsortorder) as labels
from pg_catalog.pg_enum e
group by e.enumtypid;

-- name: listRelations :many
-- Everything with columns: tables, views, materialized views, foreign and partitioned tables, composite types.
-- `descendants` are the tables whose rows a query of this one returns too.
select
  c.oid,
  n.nspname::text as schema,
  c.relname::text as name,
  c.relkind::text as kind,
  c.reltype as row_type_oid,
  c.relrowsecurity as row_security,
  exists (
    select from pg_catalog.pg_rewrite w where w.ev_class = c.oid and w.ev_type <> '1' and w.ev_enabled <> 'D'
  ) as has_rules,
  array(
    select t.tgtype::int4 from pg_catalog.pg_trigger t
    where t.tgrelid = c.oid and (not t.tgisinternal or t.tgparentid <> 0) and t.tgenabled <> 'D'
  ) as trigger_types,
  array(
    select t.tgtype::int4 from pg_catalog.pg_trigger t
    join pg_catalog.pg_proc p on p.oid = t.tgfoid
    join pg_catalog.pg_language l on l.oid = p.prolang
    where t.tgrelid = c.oid and not t.tgisinternal and t.tgenabled <> 'D' and l.lanname not in ('internal', 'c') and (
      l.lanname <> 'plpgsql'
      or p.prosrc ~* '\m(insert|update|delete|merge|select|perform|call|execute|copy|truncate)\M'
    )
  ) as writing_trigger_types,
  case when c.relhassubclass then array(
    with recursive descendant (oid) as (
      select i.inhrelid from pg_catalog.pg_inherits i where i.inhparent = c.oid
      union
      select i.inhrelid from descendant join pg_catalog.pg_inherits i on i.inhparent = descendant.oid
    )
    select descendant.oid from descendant
  ) else '{}' end as descendants,
  t.description as comment
from pg_catalog.pg_class c
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
left join pg_catalog.pg_description t
  on t.classoid = 'pg_catalog.pg_class'::regclass and t.objoid = c.oid and t.objsubid = 0
where case
  when :relationOids::oid[] is null then c.oid >= 16384 and c.relkind in ('r', 'v', 'm', 'f', 'p', 'c')
  else c.oid = any (:relationOids)
end
order by n.nspname, c.relname;

-- name: listColumns :many
-- The columns of all those, in order. A NOT NULL that was added NOT VALID (18) says nothing of the rows that are there.
select
  a.attrelid as relation_oid,
  a.attnum as number,
  a.attname::text as name,
  a.atttypid as type_oid,
  a.atttypmod as modifier,
  a.attndims as dimensions,
  a.attnotnull as not_null,
  a.attnotnull and not exists (
    select from pg_catalog.pg_constraint k
    where k.conrelid = a.attrelid and k.contype = 'n' and not k.convalidated and a.attnum = any (k.conkey)
  ) as proven_not_null,
  a.attidentity::text as identity,
  a.attgenerated::text as generated,
  d.adbin::text as default_tree,
  t.description as comment
from pg_catalog.pg_attribute a
join pg_catalog.pg_class c on c.oid = a.attrelid
left join pg_catalog.pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
left join pg_catalog.pg_description t
  on t.classoid = 'pg_catalog.pg_class'::regclass and t.objoid = a.attrelid and t.objsubid = a.attnum
where a.attnum > 0 and not a.attisdropped and case
  when :relationOids::oid[] is null then c.oid >= 16384 and c.relkind in ('r', 'v', 'm', 'f', 'p', 'c')
  else c.oid = any (:relationOids)
end
order by a.attrelid, a.attnum;

-- name: listUniqueIndexes :many
-- Every valid unique index. An index over an expression has column 0 in its place.
select
  i.indexrelid as oid,
  i.indrelid as relation_oid,
  c.relname::text as name,
  i.indisprimary as is_primary,
  i.indimmediate as is_immediate,
  coalesce((to_jsonb(i) ->> 'indnullsnotdistinct')::bool, false) as nulls_not_distinct,
  array(
    select k.number from unnest(i.indkey::int2[]) with ordinality as k (number, position)
    where k.position <= i.indnkeyatts order by k.position
  ) as columns,
  i.indcollation::oid[] as collation_oids,
  i.indexprs::text as expression_trees,
  i.indpred::text as predicate_tree
from pg_catalog.pg_index i
join pg_catalog.pg_class c on c.oid = i.indexrelid
where i.indisunique and i.indisvalid
  and case when :relationOids::oid[] is null then c.oid >= 16384 else i.indrelid = any (:relationOids) end
order by i.indrelid, i.indisprimary desc, c.relname;

-- name: listConstraints :many
-- Validated CHECK constraints of tables and domains, and foreign keys.
select
  k.oid,
  k.conname::text as name,
  k.contype::text as kind,
  k.conrelid as relation_oid,
  k.contypid as type_oid,
  k.connoinherit as no_inherit,
  k.condeferrable as is_deferrable,
  k.confrelid as target_oid,
  coalesce(k.conkey, '{}') as columns,
  coalesce(k.confkey, '{}') as target_columns,
  k.confmatchtype::text as match_type,
  k.conbin::text as check_tree
from pg_catalog.pg_constraint k
where k.contype in ('c', 'f') and k.convalidated
order by k.oid;

-- name: listFunctions :many
-- These functions, aggregates and window functions. An aggregate is as volatile as what it is made of.
select
  p.oid,
  n.nspname::text as schema,
  p.proname::text as name,
  p.prokind::text as kind,
  p.proisstrict as is_strict,
  p.proretset as returns_set,
  case when exists (
    select from pg_catalog.pg_aggregate a
    join pg_catalog.pg_proc part on part.oid in (a.aggtransfn, a.aggfinalfn, a.aggmtransfn, a.aggmfinalfn)
    where a.aggfnoid = p.oid and part.provolatile = 'v'
  ) then 'v' else p.provolatile::text end as volatility,
  p.prorettype as return_type_oid,
  p.proargtypes::oid[] as argument_type_oids,
  p.proargdefaults::text as default_trees,
  l.lanname::text as language,
  x.extname::text as extension
from pg_catalog.pg_proc p
join pg_catalog.pg_namespace n on n.oid = p.pronamespace
join pg_catalog.pg_language l on l.oid = p.prolang
left join pg_catalog.pg_depend d
  on d.classid = 'pg_catalog.pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e'
left join pg_catalog.pg_extension x on x.oid = d.refobjid
where p.oid = any (:functionOids)
order by p.oid;

-- name: listFunctionNames :values
-- The names of all functions, for "did you mean".
select distinct p.proname::text as name
from pg_catalog.pg_proc p
order by name;

-- name: listOperators :many
-- These operators, and the functions behind them.
select
  o.oid,
  n.nspname::text as schema,
  o.oprname::text as name,
  o.oprcode::oid as function_oid,
  o.oprcom as commutator_oid,
  o.oprnegate as negator_oid
from pg_catalog.pg_operator o
join pg_catalog.pg_namespace n on n.oid = o.oprnamespace
where o.oid = any (:operatorOids)
order by o.oid;

-- name: listViewTrees :many
-- The analyzed query of each of these views and materialized views.
select w.ev_class as relation_oid, w.ev_action::text as tree
from pg_catalog.pg_rewrite w
where w.ev_type = '1' and w.ev_class = any (:relationOids)
order by w.ev_class;

-- name: listSqlBodies :many
-- The bodies of these functions, if they are written in SQL: a tree, or null where the body is a text.
select p.oid, p.prosqlbody::text as tree, p.proconfig is not null as has_settings
from pg_catalog.pg_proc p
join pg_catalog.pg_language l on l.oid = p.prolang
where l.lanname = 'sql' and p.prokind = 'f' and p.oid = any (:functionOids)
order by p.oid;
