-- The tables of examples/transfer.ts. A customer's account may be overdrawn as long as the customer's others cover it:
-- a rule over several rows, which no CHECK constraint can express.
create table accounts (
  id int primary key,
  customer int not null,
  balance int not null
);

create index accounts_customer on accounts (customer);

create table transfers (
  id int generated always as identity primary key,
  source int not null references accounts,
  target int not null references accounts,
  amount int not null check (amount > 0)
);
