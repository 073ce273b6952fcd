-- name: twice :exec
insert into posts (title) values (:title);

insert into tags (name)
values (:tag);
