-- name: createRule :exec
create rule r as on insert to posts do also (select 1; select 2);

-- name: createFunction :exec
create function f() returns int begin atomic select 1; select 2; end;
