-- name: jsonOperators :many
select :doc?'key', :doc ? :key, :doc?|:keys, :doc ?& :keys, :a!=:b, :a!~:b, :doc?:key
