-- name: enqueueJob :value
-- Puts a job into the queue. Inside a unit of work it is there for the workers once the unit is committed.
insert into jobs (kind, recipient)
values (:kind, :recipient)
returning id;

-- name: takeJob :opt
-- The oldest job that is due and that no other worker has; ours until the unit of work ends.
select id, kind, recipient, attempts
from jobs
where done_at is null
  and run_at <= now()
  and attempts < 3
order by run_at, id
limit 1
for update skip locked;

-- name: finishJob :exec
-- The job is done.
update jobs
set done_at = now()
where id = :id;

-- name: postponeJob :exec
-- The job failed: once more in a while.
update jobs
set attempts = attempts + 1, problem = :problem, run_at = now() + make_interval(secs => :seconds)
where id = :id;

-- name: countJobs :one
-- How many are done, waiting, and given up.
select
  count(*) filter (where done_at is not null) as done,
  count(*) filter (where done_at is null and attempts < 3) as waiting,
  count(*) filter (where done_at is null and attempts >= 3) as given_up
from jobs;

-- name: writeLetter :exec
-- What a job of the kind "letter" does.
insert into letters (job_id, recipient)
values (:jobId, :recipient);

-- name: countLetters :one
-- How many letters there are, and for how many jobs.
select count(*) as letters, count(distinct job_id) as jobs
from letters;
