-- name: wait_long
-- Building an index may take longer than any other statement may.
set local statement_timeout = 0;

-- name: lock
-- Let one migration run at a time on this database; given back at the end of the transaction.
select pg_advisory_xact_lock(7451892663170);

-- name: make_bookkeeping
-- Make the table that remembers what was applied.
create table if not exists migration (
    name text not null,
    sha256 text not null,
    applied_at timestamptz not null default now(),
    constraint migration_pkey primary key (name)
);

-- name: applied
-- What was applied, oldest first.
select name, sha256 from migration order by name;

-- name: limit_waiting
-- A change of the schema must not queue behind a long transaction and block everybody else meanwhile.
set local lock_timeout = '2s';

-- name: record
-- Remember one migration.
insert into migration (name, sha256) values ($1, $2);
