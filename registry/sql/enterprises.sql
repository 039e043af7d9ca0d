-- name: load
-- Every enterprise.
select code, name from enterprise order by code;

-- name: find_by_name
-- The enterprise with a name.
select code, name from enterprise where name = $1;

-- name: add
-- Make an enterprise.
insert into enterprise (code, name) values ($1, $2);
