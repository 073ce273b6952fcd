-- The tables of examples/queue.ts.
create table jobs (
  id int generated always as identity primary key,
  kind text not null,
  recipient text not null,
  attempts int not null default 0,
  run_at timestamptz not null default now(),
  done_at timestamptz,
  problem text
);

-- What takeJob looks through: only what is left to do.
create index jobs_due on jobs (run_at, id) where done_at is null;

-- What the jobs do. No key on job_id: a job that was done twice would show.
create table letters (
  job_id int not null references jobs,
  recipient text not null
);
