-- name: a :one
select $body$ text $bdy$;
