-- name: insertOrder :value
insert into orders (customer) values (:customer) returning id;

-- name: insertLine :exec
insert into order_lines (order_id, product, quantity) values (:orderId, :product, :quantity);
