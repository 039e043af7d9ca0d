-- name: list
-- Names of living records in the order of their keys: after $1, before $2, $3 at most.
select key, spelling
from record
where key > $1 and key < $2 and value_list is not null
order by key
limit $3;

-- name: count
-- How many living records there are after $1 and before $2, up to $3.
select count(*) from (
    select from record where key > $1 and key < $2 and value_list is not null limit $3
) as counted;
