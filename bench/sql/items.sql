-- name: insertItem :exec
insert into new_items (n, label, price) values (:n, :label, :price);

-- name: updateItem :exec
update items set label = :label, price = :price where n = :n;

-- name: upsertItem :exec
insert into items (n, label, price) values (:n, :label, :price)
on conflict (n) do update set label = excluded.label, price = excluded.price;
