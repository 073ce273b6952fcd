-- name: hinted :many
-- Uses the index.
/*+ IndexScan(posts) */ select * from posts
