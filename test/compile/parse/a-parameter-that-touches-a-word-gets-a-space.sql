-- name: touching :many
select 1 from posts limit:n offset(:skip)
