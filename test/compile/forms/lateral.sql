-- name: theNewestOfEach :many
select id, title from posts where author_id = :authorId order by id desc limit :limit;

-- name: anAggregate :value
select count(*) from posts where author_id = :authorId;

-- name: grouped :many
select tag, count(*) from tagged where weight > :weight group by tag;

-- name: distinctRows :many
select distinct on (author_id) author_id, id from posts where id > :afterId order by author_id, id desc;

-- name: ranked :many
select id, rank() over (order by id) from posts where author_id = :authorId;

-- name: aUnion :many
select id from posts where author_id = :authorId union all select id from authors where id = :authorId;

-- name: aRightJoin :many
select t.tag, p.id from tagged t right join posts p on p.id = t.post_id and t.tag = :tag;

-- name: aRecursion :many
with recursive up as (
  select id from posts where id = :id
  union
  select posts.id from posts join up on posts.id = up.id - 1
)
select id from up;

-- name: withoutFrom :value
select :weight::integer + 1 as sum;

-- name: aComment :many
select id from posts where author_id = :authorId limit 1 -- the first one
