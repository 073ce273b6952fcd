-- name: updateBio :exec
update users set bio = :bio?, email = :email!, note = :note?::text, tags = :tags where id = :id
