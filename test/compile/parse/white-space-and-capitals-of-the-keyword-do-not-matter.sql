--name:a:one
select 1;
  --  Name :  b   :one
select 2;
-- NAME: c : one
select 3;
