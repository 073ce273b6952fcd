-- name: marks :many
select name as "name!", total as "total?", 1 as "?column?", 2 as "odd name" from t where name = :name? and id = :id!;

-- name: ownNames :many
-- A mark is an alias: a column whose own name ends so has none.
select * from odd;
