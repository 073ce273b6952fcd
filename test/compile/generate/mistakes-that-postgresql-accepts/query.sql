-- name: nothingToReturn :many
delete from users;

-- name: twoColumns :value
select id, name from users;

-- name: noColumn :values
update users set name = :name;
