-- What was changed in whose name; prefixes that are no longer answered for.

-- One row per record that was changed in somebody's name, to list and to undo what that identity did.
create table history (
    number bigint generated always as identity,
    at timestamptz not null default clock_timestamp(),
    transaction_id xid8 not null default pg_current_xact_id(),
    revision bigint not null,
    identity bytea not null,
    key bytea not null,
    spelling bytea,
    value_list bytea,
    constraint history_pkey primary key (identity, at, number)
);

create index history_key_idx on history (key, number);

comment on column history.revision is 'of the record after the change';
comment on column history.identity is 'who changed it: index and handle of the key; empty = anybody may';
comment on column history.spelling is 'as it was registered before the change; null = as the key';
comment on column history.value_list is 'the former values; null = there was no record';

-- The running version writes only statuses that are in both sets. Checked rows are few: prefixes number thousands.
alter table prefix drop constraint prefix_status_check;
alter table prefix add constraint prefix_status_check check (status in ('active', 'suspended', 'withdrawn'));
