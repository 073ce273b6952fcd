-- name: listPostsByAuthor :many
-- Posts of one author, newest first.
--
--   * indentation stays
select id, title
from posts
where author_id = :author_id -- not :this_one
order by created_at desc;

-- Not documentation of anything: it stands behind a statement.

-- name: countPosts :value
-- All of them.

-- Not documentation either: an empty line is between.
select count(*) from posts;
