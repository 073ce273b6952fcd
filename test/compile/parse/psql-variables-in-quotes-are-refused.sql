-- name: a :many
select * from users where email = :'email' and lower(:"column") <> '' and x['a':'b'] is null
