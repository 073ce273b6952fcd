-- name: a :many
select :user_id, :userId
