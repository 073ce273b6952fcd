-- name: listEvents :many
-- 100 rows of 20 columns.
select * from events;
