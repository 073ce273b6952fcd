-- name: first :one
select 'never closed;
-- name: second :one
select 'fine', 'too';
-- name: third :mny
select 1;
