-- name: leftOut :one
insert into users (email) values (:email) returning id;

-- name: severalLeftOut :exec
insert into public . users (nickname) values (:nickname);

-- name: allLeftOut :exec
insert into users default values;

-- name: upsert :exec
insert into users (id, email) overriding system value values (:id, :email)
on conflict (id) do update set email = excluded.email;

-- name: ofASelect :exec
insert into users (email) select email from users where id = :id;

-- name: defaultInARow :exec
insert into users (email, timezone) values (:a, :b), (:c, default);

-- name: nullConstants :exec
insert into users (email, timezone, locale) values (:email, null, null);

-- name: inACte :many
with author as (insert into users (email, timezone) values (:email, 'UTC') returning id),
  post as (insert into posts (author) select id from author returning id)
insert into labels (id) select id from post returning id;

-- name: domains :exec
insert into posts ("Title", slug) values (:title, null);

-- name: behindAView :exec
insert into shy_writers (nickname) values (:nickname);

-- name: partitioned :exec
insert into days (day) values (:day);

-- name: triggerOfTheStatement :exec
insert into counted (id) values (:id);

-- name: merged :exec
merge into days using (select :day::date as day) as given on given.day = days.day
when matched then delete
when not matched then insert (day) values (given.day);

-- name: fine :exec
with author as (insert into users (email, timezone) values (:email, :timezone) returning id)
insert into posts ("Title", slug) values (:title, :slug);

-- name: fineByDefaults :exec
insert into users (email, timezone, locale) values (:a, 'UTC', default), (:b, 'UTC', 'sv');

-- name: fineBehindAView :exec
insert into writers (email) values (:email);

-- name: fineByATrigger :exec
insert into filled (id) values (:id);

-- name: fineByAPartitionsTrigger :exec
insert into filled_days (day) values (:day);

-- name: fineByTheParentsTrigger :exec
insert into filled_child (day) values (:day);

-- name: fineByARule :exec
insert into ruled default values;

-- name: fineByATriggerOfTheView :exec
insert into answered (id) values (:id);

-- name: fineInAMerge :exec
merge into days using (select :day::date as day) as given on given.day = days.day
when matched then do nothing
when not matched then insert values (given.day, 'new');
