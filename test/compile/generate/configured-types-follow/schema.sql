create table users (id int8 primary key, settings jsonb not null, nicknames text[] not null, born date);
create table posts (id int8 primary key, author_id int8 not null references users, meta jsonb);
create view profiles as select id as user_id, settings as preferences from users;
