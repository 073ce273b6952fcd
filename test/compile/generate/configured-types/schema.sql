create table users (id int8 primary key, settings jsonb not null, born date not null, balance numeric(10,2), tags text[] not null);
