-- name: stored :many
-- A CHECK constraint keeps NULL out of tags; nothing keeps it out of labels.
select tags, labels, matrix, to_json(matrix) as json from points;

-- name: built :many
select array[id, 2] as pair,
       array[id, null] as with_null,
       array[[id, 1], [2, 3]] as square,
       array(select p.id from points p where p.id > points.id) as above,
       array_remove(labels, null) as cleaned,
       string_to_array('a,b', ',') as parts,
       '{1,2}'::int8[] as constant,
       coalesce(tags, '{}') as tags_or_none,
       tags::varchar[] as cast_tags
from points;

-- name: putTogether :many
-- A NULL element stays one, on either side; a NULL array has none.
select tags || 'x'::text as tag_behind, 'x'::text || tags as tag_before, tags || array['x', 'y'] as tags_behind,
       array_cat(tags, tags) as twice, tags || null as same, null::text[] || tags as same_again,
       array_append(tags, 'x') as appended, array_prepend('x', tags) as prepended,
       tags || labels[1] as maybe_null_behind, labels[1] || tags as maybe_null_before,
       tags || null::text as null_behind, tags || labels as labels_behind, labels || tags as labels_before,
       array_prepend(null, tags) as null_prepended, matrix || array[[1, id]] as squares,
       array[jsonb_build_object('a', id)] || jsonb_build_object('b', id) as documents,
       array_append(array[jsonb_build_object('a', id)], jsonb_build_object('a', null)) as maybe_documents,
       '{}'::jsonb || to_jsonb(tags) as not_an_array
from points
where labels is not null;

-- name: aggregated :many
select array_agg(id) as ids, array_agg(id order by id) filter (where id > 1) as some,
       array_agg(labels[1]) as labels, array_agg(to_json(points)) as documents
from points
group by tags;

-- name: listByIds :many
select id from points where id = any(:ids);

-- name: addPoint :exec
-- What goes into a column as a whole may hold nulls; a comparison's list may not.
insert into points values (:id, :tags, :labels, :matrix);

-- name: unnested :values
select unnest(:words::text[]) as word;
