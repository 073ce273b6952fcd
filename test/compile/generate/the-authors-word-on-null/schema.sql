create table t (id int primary key, name text, total numeric not null);
create table odd ("sure!" text, "asked?" int not null);
