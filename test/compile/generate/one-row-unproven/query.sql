-- name: byPartOfKey :opt
select id from users where slug = :slug;
-- name: byDeferrableKey :opt
select id from users where email = :email and deleted_at > now();
-- name: noKeys :one
select text from log where at = :at;
-- name: joinedManyTimes :opt
select u.id, p.title from users u left join posts p on p.author_id = u.id where u.id = :id;
-- name: outerCondition :opt
select p.id from posts p left join users u on p.id = :id and u.id = p.author_id;
-- name: groups :value
select count(*) from posts group by author_id;
-- name: arms :value
select id from users where id = :id union all select id from posts where id = :id;
-- name: listed :value
select unnest(:ids::int[]);
-- name: inherited :opt
select id from parent where id = :id;
-- name: withTies :opt
select id from posts order by author_id fetch first row with ties;
-- name: both :opt
select u.id from users u full join posts p on false where u.id = :id and p.id = :postId;
-- name: updateMany :opt
update posts set title = :title where author_id = :authorId returning id;
-- name: insertMany :one
insert into posts values (1, 1, 'a'), (2, 1, 'b') returning id;
-- name: anyOf :opt
select id from users where id = any(:ids);
-- name: trustMe :opt unproven
-- The author knows better.
select id from users where slug = :slug;
-- name: flagForNothing :opt unproven
select id from users where id = :id;
-- name: flagOnMany :many unproven
select id from users;
-- name: drawn :opt
select id from users where id = (random() * 10)::int;
-- name: otherExpression :opt
select id from people where upper(email) = :email and tenant = :tenant;
-- name: ofAnotherTable :opt
select a.id from people a join people b on b.id = :id where lower(b.email) = :email and a.tenant = :tenant;

-- name: underAnotherCollation :opt
select 1 as n from words where word = :word collate german;
-- name: widerByACast :opt
select 1 as n from words where word::bpchar = :word;
-- name: expressionUnderAnotherCollation :opt
select 1 as n from words where lower(word) = :word collate german;
