-- name: getItem :one
-- One item.
-- Throws where there is none; a comment's end */ does no harm.
select id, name, note from items where id = :id;

-- name: findItem :opt
select id, name, note from items where name = :name;

-- name: listItems :many
select id, name from items order by id;

-- name: countItems :value
select count(*) from items;

-- name: listNotes :values
select note from items order by id;

-- name: deleteItem :exec
delete from items where id = :id;
