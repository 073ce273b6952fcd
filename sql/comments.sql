-- name: getComment :opt
-- One comment by id.
select id, post_id, author_id, body, created_at
from comments
where id = :id;

-- name: listComments :many
-- A page of all comments, oldest first: `limit` at most, those behind `afterId`; the first page is behind 0.
select id, post_id, author_id, body, created_at
from comments
where id > :afterId
order by id
limit :limit;

-- name: listCommentsByPost :many
-- Comments on one post with their authors' names, oldest first.
select comments.id, comments.body, comments.created_at,
       comments.author_id, users.full_name as author_name
from comments
join users on users.id = comments.author_id
where comments.post_id = :postId
order by comments.id;

-- name: listCommentsByPosts :many
-- Comments on many posts in one round trip: by post, oldest first.
select id, post_id, author_id, body, created_at
from comments
where post_id = any(:postIds)
order by post_id, id;

-- name: listPostsWithCommentCount :many
-- An author's posts, newest first, each with the number of its comments; 0 for those without.
select posts.id, posts.title, count(comments.id) as comment_count
from posts
left join comments on comments.post_id = posts.id
where posts.author_id = :authorId
group by posts.id, posts.title
order by posts.id desc;

-- name: countComments :value
-- How many comments there are.
select count(*) from comments;

-- name: countCommentsByPost :value
-- How many comments a post has.
select count(*) from comments where post_id = :postId;

-- name: createComment :one
-- Fails with ForeignKeyViolationError if there is no such post or author.
insert into comments (post_id, author_id, body)
values (:postId, :authorId, :body)
returning id, post_id, author_id, body, created_at;

-- name: updateComment :opt
-- The comment as changed, or null if there is none with this id.
update comments
set body = :body
where id = :id
returning id, post_id, author_id, body, created_at;

-- name: deleteComment :exec
-- 1 if the comment was there, else 0.
delete from comments
where id = :id;
