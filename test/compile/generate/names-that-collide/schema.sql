create type mood as enum ('happy');
create table t (id int primary key, mood mood not null, tags text[] not null, state text not null);
