-- Up Migration

create table users (
  id integer generated always as identity primary key,
  email text not null unique,
  hashed_password text not null,
  full_name text,
  is_active boolean not null default true,
  created_at timestamptz not null default now(),
  updated_at timestamptz
);

comment on table users is 'People who can sign in, write posts and comment.';
comment on column users.hashed_password is 'An argon2 or bcrypt hash with its salt; never the password.';
comment on column users.is_active is 'False: may not sign in. Posts and comments stay.';
comment on column users.updated_at is 'Null until the first change.';

-- Down Migration

drop table users;
