-- name: orderedByItsOwnOrdinal :many
select name from parts where book = :book and kind = :kind order by ordinal;

-- name: aTableCalledInput :many
select id from parts
where book = :book and exists (select from volumes as input where input.p1 = :kind and input.volume = parts.name)
order by id;

-- name: naturally :many
select name, volume from parts natural join volumes where parts.id > :kind and volume <> :title order by parts.id, volume;

-- name: quoted :many
select * from "order" where "user" = :code and note <> :title order by id;
