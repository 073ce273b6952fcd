-- name: a :one
select 1 /* outer /* inner */
from posts;
-- name: b :one
select 2;
