-- name: a :one unprovn
select 1;
-- name: b :many all the rows
select 1;
