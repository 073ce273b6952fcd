-- name: getTag :opt
-- One tag by id.
select id, name
from tags
where id = :id;

-- name: getTagByName :opt
-- One tag by its name.
select id, name
from tags
where name = :name;

-- name: listTags :many
-- All tags, by name.
select id, name
from tags
order by name;

-- name: listTagNamesByPost :values
-- The names of a post's tags, by name.
select tags.name
from tags
join post_tags on post_tags.tag_id = tags.id
where post_tags.post_id = :postId
order by tags.name;

-- name: countTags :value
-- How many tags there are.
select count(*) from tags;

-- name: ensureTag :one
-- The tag of this name, made if there is none.
insert into tags (name)
values (:name)
on conflict (name) do update set name = excluded.name
returning id, name;

-- name: tagPost :exec
-- 1 if the post got the tag now, 0 if it had it already.
insert into post_tags (post_id, tag_id)
values (:postId, :tagId)
on conflict do nothing;

-- name: untagPost :exec
-- 1 if the post had the tag, else 0.
delete from post_tags
where post_id = :postId
  and tag_id = :tagId;

-- name: renameTag :opt
-- The tag as changed, or null if there is none with this id.
update tags
set name = :name
where id = :id
returning id, name;

-- name: deleteTag :exec
-- 1 if the tag was there, else 0. Posts lose it.
delete from tags
where id = :id;
