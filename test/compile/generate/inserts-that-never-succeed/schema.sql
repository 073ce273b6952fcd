create domain slug text not null;
create domain rank int not null default 1;
create domain label text check (value is not null and value <> '');
create table users (
  id int primary key generated always as identity,
  email text not null,
  timezone varchar(40) not null,
  locale text not null default 'en',
  nickname text,
  shout text not null generated always as (upper(email)) stored
);
create table posts (id serial primary key, "Title" text not null, slug slug, rank rank, author int references users);
create table labels (id int primary key, label label);
create view writers as select timezone as zone, email from users;
alter view writers alter column zone set default 'UTC';
create view shy_writers as select nickname, timezone from users;
create function fill() returns trigger language plpgsql as $$ begin new.name := 'x'; return new; end $$;
create table filled (id int not null, name text not null);
create trigger fill before insert on filled for each row execute function fill();
create table counted (id int not null, name text not null);
create trigger fill before insert on counted for each statement execute function fill();
create table days (day date not null, note text not null) partition by range (day);
create table days_2025 partition of days for values from ('2025-01-01') to ('2026-01-01');
create table filled_days (day date not null, name text not null) partition by range (day);
create table filled_days_2025 partition of filled_days for values from ('2025-01-01') to ('2026-01-01');
create trigger fill before insert on filled_days_2025 for each row execute function fill();
create table filled_parents (day date not null, name text not null) partition by range (day);
create table filled_child partition of filled_parents for values from ('2025-01-01') to ('2026-01-01');
create trigger fill before insert on filled_parents for each row execute function fill();
create table ruled (id int not null);
create rule quiet as on insert to ruled do instead nothing;
create view answered as select id, name from counted;
create trigger fill instead of insert on answered for each row execute function fill();
