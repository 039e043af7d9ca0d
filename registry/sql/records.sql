-- name: fetch
-- The records that exist among some keys.
select key, spelling, value_list, revision
from record
where key = any($1::bytea[]) and value_list is not null;

-- name: fetch_all
-- The records among some keys, those that were deleted too.
select key, spelling, value_list, revision
from record
where key = any($1::bytea[]);

-- name: walk
-- One page of records in the order of their keys: after $1, before $2 (null = no end), $3 at most.
select key, spelling, value_list, revision
from record
where key > $1 and ($2::bytea is null or key < $2) and value_list is not null
order by key
limit $3;

-- name: estimate
-- About how many rows there are, deleted records included, without counting them.
select greatest(
    (select reltuples::bigint from pg_class where oid = 'record'::regclass),
    (select n_live_tup from pg_stat_user_tables where relid = 'record'::regclass),
    0
);

-- name: insert
-- Store records that are new; those that exist, deleted ones included, stay as they are.
insert into record (key, spelling, value_list)
select key, spelling, value_list
from unnest($1::bytea[], $2::bytea[], $3::bytea[]) as given (key, spelling, value_list)
on conflict (key) do nothing;

-- name: allow_time
-- Copying many records takes longer than any other statement may.
set local statement_timeout = '60s';

-- name: prepare_staging
-- A table of this connection, empty at the beginning of each transaction, that many new records are copied into.
create temporary table if not exists staging (
    key bytea not null,
    spelling bytea,
    value_list bytea not null
) on commit delete rows;

-- name: insert_staged
-- The same as insert, for the records of the staging table.
insert into record (key, spelling, value_list)
select key, spelling, value_list from staging
on conflict (key) do nothing;

-- name: existing
-- The rows, deleted records included, among some keys that this transaction did not write.
select key, spelling, value_list
from record
where key = any($1::bytea[]) and xmin <> pg_current_xact_id()::xid;

-- name: lock
-- The rows among some keys, held until the end of the transaction; in key order, so that no two writers deadlock.
select key, spelling, value_list
from record
where key = any($1::bytea[])
order by key
for update;

-- name: update
-- Change rows that this transaction has locked.
update record
set spelling = given.spelling, value_list = given.value_list, revision = record.revision + 1, changed_at = now()
from unnest($1::bytea[], $2::bytea[], $3::bytea[]) as given (key, spelling, value_list)
where record.key = given.key;

-- name: list
-- One page of the handles from key $1 on and before $2, in key order: after $3, $4 at most.
select key, spelling
from record
where key >= $1 and key < $2 and key > $3 and value_list is not null
order by key
limit $4;

-- name: count
-- How many there are in that range, counted no further than $3.
select count(*) from (
    select from record where key >= $1 and key < $2 and value_list is not null limit $3
) as counted;

-- name: estimate_range
-- About how many there are, as the planner knows it.
explain (format json) select from record where key >= $1 and key < $2 and value_list is not null;
