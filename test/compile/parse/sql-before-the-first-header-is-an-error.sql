select 1
from posts;

-- name: x :one
select 2;
