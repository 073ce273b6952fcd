-- name: rowsThrownAway :exec
select id from users where name = :name;

-- name: fineBecauseItLocks :exec
select id from users for update;

-- name: fineBecauseOfTheFunction :exec
select note(name) from users;

-- name: fineBecauseItWrites :exec
with gone as (delete from users returning id) select id from gone;

-- name: sortedByAValue :many
select id, name from users where :column <> '' order by id, :column desc limit :limit;

-- name: groupedByAValue :values
select count(*) from users group by :column::text collate "C";

-- name: windowSortedByAValue :values
select row_number() over (partition by name order by :column::int) from users;

-- name: fineByAnExpression :many
select id, name from users order by case when :column = 'name' then name end, id + :offset;

-- name: fineWhereItIsSelected :many
select :label::text as label, count(*) as n from users group by :label;
