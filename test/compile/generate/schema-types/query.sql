-- name: listUsers :many
select id from users;
