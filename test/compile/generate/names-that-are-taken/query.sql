-- name: list :many
select "date", value, list_row, settings, record, numbered, at, json from t;

-- name: listRowPosts :many
select id from t;

-- name: listWithPosts :many
select json_agg(t.id) as posts, json_build_object('a', 1, 'A', 2, 'a_b', 3, 'aB', 4) as post,
       json_build_object('x', 1) as "Post", to_json((t.numbered)) as numbered
from t group by t.id;

-- name: listWithPostsRowPost :many
select t, json_build_object('1', id) as numbered, row(numbered) as of_numbered from t;
