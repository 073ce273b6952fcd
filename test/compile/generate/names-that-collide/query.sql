-- name: one :many
select id from t;

-- name: codec :many
select id from t;

-- name: mood :many
select mood from t;

-- name: nullableTextArray :many
select tags from t;
