-- name: wrongColumn :many
select id,
       nmae
from users;

-- name: wrongTable :many
select * from user_s;

-- name: wrongFunction :many
select lenght(name) from users;

-- name: wrongSyntax :many
select id form users where;

-- name: wrongType :many
select * from users where id = 'abc'::int and name = 1;

-- name: untypedParameter :many
select id from users order by :what;

-- name: mixedParameter :exec
insert into orders (id, user_id) values (:id, :id::text);

-- name: noArbiter :exec
insert into orders (id, user_id) values (:id, :userId)
on conflict (user_id) do nothing;

-- name: arbiter :exec
insert into orders (id, user_id) values (:id, :userId) on conflict (id) do nothing;

-- name: fine :many
select id from users;
