create table users (id int primary key, name text not null);
create function note(text) returns void language sql volatile as $$ select $$;
