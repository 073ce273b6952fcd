-- name: withoutParameters :many
select id from posts;

-- name: aVolatileFunction :value
select nextval('posts_id_seq') + :offset::integer as next;

-- name: aFunctionOfOnesOwn :many
select next_score(author_id) from posts where id = :id;

-- name: skipLocked :opt
select id from posts where author_id = :authorId limit 1 for update skip locked;

-- name: writesInWith :many
with gone as (delete from tagged where post_id = :postId returning tag) select tag from gone;

-- name: countedByAVolatileAggregate :value
select volatile_count(1) from posts where id > :id;

-- name: aDefaultThatIsVolatile :value
select numbered(id) from posts where id = :id;

-- name: aDomainWhoseCheckIsVolatile :value
select (id + 1)::counted from posts where id = :id;

-- name: aParameterOfSuchADomain :value
select id from posts where id = :id::recounted;

-- name: aFunctionWithLineBreaksInItsName :value
select "odd
throw 'out of a comment' //"(id::integer) from posts where id = :id;
