-- name: first :one unproven
select 1;
-- name: second :one -- unproven
select 2;
-- name: third :one
-- Documented.
-- unproven
select 3;
