-- name: a :mny
select 1;
-- name: b :execrows
select 1;
-- name: c :whatever
select 1;
