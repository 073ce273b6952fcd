-- name: slices :many
select a[1:2], a[lo : hi], a[1 : :n], a[:lo : :hi], a[1::int] from arrays
