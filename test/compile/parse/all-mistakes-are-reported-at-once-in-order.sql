-- name: class :one
select $1;
-- name: b :optt
select :x?, :x!; select 2
