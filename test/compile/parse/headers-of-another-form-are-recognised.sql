-- name a :one
select 1;
-- query: b :many
select 1;
-- c :exec
select 1;
/* name: d :one */
select 1;
/* @name GetE */
select 1;
select 1; -- name: f :one
select 1;
