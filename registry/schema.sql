-- The schema after all migrations: read this to know it. A test compares it with what the migrations make.

create table migration (
    name text not null,
    sha256 text not null,
    applied_at timestamptz not null default now(),
    constraint migration_pkey primary key (name)
);

create table enterprise (
    code text not null,
    name text not null,
    constraint enterprise_pkey primary key (code),
    constraint enterprise_name_key unique (name)
);

create table prefix (
    key bytea not null,
    enterprise_code text,
    status text not null default 'active',
    folds_suffix boolean not null default false,
    delegated_to bytea,
    changed_at timestamptz not null default now(),
    constraint prefix_pkey primary key (key),
    constraint prefix_enterprise_code_fkey foreign key (enterprise_code) references enterprise (code),
    constraint prefix_status_check check (status in ('active', 'suspended', 'withdrawn'))
);

create index prefix_enterprise_code_idx on prefix (enterprise_code);

comment on column prefix.delegated_to is 'the encoded HS_SITE of the enterprise''s own node; null = hosted here';

-- Fixed columns stand first: no padding between them, 24 octets of header and 16 of these per row.
create table record (
    revision bigint not null default 1,
    changed_at timestamptz not null default now(),
    key bytea not null,
    spelling bytea,
    value_list bytea,
    constraint record_pkey primary key (key)
);

comment on column record.spelling is 'the handle as registered; null = as the key';
comment on column record.value_list is 'a count and the encoded values as on the wire; null = deleted, the revision goes on';

create table alias (
    scheme text not null,
    code bytea not null,
    record_key bytea not null,
    constraint alias_pkey primary key (scheme, code)
);

create index alias_record_key_idx on alias (record_key);

-- One row per transaction that changed something.
create table change (
    number bigint generated always as identity,
    transaction_id xid8 not null default pg_current_xact_id(),
    committed_at timestamptz not null default clock_timestamp(),
    has_prefixes boolean not null,
    record_keys bytea[] not null,
    constraint change_pkey primary key (number)
);

create index change_transaction_id_idx on change (transaction_id);

-- An import's keys are written once and read once per worker: compressing them costs more than it saves.
alter table change alter column record_keys set storage external;

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
