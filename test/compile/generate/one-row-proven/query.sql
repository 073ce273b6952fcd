-- name: byPrimaryKey :opt
select * from users where id = :id;
-- name: byUniqueColumn :opt
select id from users where email = :email;
-- name: bySeveralColumns :opt
select id from users where (tenant, slug) = (:tenant, :slug);
-- name: byFlag :opt
select id from users where is_root;
-- name: byPartialKey :opt
select id from users where deleted_at is null and email = :email and tenant = :tenant;
-- name: byConstant :opt
select id from users where id = 1 and email like 'a%';
-- name: limited :opt
select id from users order by id limit 1;
-- name: fetched :opt
select id from users order by id fetch first row only;
-- name: aggregated :one
select count(*), max(id) from users;
-- name: oneGroup :opt
select author_id, count(*) from posts where author_id = :authorId group by author_id;
-- name: oneDistinct :opt
select distinct author_id from posts where author_id = :authorId;
-- name: joinedAlongKeys :opt
select p.id, u.email, s.theme
from posts p
join users u on u.id = p.author_id
left join settings s on s.user_id = u.id
where p.id = :id;
-- name: joinedBackwards :opt
select u.id, s.theme from settings s right join users u on s.user_id = u.id where u.id = :id;
-- name: throughView :opt
select slug from live_users where id = :id;
-- name: throughGroups :opt
select posts from post_counts where author_id = :id;
-- name: throughSubquery :opt
with found as (select id, email from users) select email from (select * from found) as f where f.id = :id;
-- name: lateralAggregate :opt
select u.id, p.count from users u cross join lateral (select count(*) from posts where author_id = u.id) p where u.id = :id;
-- name: lateralLimit :opt
select u.id, p.id as post from users u left join lateral (select id from posts where author_id = u.id limit 1) p on true
where u.id = :id;
-- name: byScalarSubquery :opt
select id from users where id = (select author_id from posts where posts.id = :postId);
-- name: noTable :one
select now();
-- name: fromFunction :one
select * from upper(:word) as word;
-- name: insertOne :one
insert into posts values (:id, :authorId, :title) returning id;
-- name: upsertOne :opt
insert into posts values (:id, :authorId, :title) on conflict do nothing returning id;
-- name: insertFromOne :opt
insert into posts select :postId, id, email from users where id = :id returning id;
-- name: updateOne :opt
update posts set title = :title where id = :id returning id;
-- name: deleteOne :opt
delete from posts where id = :id returning id;
-- name: updateFrom :opt
update posts set title = u.email from users u where u.id = posts.author_id and posts.id = :id returning posts.id;
-- name: intersected :opt
select id from users intersect select author_id from posts where id = :id;
-- name: partitioned :opt
select id from parts where id = :id and region = :region;
-- name: commonTable :value
with made as (insert into posts values (:id, :authorId, :title) returning id) select id from made;
-- name: byExpression :opt
select id from people where lower(email) = lower(:email) and tenant = :tenant;
-- name: byExpressionInJoin :opt
select p.id from users u left join people p on lower(p.email) = u.email and p.tenant = u.tenant where u.id = :id;

-- name: underItsOwnCollation :opt
select 1 as n from words where german = :word;
-- name: ofItsOwnType :opt
select 1 as n from words where code = :code;
-- name: asText :opt
select 1 as n from words where name = :name::text;
-- name: ofAnExpressionUnderItsOwnCollation :opt
select 1 as n from words where lower(german) = :word;
