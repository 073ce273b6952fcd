-- name: hear :exec
listen news;
