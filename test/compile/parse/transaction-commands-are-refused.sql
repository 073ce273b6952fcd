-- name: undo :exec
-- As if there were no unit of work.
rollback;

-- name: part :exec
/* of a unit */ SAVEPOINT s1;

-- name: all :exec
begin;
delete from posts;
commit;

-- name: late :exec
prepare /* two-phase */ transaction 'x';

-- name: level :exec
set transaction isolation level serializable;

-- name: limit :exec
set local statement_timeout = 100;

-- name: later :exec
set constraints all deferred;

-- name: plan :exec
prepare p as select 1;

-- name: work :exec
call do_and_commit();
