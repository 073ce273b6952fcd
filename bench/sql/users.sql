-- name: getUser :opt
select id, email, full_name, is_active, created_at
from users
where id = :id;

-- name: listUsers :many
-- The first 100 users.
select id, email, full_name
from users
order by id
limit 100;

-- name: listUsersWithPosts :many
-- The first 100 users with their posts, in one round trip.
select
  id,
  email,
  full_name,
  (
    select coalesce(
      json_agg(
        json_build_object('id', posts.id, 'authorId', author_id, 'title', title, 'createdAt', posts.created_at)
        order by posts.id
      ),
      '[]'
    )
    from posts
    where author_id = users.id
  ) as posts
from users
order by id
limit 100;
