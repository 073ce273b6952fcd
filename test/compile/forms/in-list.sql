-- name: byKeyThatIsSelected :many
select id, author_id, title from posts where author_id = :authorId order by id desc;

-- name: byKeyThatIsNotSelected :many
select title -- only this
from posts
where author_id = :authorId and title <> '';

-- name: byQualifiedKeyOfAJoin :many
select p.title from posts p left join authors a on a.id = p.author_id where a."code" = :code;

-- name: allColumns :opt
select * from posts where id = :id;

-- name: textOfADomain :opt
select title from posts where slug = :slug;

-- name: anEnum :values
select email from authors where mood = :mood;

-- name: lockedRows :many
select id, title from posts where id = :id for update;

-- name: aCountBesideARow :many
select id, (select count(*) from tagged where post_id = posts.id) as tags, x is distinct from null as said
from posts, extract(year from created_at) as x
where author_id = :authorId;
