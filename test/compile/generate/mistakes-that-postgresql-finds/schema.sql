create table users (id int primary key, name text not null, created_at timestamptz not null default now());
create table orders (id int primary key, user_id int not null references users);
