-- name: getUser :opt
-- One user by id.
select id, email, full_name, is_active, created_at, updated_at
from users
where id = :id;

-- name: getUserByEmail :opt
-- One user by e-mail address.
select id, email, full_name, is_active, created_at, updated_at
from users
where email = :email;

-- name: getUserCredentials :opt
-- What signing in needs. No other query reads the hash.
select id, hashed_password
from users
where email = :email
  and is_active;

-- name: listUsers :many
-- A page of users in the order of their ids: `limit` at most, those behind `afterId`.
-- The first page is behind 0; each next one is behind the last id of the page before, and costs the same.
select id, email, full_name, is_active, created_at, updated_at
from users
where id > :afterId
order by id
limit :limit;

-- name: listActiveUsers :many
-- As listUsers, without those who were deactivated.
select id, email, full_name, is_active, created_at, updated_at
from users
where is_active
  and id > :afterId
order by id
limit :limit;

-- name: countUsers :value
-- How many users there are.
select count(*) from users;

-- name: createUser :one
-- Fails with UniqueViolationError if the e-mail address is taken.
insert into users (email, hashed_password, full_name)
values (:email, :hashedPassword, :fullName)
returning id, email, full_name, is_active, created_at, updated_at;

-- name: updateUser :opt
-- The user as changed, or null if there is none with this id.
update users
set email = :email,
    full_name = :fullName,
    is_active = :isActive,
    updated_at = now()
where id = :id
returning id, email, full_name, is_active, created_at, updated_at;

-- name: deactivateUser :exec
-- 1 if the user was active until now, else 0.
update users
set is_active = false,
    updated_at = now()
where id = :id
  and is_active;

-- name: deleteUser :exec
-- 1 if the user was there, else 0. Posts and comments go with the user.
delete from users
where id = :id;
