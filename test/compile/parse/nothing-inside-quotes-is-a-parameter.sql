-- name: everyQuote :many
select ':a', E'\':b', U&'\0041:c', B'01', X':d', N':e', $$:f$$, $tag$ $$ :g $tag$, ":h", U&":i",
       'continued'
       ':j', x::text, /* :k /* :l */ :m */ :real -- :n
