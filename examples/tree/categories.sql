-- name: createCategory :one
insert into categories (parent_id, name)
values (:parentId, :name)
returning id;

-- name: listTopCategories :many
select id, parent_id, name
from categories
where parent_id is null
order by name;

-- name: listSubcategories :many
select id, parent_id, name
from categories
where parent_id = :parentId
order by name;

-- name: getParent :opt
-- The category above; null for one at the top, whose `parentId` is null.
select id, parent_id, name
from categories
where id = :parentId?;
