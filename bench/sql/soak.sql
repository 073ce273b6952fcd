-- name: getEmail :opt
select id, email from users where id = :id;

-- name: listTitles :values
select title from posts where id >= :from order by id limit 500;

-- name: slow :value
select 7 from pg_sleep(0.2);

-- name: fail :exec
-- Fails whenever it runs.
select 1 / 0;

-- name: getCustomer :value
select customer from orders where id = :id;

-- name: deleteOrder :exec
delete from orders where id = :id;
