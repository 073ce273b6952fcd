-- name: getPost :opt
-- One post by id.
select id, author_id, title, content, created_at
from posts
where id = :id;

-- name: getPostWithAuthor :opt
-- One post by id, and who wrote it.
select posts.id, posts.title, posts.content, posts.created_at,
       users.id as author_id, users.email as author_email, users.full_name as author_name
from posts
join users on users.id = posts.author_id
where posts.id = :id;

-- name: listPosts :many
-- A page of all posts, newest first: `limit` at most, after `offset` others.
-- Far pages take longer, and rows move between pages while posts are written; listUsers shows the other way.
select id, author_id, title, content, created_at
from posts
order by id desc
limit :limit offset :offset;

-- name: listPostsByAuthor :many
-- Posts of one author, newest first.
select id, author_id, title, content, created_at
from posts
where author_id = :authorId
order by id desc;

-- name: listPostsByAuthors :many
-- Posts of many authors in one round trip: by author, newest first.
select id, author_id, title, content, created_at
from posts
where author_id = any(:authorIds)
order by author_id, id desc;

-- name: listPostsByTag :many
-- Posts that have the tag, newest first.
select posts.id, posts.author_id, posts.title, posts.content, posts.created_at
from posts
join post_tags on post_tags.post_id = posts.id
join tags on tags.id = post_tags.tag_id
where tags.name = :tag
order by posts.id desc;

-- name: countPosts :value
-- How many posts there are.
select count(*) from posts;

-- name: countPostsByAuthor :value
-- How many posts an author has.
select count(*) from posts where author_id = :authorId;

-- name: createPost :one
-- Fails with ForeignKeyViolationError if there is no such author.
insert into posts (author_id, title, content)
values (:authorId, :title, :content)
returning id, author_id, title, content, created_at;

-- name: updatePost :opt
-- The post as changed, or null if there is none with this id.
update posts
set title = :title,
    content = :content
where id = :id
returning id, author_id, title, content, created_at;

-- name: deletePost :exec
-- 1 if the post was there, else 0. Its comments go with it.
delete from posts
where id = :id;
