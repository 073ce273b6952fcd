-- name: a
select 1;
-- name: b returns one row
select 1;
-- name: get_user^
select 1;
