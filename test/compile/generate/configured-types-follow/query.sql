-- name: direct :many
select id, settings, nicknames, born from users;

-- name: throughSubqueryAndCte :many
with found as (select * from users)
select f.id, f.settings, x.nicknames from found f join (select id, nicknames from users) x using (id);

-- name: throughView :many
select user_id, preferences from profiles;

-- name: throughUnion :many
select id from users union all select author_id from posts union all select id from users;

-- name: sameColumnOnly :many
select id from users union all select id from users;

-- name: notThroughExpressions :many
select id + 1 as next, coalesce(settings, '{}') as settings from users;

-- name: insideDocuments :many
select to_json(u) as whole, jsonb_build_object('owner', p.author_id, 'settings', u.settings) as part,
       array_agg(u.id) as ids, json_agg(u.born) as births, u as row
from users u join posts p on p.author_id = u.id
group by u.id, p.id;

-- name: compare :many
select id from users where id = :id and born > :since;

-- name: listByIds :many
select id from users where id = any(:ids);

-- name: insertUser :exec
insert into users values (:id, :settings, :nicknames, :born);

-- name: changeSettings :exec
with changes as (select :id::int8 as id, :settings::jsonb as settings)
update users set settings = changes.settings from changes where users.id = changes.id;
