-- name: delete :exec
delete from posts;
-- name: get-user :one
select 1;
-- name: 2nd :one
select 1;
