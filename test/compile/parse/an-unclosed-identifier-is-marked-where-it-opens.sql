-- name: a :one
select 1 as "name!
from posts
