-- name: listPeople :many
select * from people;

-- name: listByMoods :many
select id from people where mood = any(:moods) and score > :score;

-- name: addPerson :exec
insert into people values (:id, :mood, :moods, :score, :home, :homes, :ages, :periods, :boxes);

-- name: wholeRow :many
select p from people p;

-- name: listVectors :many
select indkey, array[indkey] as several, to_jsonb(indkey) as document from pg_index where indkey = :indkey;
