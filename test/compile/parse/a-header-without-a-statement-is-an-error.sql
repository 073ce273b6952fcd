-- name: a :one
-- Documented, but empty.
;
-- name: b :one
