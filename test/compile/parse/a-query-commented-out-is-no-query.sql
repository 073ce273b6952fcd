-- name: alive :one
select 1;

/*
-- name: dead :one
select 2;
*/
