-- name: list :many
select a, b, c, d, e, f, g, h, i, j, k, l, 状態, 住所 from t
where (a, b, d, e, f) = (:a, :b, :d, :e, :f) and (g, h, i, j, k, 状態) = (:g, :h, :i, :j, :k, :状態);

-- name: listArrays :many
select array[a] as a, array[g] as g, array[p.h] as h, array[状態] as 状態, to_jsonb(p) as row from t p where a = any(:as);
