create table users (id int primary key, email text unique, tenant int not null, slug varchar(20) not null, deleted_at timestamptz,
  is_root bool not null default false, unique (tenant, slug));
create unique index one_root on users (is_root) where is_root;
create unique index live_email on users (email, tenant) where deleted_at is null;
create table posts (id int primary key, author_id int not null references users, title text not null);
create table settings (user_id int primary key references users, theme text);
create view live_users as select id, email, slug, tenant from users where deleted_at is null;
create view post_counts as select author_id, count(*) as posts from posts group by author_id;
create table parts (id int, region text, primary key (id, region)) partition by list (region);
create table people (id int primary key, email text not null, tenant int not null);
create unique index on people (tenant, lower(email));
create collation german (provider = icu, locale = 'de-u-ks-level2', deterministic = false);
create table words (word text unique, german text collate german unique, code char(3) unique, name varchar(9) unique);
create unique index on words (lower(german));
