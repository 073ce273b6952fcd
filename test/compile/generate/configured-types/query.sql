-- name: getUser :one
select id, settings, born, balance, tags from users where id = :id;

-- name: saveSettings :exec
update users set settings = :settings, tags = :tags where id = :id;
