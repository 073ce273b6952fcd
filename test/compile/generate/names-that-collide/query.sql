-- name: one :many
select id from t;

-- name: codec :many
select id from t;

-- name: mood :many
select mood from t;

-- name: nullableTextArray :many
select tags from t;

-- name: JsonValue :many
select '{}'::json as j;

-- name: Mind :many
select state from t;
