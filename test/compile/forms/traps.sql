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

-- name: aParameterThatIsInsertedNowhere :exec
insert into counters (id, title) values (:counterId, :title) on conflict (id) do update set title = :newTag;

-- name: aParameterThatIsInsertedOtherwise :exec
insert into counters (id, title) values (:counterId, upper(:title::text)) on conflict (id) do update set title = :title::text;

-- name: aParameterInReturningBehindOnConflict :one
insert into counters (id, title) values (:counterId, upper(:title::text))
on conflict (id) do update set n = 1 returning :title::text as given;

-- name: anAggregateOfAParameter :exec
insert into amounts (n) values ((select count(:title::text) from authors));

-- name: volatileInASubquery :exec
insert into drawn (id, place) values (:orderId, (select nextval('draws')));

-- name: volatileInAWith :exec
with next as (select nextval('draws') as place) insert into drawn (id, place) values (:orderId, (select place from next));

-- name: volatileInFrom :exec
update drawn set place = next.place from (select nextval('draws') as place) as next where id = :orderId;

-- name: aSequenceInAnUpdate :exec
update drawn set place = nextval('draws') where id = :orderId;

-- name: aSequenceByDefaultInAnUpdate :exec
update drawn set id = default, name = :title where id = :orderId;

-- name: aSequenceAheadOfItsDefault :exec
insert into drawn (name, place) values (:title, nextval('draws'));

-- name: aSequenceBesideAnotherDefault :exec
insert into drawn (id, place, name) values (:orderId, nextval('draws'), :title);

-- name: aRule :exec
insert into ruled (id, author_id) values (:orderId, :counterId);

-- name: aTriggerOfWhatIsRead :exec
insert into counted_by_trigger (id, author_id, n) values (:orderId, :counterId, (select n from counters where id = :counterId));

-- name: aDomainThatReadsTheTable :exec
insert into free (name) values (:title);

-- name: aTriggerThatMayMakeKeysOne :exec
insert into anagrams (id, name) values (:orderId, :title) on conflict (name) do update set n = anagrams.n + 1;

-- name: anIndexOfAnotherCollation :exec
insert into loose_index (id, name) values (:orderId, :title) on conflict (name) do update set n = loose_index.n + 1;

-- name: aGeneratedKey :exec
update generated_key set name = :title where code = :tag;

-- name: aGeneratedKeyOfADelete :exec
delete from generated_key where code = :tag;

-- name: aKeyThatIsThrownAway :exec
insert into own_numbers (id) overriding user value values (:orderId) on conflict (id) do update set n = :orderId;

-- name: aTriggerThatWritesNothingElse :exec
insert into anagrams (id, name) values ((select count(*) from counters), :title);

-- name: aDefaultThatMayWriteWhatIsRead :exec
insert into scored (author_id, n) values (:counterId, (select n from counters where id = :counterId));

-- name: aVolatileDefault :exec
insert into scored (author_id) values (:counterId);

-- name: aVolatileDefaultInAnUpdate :exec
update scored set score = default, n = 1 where author_id = :counterId;
