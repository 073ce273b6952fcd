-- name: readAll :many
select * from t;

-- name: writeAll :exec
insert into t values (
  :a, :b, :c, :d, :e, :f, :g, :h, :i, :j, :k, :l, :m, :n, :o, :p, :q, :r, :s, :u, :v, :w, :x, :y, :z, :aa, :bb, :cc, :dd, :ee
);
