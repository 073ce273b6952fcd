-- name: a :one
select $1, :b, $2
