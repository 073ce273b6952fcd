-- name: getUser :one
select 1;

-- name: listUsers :many
select 2;

-- name: getUser :opt
select 3;
