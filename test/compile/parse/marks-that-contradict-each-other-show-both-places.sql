-- name: a :many
select :a?, :b
where :a! > 1
