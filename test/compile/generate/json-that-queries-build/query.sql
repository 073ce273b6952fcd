-- name: listUsersWithPosts :many
-- Users with their posts: joined loading in one round trip.
select u.id, coalesce(json_agg(json_build_object('id', p.id, 'title', p.title, 'published_at', p.published_at)
                               order by p.id) filter (where p.id is not null), '[]') as posts
from users u
left join posts p on p.author_id = u.id
group by u.id;

-- name: listPostsWithAuthor :many
-- A whole row under a left join is null if there is none.
select p.id, to_jsonb(u) as author
from posts p
left join users u on u.id = p.author_id and u.full_name is not null;

-- name: listPostsWithRow :many
-- A row built of a row that is not there is there, and full of nulls.
select p.id, row_to_json((select x from (select u.id, u.email) x)) as author
from posts p
left join users u on u.id = p.author_id;

-- name: listNested :many
select u.id, posts.list as posts
from users u
cross join lateral (
  select coalesce(jsonb_agg(to_jsonb(p) || jsonb_build_object('comments', comments.list)), '[]'::jsonb) as list
  from posts p
  cross join lateral (
    select coalesce(jsonb_agg(c - 'post_id'), '[]') as list
    from (select to_jsonb(c) as c from comments c where c.post_id = p.id) as c
  ) as comments
  where p.author_id = u.id
) as posts;

-- name: listAuthors :many
with found as (select * from authors)
select id, posts from found;

-- name: getDocument :value
select to_json(u) from users u where u.id = :id;

-- name: listTitles :values
select json_agg(title) from posts group by author_id;

-- name: getTuple :value
select json_build_array(1, 'two', null, now(), 3.5);

-- name: countsByTitle :value
select coalesce(json_object_agg(title, id), '{}') from posts;

-- name: standardConstructors :many
select json_object('id': p.id, 'price': p.price) as object,
       json_object('id': p.id absent on null returning jsonb) as without_null,
       json_object('price': p.price absent on null) as unknown,
       json_array(p.id, p.title) as pair,
       (select json_arrayagg(c.body) from comments c where c.post_id = p.id) as bodies,
       json_object('id': p.id returning text) as as_text
from posts p;

-- name: rows :many
select u, row(u.id, u.full_name) as pair, array(select p from posts p where p.author_id = u.id) as posts
from users u;

-- name: arms :many
select json_build_object('kind', 'user', 'id', id, 'name', full_name) as item from users
union all
select json_build_object('kind', 'post', 'id', id::int, 'name', title) from posts;

-- name: notFollowed :many
select settings -> 'theme' as theme, json_strip_nulls(to_json(u)) as stripped,
       json_build_object(email, id) as own_keys, settings || '{"a": 1}' as changed
from users u;

-- name: casesOfNull :many
select case when p.id is null then null else json_build_object('id', p.id) end as post,
       json_build_object('post', to_json(p), 'nothing', null, 'empty', '[]'::json) as holder
from users u
left join posts p on p.author_id = u.id;

-- name: singleValues :many
select to_json(created_at) as at, to_jsonb(id) as id, to_json(mood) as mood, to_json(home) as home,
       array_agg(to_json(full_name)) as names, array_agg(to_jsonb(u)) as documents
from users u
group by id;

-- name: sameNames :one
select to_jsonb(x), to_json(x), x as row, case when x is null then y else x end as either
from (select 1 as a, 'two' as a, 3 as "a_b", 4 as "aB") x, (select 5 as a, 'six' as a, 7 as "a_b", 8 as "aB") y;
