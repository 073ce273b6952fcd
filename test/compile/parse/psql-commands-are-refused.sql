\set id 'it''s 1'
-- name: a :one
select :id \gset
