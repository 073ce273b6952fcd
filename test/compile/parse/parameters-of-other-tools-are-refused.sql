-- name: questionMarks :many
select * from users where id = ? and name =? limit ? offset ?;

-- name: inLists :exec
insert into users (id, name) values (?, ?::text);

-- name: fineOperators :many
select doc ? 'a', doc->'b' ? :key, (doc) ? (select k from keys limit 1), doc operator(pg_catalog.?) 'a',
  doc operator(?) 'a', doc ?| array['a'], doc @? '$.a'
from docs where doc @> '{"a": 1}' and :a? = 1 and '${x} @id ?' <> "a?";

-- name: absoluteValue :one
select * from users where id = @id and name =@userName;

-- name: fineAbsoluteValues :one
select @ id, @-5, @(id), a <@ b, c@>d from t;

-- name: templates :one
select * from users where id = ${id} and name = ${user.name};
