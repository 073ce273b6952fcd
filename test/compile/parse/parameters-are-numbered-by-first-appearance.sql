-- name: search :many
select * from posts where author_id = :author and (title like :q or content like :q) and author_id <> :author limit :n
