-- name: :one
select 1;
-- name:
select 1;
