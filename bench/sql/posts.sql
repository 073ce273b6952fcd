-- name: listPosts :many
-- 1000 rows of 5 columns.
select id, author_id, title, title as body, created_at
from posts
order by id
limit 1000;

-- name: listPostsByAuthor :many
select id, author_id, title, created_at
from posts
where author_id = :authorId
order by id;

-- name: report :value
-- Keeps the server waiting for one second.
select count(*) from posts, pg_sleep(1);
