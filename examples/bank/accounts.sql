-- name: openAccount :exec
insert into accounts (id, customer, balance)
values (:id, :customer, :balance);

-- name: getFunds :opt
-- What the owner of an account has in all accounts together.
select owner.customer, sum(theirs.balance)::int as "funds!"
from accounts owner
join accounts theirs on theirs.customer = owner.customer
where owner.id = :account
group by owner.customer;

-- name: changeBalance :exec
update accounts
set balance = balance + :by
where id = :account;

-- name: recordTransfer :value
-- Writes a transfer into the book; answers its number.
insert into transfers (source, target, amount)
values (:source, :target, :amount)
returning id;

-- name: countTransfers :value
select count(*) from transfers;

-- name: getTotal :value
-- All money there is.
select coalesce(sum(balance), 0)::int from accounts;

-- name: listOverdrawnCustomers :values
-- Customers whose accounts together are below zero: there must be none.
select customer
from accounts
group by customer
having sum(balance) < 0;
