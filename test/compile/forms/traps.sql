-- name: aParameterInReturning :one
insert into tagged (post_id, tag) values (:postId, :tag) returning weight, concat(:title::text, '!') as given;

-- name: bigintOrNumber :opt
update counters set title = :title, n = n + 1 where id = :counterId returning title, n;

-- name: quotedStar :opt
update "order" set note = :title where id = :orderId returning *;

-- name: naturalChange :exec
delete from counters using parts natural join volumes where counters.id = :counterId and book = :book;

-- name: aStableFunctionOfTheTable :exec
insert into tagged (post_id, tag, weight) values (:postId, :tag, next_weight(:postId));

-- name: aStableFunctionThatCannotBeRead :exec
insert into tagged (post_id, tag, weight) values (:postId, :tag, opaque_weight(:postId));

-- name: aStableFunctionOfTheSession :exec
insert into tagged (post_id, tag, weight) values (:postId, :tag, session_weight());

-- name: aDefaultThatReadsTheTable :exec
insert into listed (list, name) values (:postId, :title);

-- name: currentValue :one
insert into roots (name, root) values (:title, currval('roots_id_seq')) returning id = root as is_its_own;

-- name: lastValue :one
insert into roots (name, root) values (:title, lastval()) returning id = root as is_its_own;

-- name: aTriggerBehindOnConflict :exec
insert into shouted (id, name) values (:orderId, :title) on conflict (id) do update set name = :title;

-- name: aTriggerOfUpdate :opt
insert into steady (id, name) values (:orderId, :title) on conflict (id) do update set name = excluded.name returning name;
