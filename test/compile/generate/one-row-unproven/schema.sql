create table users (id int primary key, email text unique deferrable, tenant int not null, slug text not null, deleted_at timestamptz,
  unique (tenant, slug));
create unique index on users (email) where deleted_at is null;
create table posts (id int primary key, author_id int not null references users, title text not null);
create table log (at timestamptz, text text);
create table parent (id int primary key);
create table child () inherits (parent);
create table people (id int primary key, email text not null, tenant int not null);
create unique index on people (tenant, lower(email));
create collation german (provider = icu, locale = 'de-u-ks-level2', deterministic = false);
create table words (word text unique, german text collate german unique, code char(3) unique, name varchar(9) unique);
create unique index on words (lower(word));
