-- name: quoted :one
select '
-- name: inner :one
' as text;
