-- name: severalParameters :many
select post_id, tag from tagged where post_id = :postId and tag = :tag;

-- name: moreThanAnEquality :many
select id, title from posts where created_at > :since order by created_at;

-- name: aUuid :opt
select id from authors where key = :key;

-- name: textThatIsEqualButLooksDifferent :opt
select id from authors where email = :email;

-- name: aNondeterministicCollation :many
select id from authors where nick = :nick;

-- name: aNumeric :many
select id from posts where score = :score;

-- name: twiceTheSame :many
select * from posts where author_id = :who or author_id = :who + 1;

-- name: aCast :many
select id from posts where author_id = :authorId::integer;

-- name: inAnOuterJoin :many
select p.id, t.tag from posts p left join tagged t on t.post_id = p.id and t.weight > :weight;

-- name: inASubquery :many
select id from posts where exists (select from tagged where post_id = posts.id and tag = :tag) and author_id = :authorId;
