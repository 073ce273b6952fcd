-- name: getUser :one
select 1;
-- name: get_user :one
select 2;
