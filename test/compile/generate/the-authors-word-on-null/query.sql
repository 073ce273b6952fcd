-- name: marks :many
select name as "name!", total as "total?", 1 as "?column?", 2 as "odd name" from t where name = :name? and id = :id!;
