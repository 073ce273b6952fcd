-- name: byKey :opt
update posts set title = :title, tags = :tags where id = :id returning id, title;

-- name: allColumnsOfIt :opt
update posts p set meta = :meta where p.id = :id and p.title <> '' returning *;

-- name: counted :exec
update posts
set title = case when :title is distinct from '' then :title else title end
where author_id = :authorId;

-- name: byUuid :exec
update authors set nick = :nick where key = :key;

-- name: fromAnotherTable :exec
update posts set title = authors.nick from authors where authors.id = posts.author_id and posts.id = :id;

-- name: fromARightJoin :exec
update posts set title = a.nick from tagged t right join authors a on t.weight = a.id where posts.id = :id;

-- name: theKeyItself :exec
update tagged set tag = :newTag where post_id = :postId and tag = :tag;

-- name: twoInputsOneRow :exec
update posts set title = :title where created_at < :before;

-- name: byCitext :exec
update authors set nick = :nick where email = :email;

-- name: readsItself :exec
update posts set title = (select max(title) from posts) || :suffix where id = :id;

-- name: throughAView :exec
update titles set title = :title where id = :id;

-- name: deleted :exec
delete from tagged where post_id = :postId and weight < :weight;

-- name: deletedReturning :opt
delete from only tagged as t where t.post_id = :postId and t.tag = :tag returning *;

-- name: deletedUsing :exec
delete from tagged using posts where posts.id = tagged.post_id and posts.author_id = :authorId;

-- name: deletedReturningWithoutKey :many
delete from tagged where weight < :weight returning post_id, tag;
