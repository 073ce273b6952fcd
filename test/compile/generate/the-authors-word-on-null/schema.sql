create table t (id int primary key, name text, total numeric not null);
