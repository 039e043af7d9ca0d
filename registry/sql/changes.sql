-- name: announce
-- Write what this transaction changed, and wake the followers once it has committed.
insert into change (record_keys, has_prefixes) values ($1, $2) returning pg_notify('idnode_change', '');

-- name: since
-- The changes that became visible after snapshot $1 (null = none), and with each the position of this look: one row at least.
-- A transaction was invisible to a snapshot when it was still running (xip) or had not begun (from xmax on).
select here.snapshot, here.lineage, change.number, change.record_keys, change.has_prefixes
from (
    select
        pg_current_snapshot()::text as snapshot,
        (select system_identifier::text from pg_control_system())
        || '/' || left(pg_walfile_name(pg_current_wal_lsn()), 8) as lineage
) as here
left join change on (
    change.transaction_id >= pg_snapshot_xmax($1::text::pg_snapshot)
    or change.transaction_id = any (array(select pg_snapshot_xip($1::text::pg_snapshot)))
)
order by change.number;

-- name: purge
-- Delete changes older than some seconds, the oldest first and $2 rows at most.
delete from change
where number in (select number from change order by number limit $2)
    and committed_at < clock_timestamp() - make_interval(secs => $1);
