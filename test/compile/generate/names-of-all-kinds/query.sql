-- name: odd_names :many
select id, "Mixed Case", __proto__, "back`tick ${x} \d", E'\\' as "it's" from "Odd Table" where id = :some_id;

-- name: unnamed :many
select 1, 'two', 3;

-- name: joined :many
select a.id, b.id from "Odd Table" a join "Odd Table" b on a.id = b.id;
