-- name: everyKindOfValue :one
insert into posts (author_id, slug, title, tags, location, meta, score)
values (:authorId, :slug, lower(:title), :tags, :location, :meta, coalesce(:score, 0))
returning id, created_at;

-- name: countOnly :exec
insert into posts (author_id, slug, title) values(:authorId, :slug, :title);

-- name: defaults :one
insert into tagged (weight, post_id, tag) values (default, :postId, :tag) returning *;

-- name: defaultInTheMiddle :exec
insert into posts (author_id, tags, slug, meta, title) values (:authorId, default, :slug, default, :title);

-- name: defaultOfAColumnWithoutName :exec
insert into tagged values (:postId, :tag, default);

-- name: doNothing :exec
insert into tagged (post_id, tag) values (:postId, :tag) on conflict do nothing;

-- name: doNothingReturning :opt
insert into tagged (post_id, tag) values (:postId, :tag) on conflict do nothing returning weight;

-- name: upsert :one
insert into tagged (post_id, tag, weight) values (:postId, :tag, :weight)
on conflict (post_id, tag) do update set weight = tagged.weight + :weight
returning weight;

-- name: upsertOfVarchar :exec
insert into authors (key, email, code) values (:key, :email, :code)
on conflict (code) do update set email = excluded.email, code = excluded.code;

-- name: upsertByUuid :exec
insert into authors (key, email) values (:key, :email) on conflict (key) do update set email = excluded.email;

-- name: upsertByCitext :exec
insert into authors (key, email) values (:key, :email) on conflict (email) do update set key = excluded.key;

-- name: upsertSometimes :opt
insert into tagged (post_id, tag, weight) values (:postId, :tag, :weight)
on conflict (post_id, tag) do update set weight = excluded.weight where tagged.weight < excluded.weight
returning weight;

-- name: underATrigger :one
insert into audited (id, name) values (:id, :name) returning id;

-- name: underATriggerCounted :exec
insert into audited (id, name) values (:id, :name);

-- name: anotherTablesValue :exec
insert into posts (author_id, slug, title) values ((select id from authors where email = :email), :slug, :title);

-- name: itsOwnTablesValue :exec
insert into tagged (post_id, tag, weight) values (:postId, :tag, (select max(weight) + 1 from tagged));

-- name: severalRows :exec
insert into tagged (post_id, tag) values (:postId, :a), (:postId, :b);

-- name: fromASelect :exec
insert into tagged (post_id, tag) select id, :tag from posts where author_id = :authorId;

-- name: aVolatileFunctionOfOnesOwn :exec
insert into tagged (post_id, tag, weight) values (:postId, :tag, next_score(:weight));
